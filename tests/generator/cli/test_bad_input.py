# ruff: noqa: E501 (tables of one line each)
"""What people get wrong: each mistake has its place, says what to do, and quotes no value."""

import base64
import os

import pytest

from tests.effort import marks
from tests.repositories import DEV, SETTINGS, STAGING, changed, repository
from tests.standin_chart import stand_in_archive


@pytest.fixture(autouse=True)
def _no_definitions(monkeypatch):
    """What a folder of CRDs adds is for tests of its own."""
    monkeypatch.delenv("GEN_ENV_CRDS", raising=False)


PATH = "environments/dev/environment.yaml"
CANARY = "canary-7f3a9c"
OF_ALL = (".gen-env/", "bootstrap/")

# Mistake → (the definition, where, what the message or the hint says).
MISTAKES = {
    "not YAML": (DEV + "x: [1\n", 10, ""),
    "a tab": (DEV + "workers:\n\treplicas: 1\n", 11, "tab"),
    "no closing quote": (DEV + 'labels: {a: "b}\n', None, ""),
    "a list at the top": ("- a\n- b\n", 1, "mapping"),
    "a text at the top": ("hello\n", 1, ""),
    "empty": ("", None, ""),
    "only a comment": ("# nothing\n", None, ""),
    "two documents": (DEV + "---\n" + DEV, 11, "document"),
    "duplicate key": (DEV + "chart: {version: 1.22.0}\n", 10, "chart"),
    "duplicate key below": (changed(DEV, ("name: dev,", "name: dev, name: dev,")), 3, "name"),
    "not UTF-8": (DEV.encode() + b"labels: {a: \xff}\n", 10, "UTF-8"),
    "UTF-16": (DEV.encode("utf-16"), 1, "UTF-8"),
    "a NUL": (DEV.encode() + b"\x00", 10, ""),
    "an unknown alias": (DEV + "labels: *nowhere\n", 10, "nowhere"),
    "an alias to itself": (DEV + "labels: &a {b: *a}\n", 10, "contains it"),
    "an alias bomb": (
        DEV + "values:\n  a0: &a0 [" + "x, " * 9 + "x]\n" + "".join(
            f"  a{n}: &a{n} [{f'*a{n - 1}, ' * 9}*a{n - 1}]\n" for n in range(1, 9)
        ),
        None,
        "aliases expand",
    ),
    "a merge bomb": (
        DEV + "values:\n  a0: &a0 {k: v}\n" + "".join(
            f"  a{n}: &a{n}\n    <<: [{f'*a{n - 1}, ' * 9}*a{n - 1}]\n    k{n}: v\n"
            for n in range(1, 9)
        ),
        None,
        "aliases expand",
    ),
    "deep nesting": (DEV + "values: " + "[" * 5000 + "]" * 5000 + "\n", 10, "nested deeper"),
    "huge": (DEV + "# " + "x" * (2 << 20) + "\n", None, "larger than"),
    "a python tag": (DEV + "labels: !!python/object/apply:os.system [id]\n", 10, ""),
    "unknown field": (changed(DEV, ("airflow:", "airfow:")), 5, "did you mean airflow?"),
    "unknown field below": (
        changed(DEV, ("{version: 3.2.2}", "{version: 3.2.2, exectuor: LocalExecutor}")),
        5,
        "did you mean executor?",
    ),
    "unknown field of an alternative": (
        DEV + "workers:\n  autoscaling: {type: keda, maxReplicas: 3, minReplica: 1}\n",
        11,
        "did you mean minReplicas?",
    ),
    "unknown field like nothing": (DEV + "zzz: 1\n", 10, "airflow, apiServer"),
    "a field of snake case": (DEV + "network_policy: {mode: off}\n", 10, "networkPolicy"),
    "a missing field": (changed(DEV, ("chart: {version: 1.22.0}\n", "")), None, "add chart"),
    "a missing field below": (changed(DEV, ("{version: 3.2.2}", "{}")), 5, "add version"),
    "text for a number": (DEV + "workers: {replicas: many}\n", 10, "whole number"),
    "a float for a number": (DEV + "workers: {replicas: 1.5}\n", 10, "whole number"),
    "an octal number": (DEV + "workers: {replicas: 010}\n", 10, "whole number"),
    "a negative number": (DEV + "workers: {replicas: -1}\n", 10, "workers.replicas"),
    "an enormous number": (DEV + "workers: {replicas: 99999999}\n", 10, "workers.replicas"),
    "yes for true": (DEV + "sync: {automated: yes}\n", 10, "true or false"),
    "a list for a mapping": (DEV + "workers: [1]\n", 10, "workers"),
    "a mapping for a list": (DEV + "suppress: {rule: x}\n", 10, "suppress"),
    "a mapping for a text": (changed(DEV, ("3.2.2", "{a: b}")), 5, "airflow.version"),
    "nothing where something is needed": (changed(DEV, ("3.2.2", "")), 5, "airflow.version"),
    "a version of two numbers": (changed(DEV, ("3.2.2", "3.2")), 5, "three numbers"),
    "another api version": (changed(DEV, ("gen-env.dev/v1", "gen-env.dev/v9")), 1, "gen-env.dev/v1"),
    "another kind": (changed(DEV, ("Environment", "Repository")), 2, "Environment"),
    "a path out of the repository": (
        changed(DEV, ("{image: {}}", '{gitSync: {repository: "https://g/d.git", subPath: ../../x}}')),
        8,
        "without ..",
    ),
    "a name that is not its folder": (changed(DEV, ("name: dev", "name: prod")), 3, "write name: dev"),
    "a team without its folder": (changed(DEV, ("name: dev", "name: dev, team: a")), 3, "remove team"),
    "an upper-case namespace": (changed(DEV, ("main}", "main, namespace: Dev}")), 4, "DNS label"),
    "an unknown cluster": (changed(DEV, ("cluster: main", "cluster: mars")), 4, "known clusters: main"),
    "an unknown executor": (changed(DEV, ("3.2.2}", "3.2.2, executor: Local}")), 5, "LocalExecutor"),
    "an executor of the past": (
        changed(DEV, ("3.2.2}", "3.2.2, executor: CeleryKubernetesExecutor}")),
        5,
        "CeleryExecutor,KubernetesExecutor",
    ),
    "SQLite": (changed(DEV, ("{embedded: true}", "{type: sqlite}")), 7, "file in one pod"),
    "another database": (changed(DEV, ("{embedded: true}", "{type: oracle}")), 7, "postgresql or mysql"),
    "no database": (changed(DEV, ("{embedded: true}", "{}")), 7, "embedded: true"),
    "a URL for a host": (changed(DEV, ("embedded: true", 'host: "pg://a"')), 7, "without scheme"),
    "a network with host bits": (
        changed(DEV, ("embedded: true", "host: pg, cidrs: [10.0.0.1/8]")),
        7,
        "10.0.0.0/8",
    ),
    "two ways to bring DAGs": (
        changed(DEV, ("{image: {}}", "{image: {}, persistence: {}}")),
        8,
        "exactly one",
    ),
    "replicas and autoscaling": (
        DEV + "workers: {replicas: 1, autoscaling: {type: hpa, maxReplicas: 2}}\n",
        10,
        "either replicas or autoscaling",
    ),
    "a version of another chart": (changed(DEV, ("1.22.0", "8.9.0")), 6, "[chart/unknown-line]"),
    "a chart that is not at hand": (changed(DEV, ("1.22.0", "1.99.0")), 6, "[chart/archive]"),
    "a key that a field owns": (DEV + "values: {executor: CeleryExecutor}\n", 10, "airflow.executor"),
    "a key above those that fields own": (DEV + "values: {workers: 3}\n", 10, "workers"),
    "a key that keeps a promise": (
        DEV + "values: {migrateDatabaseJob: {useHelmHooks: true}}\n",
        10,
        "",
    ),
    "a flow to a place that nobody declared": (
        DEV + "networkPolicy: {mode: enforce}\nlogging: {remote: {type: s3, url: 's3://a/b'}}\n",
        10,
        "[network/undeclared-peer]",
    ),
    "an ambiguous scalar in values": (DEV + "values: {scheduler: {a: yes}}\n", 10, "quote it"),
    "a suppression without a reason": (
        DEV + "suppress: [{rule: metrics/none, expires: 2027-01-01}]\n",
        10,
        "add reason",
    ),
    "a suppression without a day": (
        DEV + "suppress: [{rule: a/b, reason: c, expires: soon}]\n",
        10,
        "not a day",
    ),
}  # fmt: skip


@pytest.mark.few(12)
@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_has_its_place_and_its_remedy(tmp_path, name):
    text, line, words = MISTAKES[name]
    repo = repository(tmp_path, dev=text)
    before = repo.tree()
    for command in (("validate",), ("generate", "--check")):
        done = repo.run(*command)
        assert done.code == 1, done.said
        place = f"{PATH}:{line}  [" if line else f"{PATH}"
        assert place in done.stdout, done.said
        assert words in done.said
        assert "Traceback" not in done.said and "internal error" not in done.said
    assert repo.run("generate").code == 1
    after = {path: text for path, text in repo.tree().items() if not path.startswith(OF_ALL)}
    assert after == before


@pytest.mark.few(1)
@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=marks(name, test=("not YAML", "unknown field", "an alias bomb")))
        for name in MISTAKES
    ],
)
def test_every_command_survives_a_mistake(tmp_path, name):
    repo = repository(tmp_path, dev=MISTAKES[name][0]).init()
    for command in (
        ("explain", "dev"),
        ("secrets", "dev"),
        ("render", "dev", "--only", "manifests"),
        ("upgrade", "dev", "--airflow", "3.2.3", "--dry-run"),
        ("new", "test", "--no-input", "--from", "dev"),
        ("validate", "-o", "json"),
    ):
        done = repo.run(*command)
        assert done.code in (0, 1, 2), (command, done.said)
        assert "Traceback" not in done.said


def test_all_mistakes_are_told_at_once(tmp_path):
    text = changed(DEV, ("airflow:", "airfow: {}\nairflow:"), ("1.22.0", "1.22"))
    repo = repository(tmp_path, dev=text + "workers: {replicas: x}\n", staging=STAGING + "x: 1\n")
    done = repo.run("validate", "-o", "json")
    places = {(item["path"], item["line"]) for item in done.json["problems"]}
    assert places >= {
        (PATH, 5),
        (PATH, 7),
        (PATH, 11),
        ("environments/staging/environment.yaml", STAGING.count("\n") + 1),
    }


# Settings

SETTINGS_MISTAKES = {
    "not YAML": (SETTINGS + "x: [\n", None, ""),
    "unknown field": (SETTINGS + "clustres: {}\n", 13, "did you mean clusters?"),
    "a cluster without a version": (changed(SETTINGS, ("    kubernetesVersion: 1.34.2\n", "")), 5, "add kubernetesVersion"),
    "http": (changed(SETTINGS, ("https://10.0.0.1", "http://10.0.0.1")), 6, "https://"),
    "an unknown engine": (SETTINGS + "engine: fleet\n", 13, "engine"),
    "a policy for an unknown tier": (SETTINGS + "policy: {tiers: {prod: {}}}\n", 13, "policy.tiers"),
    "no clusters": ("apiVersion: gen-env.dev/v1\nkind: Repository\n", None, "add clusters"),
    "an identity among the defaults": (
        SETTINGS + "defaults: {teams: {payments: {metadata: {tier: production}}}}\n", 13, "metadata",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SETTINGS_MISTAKES)
def test_a_mistake_in_the_settings_has_its_place(tmp_path, name):
    text, line, words = SETTINGS_MISTAKES[name]
    repo = repository(tmp_path, settings=text, dev=DEV)
    before = repo.tree()
    for command in (("validate",), ("generate",), ("explain", "dev"), ("secrets", "dev"),
                    ("render", "dev"), ("new", "x", "--no-input", "--no-commit")):  # fmt: skip
        done = repo.run(*command)
        assert done.code == 1, (command, done.said)
        assert f"gen-env.yaml:{line}" in done.said if line else "gen-env.yaml" in done.said
        assert words in done.said
        assert "Traceback" not in done.said and "internal error" not in done.said
    assert repo.tree() == before


def test_a_mistake_in_the_defaults_is_told_with_its_line_in_the_settings(tmp_path):
    settings = SETTINGS + "defaults:\n  tiers:\n    development:\n      workers: {replicsa: 1}\n"
    repo = repository(tmp_path, settings=settings, dev=DEV)
    done = repo.run("validate")
    assert done.code == 1
    assert "gen-env.yaml:16  [definition/schema]" in done.stdout
    assert "did you mean replicas?" in done.stdout


# Names and links below environments/


@pytest.mark.parametrize("name", ["Dev", "a_b", "x" * 64, "a/b/c", "-a", "secrets"])
def test_a_folder_that_is_no_name_is_an_error(tmp_path, name):
    repo = repository(tmp_path, dev=DEV)
    repo.definition(name, DEV)
    done = repo.run("validate")
    assert done.code == 1
    assert f"environments/{name}/environment.yaml:1  [definition/name]" in done.stdout
    assert not (tmp_path / "environments" / name / "generated").exists()


def test_a_folder_whose_name_is_not_even_text_is_an_error(tmp_path):
    repo = repository(tmp_path, dev=DEV)
    repo.definition(os.fsdecode(b"\xff"), DEV)
    done = repo.run("validate")
    assert done.code == 1 and "[definition/name]" in done.stdout
    assert repo.run("validate", "-o", "json").code == 1


def test_a_name_that_no_label_can_hold_is_an_error(tmp_path):
    team, stage = "t" * 40, "s" * 40
    repo = repository(tmp_path)
    text = changed(DEV, ("name: dev", f"name: {stage}, team: {team}"))
    repo.definition(f"{team}/{stage}", text)
    done = repo.run("generate")
    assert done.code == 1 and "[definition/name]" in done.said and "63 characters" in done.said


@pytest.mark.parametrize(
    ("name", "more", "said"),
    [
        ("n" * 60, "", "its namespace would be longer"),
        ("dev", f", releaseName: {'r' * 54}", "at most 53 characters"),
    ],
)
def test_names_that_the_cluster_or_helm_would_refuse_are_an_error(tmp_path, name, more, said):
    repo = repository(tmp_path)
    text = changed(DEV, ("name: dev", f"name: {name}"), ("cluster: main", f"cluster: main{more}"))
    repo.definition(name, text)
    done = repo.run("generate")
    assert done.code == 1 and said in done.said and "environment.yaml:4" in done.said
    assert not (tmp_path / f"environments/{name}/generated").exists()


@pytest.mark.few(2)
@pytest.mark.parametrize(
    "data", ["[1]", "text", "{connection: [a]}", "{connection: {a: b}}"], ids=str
)
def test_what_is_no_sealed_secret_is_told_and_never_overwritten(tmp_path, data):
    repo = repository(tmp_path, staging=STAGING)
    repo.run("generate")
    path = "environments/staging/secrets/airflow-database.yaml"
    text = repo.read(path)
    start = text.index("encryptedData:")
    end = text.index("template:")
    repo.write(path, f"{text[:start]}encryptedData: {data}\n  {text[end:]}")
    before = repo.tree()
    for command in ("generate", "validate", "secrets"):
        done = repo.run(command, *(["staging"] if command == "secrets" else []))
        assert "Traceback" not in done.said and done.code in (0, 1)
    assert "[secrets/malformed]" in repo.run("generate").said
    assert repo.tree() == before


def test_names_that_meet_in_one_application_are_an_error(tmp_path):
    team = changed(DEV, ("name: dev", "name: dev, team: payments"))
    repo = repository(tmp_path, payments__dev=team)
    repo.definition("payments-dev", changed(DEV, ("name: dev", "name: payments-dev")))
    done = repo.run("generate")
    assert done.code == 1 and "same name as that of" in done.stderr


@pytest.mark.parametrize(
    "place", ["environments/other", "environments/dev/generated", "environments/dev/secrets"]
)
def test_links_below_environments_are_told_and_not_followed(tmp_path, place):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "environment.yaml").write_text(DEV)
    repo = repository(tmp_path / "repo", dev=DEV)
    (repo.root / place).symlink_to(outside)
    done = repo.run("generate")
    assert done.code == 1
    assert f"{place}  [tree/symlink]" in done.stderr or f"{place}" in done.stderr
    assert sorted(path.name for path in outside.iterdir()) == ["environment.yaml"]


def test_a_definition_that_is_a_link_is_not_read(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text(CANARY)
    repo = repository(tmp_path / "repo", dev=DEV)
    (repo.root / PATH).unlink()
    (repo.root / PATH).symlink_to(secret)
    done = repo.run("validate")
    assert done.code == 1 and CANARY not in done.said


def test_a_definition_that_is_a_folder_is_no_environment(tmp_path):
    repo = repository(tmp_path, dev=DEV)
    (repo.root / "environments/x/environment.yaml").mkdir(parents=True)
    assert repo.run("generate").code == 0


# Charts


@pytest.fixture
def archive(tmp_path, monkeypatch):
    monkeypatch.setenv("GEN_ENV_CHART_CACHE", str(tmp_path / "cache"))
    return stand_in_archive(tmp_path)


def test_without_a_chart_its_checks_are_not_done_and_never_passed(tmp_path):
    repo = repository(tmp_path, dev=DEV)
    repo.run("generate")
    done = repo.run("validate", "-o", "json")
    assert done.code == 0
    missing = {item["check"]: item for item in done.json["notDone"]}
    assert {item["environment"] for item in missing.values()} == {"dev", "repository"}
    reason = missing["chart values and rendered objects"]["reason"]
    assert "gen-env chart pull 1.22.0" in reason
    assert "not done" in repo.run("validate").stdout


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", ""), (b"not an archive", ""), (base64.b64decode("H4sIAAAAAAAAAw=="), "")],
    ids=["empty", "no archive", "cut off"],
)
def test_a_corrupt_archive_is_refused(tmp_path, archive, content, words):
    from tests.repositories import run

    file = tmp_path / "airflow-1.22.0.tgz"
    file.write_bytes(content)
    done = run("chart", "add", file)
    assert done.code == 1 and "Traceback" not in done.said and "internal error" not in done.said
    assert run("chart", "list").stdout.splitlines() == ["CHART  AIRFLOW  RUNS  LEVEL  DIGEST"]


def test_a_file_that_is_not_there_is_refused(archive, tmp_path):
    from tests.repositories import run

    done = run("chart", "add", tmp_path / "nowhere.tgz")
    assert done.code == 1 and "nowhere.tgz" in done.stderr


def test_a_chart_that_is_not_airflows_is_refused(archive, tmp_path):
    from generator.chart.archive import pack
    from tests.repositories import run

    other = tmp_path / "nginx-1.22.0.tgz"
    other.write_bytes(
        pack("nginx", {"Chart.yaml": b"apiVersion: v2\nname: nginx\nversion: 1.22.0\n"})
    )
    done = run("chart", "add", other)
    assert done.code == 1 and "Traceback" not in done.said


def test_an_archive_that_rots_in_the_cache_is_an_error(archive, tmp_path):
    from tests.repositories import run

    assert run("chart", "add", archive).code == 0
    repo = repository(tmp_path / "repo", dev=DEV)
    assert repo.run("generate").code == 0
    (cached,) = (tmp_path / "cache").glob("*.tgz")
    cached.write_bytes(cached.read_bytes()[:-100])
    done = repo.run("validate")
    assert done.code == 1
    assert f"{PATH}:6  [chart/archive]" in done.stdout


@pytest.mark.few(1)
@pytest.mark.parametrize("source", ["repository", "oci", "rendered", "vendored"])
def test_a_digest_that_differs_from_the_lock_is_an_error(archive, tmp_path, source):
    from tests.repositories import run

    run("chart", "add", archive)
    repo = repository(tmp_path / "repo", dev=DEV)
    if source == "vendored":
        repo.write("charts/airflow.tgz", archive.read_bytes())
    more = ", path: charts/airflow.tgz" if source == "vendored" else ""
    repo.write("gen-env.yaml", repo.read("gen-env.yaml") + f"chart: {{source: {source}{more}}}\n")
    assert repo.run("generate").code == 0
    digest = repo.yaml("environments/dev/gen-env.lock")["chart"]["digest"]
    assert digest.startswith("sha256:") and digest in run("chart", "list").stdout
    other = "sha256:" + "0" * 64
    repo.edit("environments/dev/gen-env.lock", digest, other)
    repo.edit(PATH, "dags: {image: {}}", "dags: {image: {}}\nlabels: {a: b}")
    before = repo.tree()
    for command in (("generate",), ("generate", "--check"), ("validate",)):
        done = repo.run(*command)
        assert done.code == 1, done.said
        assert f"{PATH}:6  [chart/archive]" in done.said
        assert f"has digest {digest}, the lock says {other}" in done.said
    assert repo.tree() == before, "nothing is written for another chart than the locked one"
    assert repo.run("upgrade", "dev", "--chart", "1.22.0").code == 0, "the way out that is named"
    assert repo.yaml("environments/dev/gen-env.lock")["chart"]["digest"] == digest


def test_a_changed_vendored_chart_is_another_chart(archive, tmp_path):
    from generator.chart.archive import unpack

    repo = repository(tmp_path / "repo", dev=DEV)
    repo.write("gen-env.yaml", repo.read("gen-env.yaml") + "chart: {source: vendored}\n")
    for path, content in unpack(archive.read_bytes()).items():
        repo.write(f"charts/airflow/{path}", content)
    assert repo.run("generate").code == 0
    repo.init()
    first = repo.yaml("environments/dev/gen-env.lock")["chart"]["digest"]
    template = "charts/airflow/templates/scheduler.yaml"
    repo.write(template, repo.read(template) + "\n{{/* ours */}}\n")
    done = repo.run("generate")
    assert done.code == 1 and f"the lock says {first}" in done.said
    for words in ((), ("--strict",)):
        locked = repo.run("diff", *words, "HEAD", "-o", "json")
        (environment,) = locked.json["environments"]
        assert locked.code == 1 and environment["reason"] == "the head does not render"
    assert repo.run("upgrade", "dev", "--chart", "1.22.0").code == 0
    assert repo.yaml("environments/dev/gen-env.lock")["chart"]["digest"] != first
    compared = repo.run("diff", "-o", "json")
    assert compared.code == 0, compared.said
    assert compared.json["environments"][0]["rendered"], "each side is rendered with its own chart"
    changed = {item["path"]: item["action"] for item in compared.json["files"]}
    assert changed[template] == "modified", "beside the lock, the file of the chart itself"


@pytest.mark.parametrize("back", [False, True])
def test_each_side_has_its_own_chart_where_only_one_of_them_carries_it(back, archive, tmp_path):
    """Also where the locks have no digest, and neither chart gets into the other's cache."""
    from generator.chart.archive import unpack
    from tests.repositories import run

    repo = repository(tmp_path / "repo", dev=DEV)
    assert run("chart", "add", archive).code == 0
    held = run("chart", "list").stdout
    for path, content in unpack(archive.read_bytes()).items():
        repo.write(f"charts/airflow/{path}", content)
    ours = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ours}\n"
    repo.write("charts/airflow/templates/ours.yaml", ours)
    released = repo.read("gen-env.yaml")
    sides = [released, released + "chart: {source: vendored}\n"]
    base, head = reversed(sides) if back else sides
    generated_unlocked(repo, base)
    repo.init()
    generated_unlocked(repo, head)
    compared = repo.run("diff", "HEAD", "-o", "json")
    (environment,) = compared.json["environments"]
    shown = {(item["name"], item["action"]) for item in environment["changes"]}
    assert ("ours", "removed" if back else "added") in shown, compared.said
    assert run("chart", "list").stdout == held


def generated_unlocked(repo, settings):
    """The tree of these settings, whose lock then loses its digest."""
    lock = "environments/dev/gen-env.lock"
    repo.write("gen-env.yaml", settings)
    assert repo.run("generate").code == 0
    repo.edit(lock, repo.yaml(lock)["chart"]["digest"], "null")


# Canary: nothing that could be a secret comes back

WRONG_PLACES = {
    "an unknown field": DEV + f"password: {CANARY}\n",
    "a wrong number": DEV + f"workers: {{replicas: {CANARY}}}\n",
    "a wrong boolean": DEV + f"sync: {{automated: {CANARY}}}\n",
    "a wrong mapping": DEV + f"workers: {CANARY}\n",
    "a wrong list": DEV + f"suppress: {CANARY}\n",
    "a wrong choice": DEV + f"networkPolicy: {{mode: {CANARY}}}\n",
    "a host with a password": changed(DEV, ("embedded: true", f'host: "u:{CANARY}@pg"')),
    "a secret's name": DEV + f"keys: {{fernetKeySecretName: {CANARY}=}}\n",
    "a duration": changed(DEV, ("{image: {}}", f'{{gitSync: {{repository: "https://x/y", period: {CANARY}}}}}')),
    "an owned value": DEV + f"values: {{fernetKey: {CANARY}}}\n",
    "a promised value": DEV + f"values: {{data: {{metadataConnection: {{pass: {CANARY}}}}}}}\n",
    "a day": DEV + f"suppress: [{{rule: a/b, reason: c, expires: {CANARY}}}]\n",
    "a type": changed(DEV, ("{embedded: true}", f"{{type: {CANARY}}}")),
    "a version": changed(DEV, ("3.2.2", CANARY)),
    "a kind": changed(DEV, ("Environment", CANARY)),
    "an executor": changed(DEV, ("3.2.2}", f"3.2.2, executor: {CANARY}}}")),
    "YAML that breaks": DEV + f"password: {CANARY}: x\n",
    "a quote that breaks": DEV + f'password: "{CANARY}\n',
    "a plain secret": DEV + f"values: {{scheduler: {{env: [{{name: PASSWORD, value: {CANARY}}}]}}}}\n",
}  # fmt: skip


@pytest.mark.few(3)
@pytest.mark.parametrize("name", WRONG_PLACES)
def test_a_secret_in_a_wrong_place_is_never_quoted(tmp_path, name):
    repo = repository(tmp_path, dev=WRONG_PLACES[name])
    for command in (
        ("validate",),
        ("validate", "-o", "json"),
        ("generate", "--check"),
        ("generate",),
        ("secrets", "dev"),
        ("render", "dev", "--only", "manifests"),
        ("upgrade", "dev", "--airflow", "3.2.3", "--dry-run"),
    ):
        if command[0] == "upgrade" and name == "a version":
            continue  # it says from which version to which
        done = repo.run(*command)
        assert CANARY not in done.said, (command, done.said)
        assert done.code in (0, 1)


def test_a_check_that_did_not_read_everything_finds_no_problem_in_what_it_read(tmp_path):
    repo = repository(tmp_path)
    repo.write("chart/Chart.yaml", "apiVersion: v2\nname: parent\nversion: 1.0.0\ndependencies:\n"
               "- {name: airflow, version: 1.13.x, repository: 'https://airflow.apache.org'}\n")  # fmt: skip
    repo.write("chart/values.yaml", "airflow: {executor: LocalExecutor}\n")
    done = repo.run("check", "chart/values.yaml")
    assert "1 file checked: no problems found in what was read" in done.stderr
    assert "checks not done" in done.stderr
    done = repo.run("check", "chart")
    assert done.code == 1 and "this is a folder" in done.stderr
    assert "gen-env check chart/values.yaml" in done.stderr
