"""Every example of every help text is run, as it stands there."""

import io
import shlex
import shutil

import pytest

from generator.cli import main
from generator.cli.examples import EXAMPLES
from tests.effort import marks
from tests.generator.image.test_inspect import BASE, layer, metadata, saved
from tests.generator.manifests.test_backups import with_backup
from tests.generator.seal.keypair import DAY, pem, private_key
from tests.repositories import DEV, SETTINGS, STAGING, Repo, repository, run

RUN = [
    pytest.param(name, line, id=line, marks=marks(line, test=lines[:1]))
    for name, lines in EXAMPLES.items()
    for line in lines
]

# What a repository alone, without forge and cluster, answers with a reason; all others succeed.
REFUSED = {
    "gen-env cluster inspect prod-eu": "context",
    "gen-env cluster inspect arn:aws:eks:eu-west-1:1234:cluster/prod --name eu --write": "context",
    "gen-env verify staging --timeout 60 -o json": "context",
    "gen-env promote staging production --pr": "remote",
    "gen-env pause staging --resume": "no pause",
    "gen-env rehearse production --airflow 3.3.2 --dump backup.dump --rows manifest.json": "TABLE",
    "gen-env rehearse production --airflow 3.3.2 --result printed.json": "cannot read",
    "gen-env harden staging --list": "adopted",
    "gen-env harden staging --dry-run": "adopted",
}
# What a person types at the prompts.
ANSWERS = {"gen-env new lab --tier development --cluster main": b"\n" * 20}
# Examples that find something in the files of this test exit with 1 and list it.
FINDINGS = {"validate", "check", "adopt", "doctor"}


MANAGED = SETTINGS.replace(
    "clusters:", "argocd: {project: {manage: true, name: airflow}}\nclusters:"
)


@pytest.fixture
def repo(own_chart, templates, tmp_path, monkeypatch):
    made = Repo(templates.copy("examples", make, tmp_path / "repo"))
    shutil.copy(own_chart, made.root / "airflow-1.22.0.tgz")
    monkeypatch.chdir(made.root)
    return made


def make(folder):
    made = repository(folder, settings=MANAGED, dev=DEV, staging=STAGING, production=with_backup())
    made.write("values.yaml", "executor: KubernetesExecutor\n")
    made.write("values-production.yaml", "scheduler: {replicas: 2}\n")
    made.write("release/values.yaml", "executor: LocalExecutor\npostgresql: {enabled: true}\n")
    made.write("objects.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n")
    made.write("id_ed25519", "-----BEGIN OPENSSH PRIVATE KEY-----\nx\n")
    made.write("sealing.pem", certificate())
    saved(made.root / "airflow.tar", layer(*metadata(*BASE)))
    assert made.run("generate").code == 0
    made.init()
    made.edit("environments/staging/environment.yaml", "replicas: 2", "replicas: 3")
    assert made.run("generate").code == 0
    made.commit("more workers")
    return made


def certificate():
    import datetime

    now = datetime.datetime.now(datetime.UTC)
    return pem(private_key(0), not_before=now - DAY, not_after=now + 30 * DAY)


@pytest.mark.parametrize(("name", "line"), RUN)
def test_an_example_does_what_it_says(repo, name, line, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(ANSWERS.get(line, b""))))
    words = shlex.split(line.partition(" > ")[0])
    assert words[:2] == ["gen-env", name]
    done = run(*words[1:])
    if line in REFUSED:
        assert done.code == 1 and REFUSED[line] in done.stderr, done.said
    elif name in FINDINGS:
        assert done.code in (0, 1) and "error: " not in done.stderr, done.said
    else:
        assert done.code == 0, done.said


def test_every_command_has_one_to_three_examples_at_the_end_of_its_help():
    assert list(EXAMPLES) == sorted(EXAMPLES, key=list(main._COMMANDS).index)
    assert EXAMPLES.keys() == main._COMMANDS.keys()
    for name, lines in EXAMPLES.items():
        shown = run(name, "--help").stdout
        assert 1 <= len(lines) <= 3
        assert all(f"    {line}\n" in shown for line in lines), shown
