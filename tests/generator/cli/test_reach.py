"""Every command of the check is red for a hostile file, wherever Argo CD could reach it."""

import itertools
import json
import os

import pytest
import yaml

from tests import hostile
from tests.repositories import DEV, SETTINGS, changed, repository, run
from tests.standin_chart import stand_in_archive

pytestmark = pytest.mark.thorough

CHECKS = (
    ("generate", "--check"),
    ("validate",),
    ("diff", "main", "HEAD"),
    ("diff", "--strict", "main", "HEAD"),
    ("diff", "main"),
)
PLACES = (*hostile.CLOSED, *hostile.CONTROL, *hostile.BY_ROOT)
OPEN = "policy: {tiers: {development: {manifests: [ConfigMap, Job.batch]}}}\n"
CONFIG = "environments/dev/manifests/team.yaml"
OWN = yaml.safe_dump(hostile.KINDS["config map"])
SAFE = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
CONTAINER = {
    "name": "x",
    "image": "registry.example.org/team/x:1",
    "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    "resources": {"requests": {"cpu": "1", "memory": "1Gi"}},
}
SPEC = {"restartPolicy": "Never", "securityContext": SAFE, "containers": [CONTAINER]}
JOB = {**hostile.job(), "spec": {"template": {"spec": SPEC}}}


@pytest.fixture(scope="module", autouse=True)
def caches(tmp_path_factory):
    folder = tmp_path_factory.mktemp("caches")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GEN_ENV_CHART_CACHE", str(folder / "charts"))
        patch.setenv("GEN_ENV_RENDER_CACHE", str(folder / "renders"))
        assert run("chart", "add", stand_in_archive(folder)).code == 0
    return folder


@pytest.fixture
def repo(caches, tmp_path, monkeypatch):
    monkeypatch.setenv("GEN_ENV_CHART_CACHE", str(caches / "charts"))
    monkeypatch.setenv("GEN_ENV_RENDER_CACHE", str(caches / "renders"))
    repo = repository(tmp_path / "repo", settings=SETTINGS + OPEN, dev=DEV)
    assert repo.run("generate").code == 0
    repo.init()
    repo.git("checkout", "--quiet", "-b", "change")
    return repo


def red(repo):
    repo.commit("hostile")
    return {" ".join(words): repo.run(*words).code for words in CHECKS}


@pytest.mark.always
def test_an_honest_change_is_green(repo):
    repo.edit("environments/dev/environment.yaml", "auth:", "scheduler: {replicas: 2}\nauth:")
    assert repo.run("generate").code == 0
    assert set(red(repo).values()) == {0}


@pytest.mark.always
@pytest.mark.few(1)
@pytest.mark.parametrize(("number", "place"), list(enumerate(PLACES)))
def test_a_hostile_file_is_red_in_every_command(repo, number, place):
    kind = sorted(hostile.TEXTS)[number % len(hostile.TEXTS)]
    is_folder = place in hostile.CLOSED
    names = [*hostile.NAMES, os.fsdecode(b"\xff.yaml"), "x\u202ey.yaml", "x\ny.yaml"]
    path = f"{place}/{names[number % len(names)]}" if is_folder else place
    repo.write(path, hostile.TEXTS[kind])
    codes = red(repo)
    if "generated" in kind:  # in the work tree: `generate` would remove it
        del codes["diff main"]
    assert set(codes.values()) == {1}, (path, kind)


@pytest.mark.few(1)
@pytest.mark.parametrize("name", [b"\xff.yaml", "x\u202ey.yaml".encode(), b"x\ny.yaml"])
@pytest.mark.parametrize("folder", ["environments/dev/secrets", "bootstrap/projects"])
def test_a_name_that_cannot_be_shown_is_red_in_every_command(repo, folder, name):
    repo.write(f"{folder}/{os.fsdecode(name)}", hostile.TEXTS["job"])
    assert set(red(repo).values()) == {1}


@pytest.mark.few(1)
@pytest.mark.parametrize("place", ["secrets/x.yaml", "generated/manifests/x.yaml", "manifests"])
@pytest.mark.parametrize("how", ["link", "submodule", "submodule, not fetched"])
def test_a_link_is_red_in_every_command(repo, place, how):
    path = f"environments/dev/{place}"
    if how == "link":
        (repo.root / path).parent.mkdir(parents=True, exist_ok=True)
        (repo.root / path).symlink_to("../../../gen-env.yaml")
    else:
        head = repo.git("rev-parse", "HEAD")
        (repo.root / path / ("" if "not" in how else ".git")).mkdir(parents=True)
        repo.git("update-index", "--add", "--cacheinfo", f"160000,{head},{path}")
        repo.git("commit", "--quiet", "-m", "submodule")
        assert {repo.run(*words).code for words in CHECKS} == {1}
        return
    assert set(red(repo).values()) == {1}


def test_a_sealed_secret_that_only_looks_like_a_leftover_is_red_until_it_is_merged(repo):
    repo.git("update-ref", "refs/remotes/origin/main", "main")
    stub = repo.read("environments/dev/secrets/airflow-database.yaml")
    repo.write("environments/dev/secrets/other.yaml", stub.replace("airflow-database", "other"))
    assert set(red(repo).values()) == {1}
    assert "nothing needs the Secret" in repo.run("validate").said
    for ref in ("refs/remotes/origin/main", "refs/heads/main"):
        repo.git("update-ref", ref, "HEAD")
    done = repo.run("generate", "--check")
    assert done.code == 0 and "[secrets/unused]" in done.said


@pytest.mark.parametrize("path", ["bootstrap/projects/x.yaml", "bootstrap/access/dev.yaml"])
def test_a_link_below_bootstrap_is_red(repo, path):
    (repo.root / path).unlink(missing_ok=True)
    (repo.root / path).parent.mkdir(parents=True, exist_ok=True)
    (repo.root / path).symlink_to("../root.yaml")
    repo.commit("hostile")
    # In a work tree that is still written, a missing file is only worth a word.
    assert {repo.run(*words).code for words in CHECKS[:4]} == {1}


def tampered(repo):
    for path in sorted(repo.tree()):
        if path.startswith(("environments/dev/generated/", "bootstrap/")):
            yield path


def test_a_generated_file_that_is_tampered_with_is_red(repo):
    for path in list(tampered(repo)):
        repo.write(path, repo.read(path) + "---\n" + yaml.safe_dump(hostile.job()))
        repo.commit(path)
        codes = {words: repo.run(*words).code for words in CHECKS[:4]}
        assert set(codes.values()) == {1}, (path, codes)
        repo.git("reset", "--quiet", "--hard", "main")


# The door


def declare(repo, text=OWN, *, definition="manifests: [team.yaml]\n"):
    path = "environments/dev/environment.yaml"
    repo.write(path, repo.read(path) + definition)
    if text is not None:
        repo.write(CONFIG, text)
    return repo.run("generate")


def problems(repo):
    return repo.run("validate", "-o", "json").json["problems"]


@pytest.mark.few(1)
@pytest.mark.parametrize("manifest", [hostile.KINDS["config map"], JOB], ids=["config map", "job"])
def test_a_declared_object_is_deployed_and_shown_like_a_generated_one(repo, manifest):
    done = declare(repo, yaml.safe_dump(manifest))
    assert done.code == 0, done.said
    application = repo.yaml("environments/dev/generated/application.yaml")
    paths = [source.get("path") for source in application["spec"]["sources"]]
    assert "environments/dev/manifests" in paths
    assert CONFIG in list(hostile.reads(application, sorted(repo.tree())))
    assert set(red(repo).values()) == {0}
    (found,) = repo.run("diff", "main", "HEAD", "-o", "json").json["environments"]
    added = [item["kind"] for item in found["changes"] if item["action"] == "added"]
    assert added == [manifest["kind"]]
    rendered = repo.run("render", "dev").stdout
    assert manifest["kind"] in [item["kind"] for item in yaml.safe_load_all(rendered)]


def test_a_declared_job_is_an_impact_of_its_own(repo):
    declare(repo, yaml.safe_dump(JOB))
    repo.commit("job")
    (found,) = repo.run("diff", "main", "HEAD", "-o", "json").json["environments"]
    rules = {item["rule"]: item["severity"] for item in found["impact"]}
    assert rules["impact/workload-added"] == rules["impact/image-registry"] == "warning"


ELSEWHERE = {**hostile.KINDS["config map"], "metadata": {"name": "x", "namespace": "other"}}


@pytest.mark.parametrize(
    "text",
    [
        yaml.safe_dump(ELSEWHERE),
        yaml.safe_dump({**hostile.KINDS["config map"], "items": [hostile.job()]}),
        OWN + "---x\n",
        OWN + "# +argocd:skip-file-rendering\n",
        "# nothing\n",
        OWN + "a: [\n",
        OWN + "kind: ConfigMap\n",
    ],
    ids=["elsewhere", "items", "separator", "skipped", "empty", "broken", "a key twice"],
)
def test_a_declared_file_that_can_be_read_in_two_ways_is_refused(repo, text):
    done = declare(repo, text)
    assert done.code == 1 and "[manifests/refused]" in done.stderr


REFUSED = [
    kind for kind in sorted(hostile.KINDS) if kind not in ("config map", "steering")
]  # fmt: skip


@pytest.mark.few(5)
@pytest.mark.parametrize("kind", REFUSED)
def test_a_declared_object_that_reaches_further_is_red(repo, kind):
    declare(repo, hostile.TEXTS[kind].decode())
    codes = red(repo)
    assert codes["validate"] == codes["diff --strict main HEAD"] == 1, codes


@pytest.mark.always
@pytest.mark.parametrize(
    ("policy", "kind", "allowed"),
    [
        ("", "ConfigMap", False),
        ("policy: {tiers: {development: {}}}\n", "ConfigMap", False),
        ("policy: {tiers: {production: {manifests: [ConfigMap]}}}\n", "ConfigMap", False),
        ("policy: {tiers: {development: {manifests: [ConfigMap]}}}\n", "ConfigMap", True),
        ("policy: {tiers: {development: {manifests: [Job.batch]}}}\n", "ConfigMap", False),
        ("policy: {tiers: {development: {manifests: [Job.batch]}}}\n", "Job", True),
        ("policy: {tiers: {development: {manifests: [Job.evil.org]}}}\n", "Job", False),
    ],
)
def test_policy_says_which_kinds_may_come(tmp_path, policy, kind, allowed):
    repo = repository(tmp_path / "repo", settings=SETTINGS + policy, dev=DEV)
    text = yaml.safe_dump(JOB if kind == "Job" else hostile.KINDS["config map"])
    done = declare(repo, text)
    assert (done.code == 0) == allowed, done.said
    assert ("[policy/manifests]" in done.stderr) != allowed


@pytest.mark.parametrize(
    ("teams", "allowed"),
    [("", True), ("manifests: [ConfigMap]", True), ("manifests: [Job.batch]", False),
     ("manifests: []", False)],
)  # fmt: skip
def test_a_team_may_bring_what_its_tier_may_as_well(tmp_path, teams, allowed):
    tiers = "tiers: {development: {manifests: [ConfigMap]}}"
    policy = f"policy: {{{tiers}, teams: {{data: {{{teams}}}}}}}\n"
    text = changed(DEV, ("name: dev,", "name: dev, team: data,"))
    repo = repository(tmp_path / "repo", settings=SETTINGS + policy, data__dev=text)
    repo.definition("data/dev", text + "manifests: [team.yaml]\n")
    own = OWN.replace("airflow-dev", "data-airflow-dev")
    repo.write("environments/data/dev/manifests/team.yaml", own)
    done = repo.run("generate")
    assert (done.code == 0) == allowed, done.said


def test_a_teams_images_are_bounded_in_its_own_objects(tmp_path):
    policy = (
        "policy: {teams: {data: {manifests: [Job.batch], images: ['registry.example.com/*']}}}\n"
    )
    image = "image: {repository: registry.example.com/a, tag: x}\n"
    text = changed(DEV, ("name: dev,", "name: dev, team: data,")) + image
    repo = repository(tmp_path / "repo", settings=SETTINGS + policy, data__dev=text)
    repo.definition("data/dev", text + "manifests: [team.yaml]\n")
    job = {**JOB, "metadata": {"name": "x"}}
    repo.write("environments/data/dev/manifests/team.yaml", yaml.safe_dump(job))
    done = repo.run("generate")
    assert done.code == 1 and "[policy/manifest-image]" in done.stderr
    assert "may not use image registry.example.org/team/x" in done.stderr


def test_a_policy_of_the_same_change_opens_nothing(tmp_path, caches, monkeypatch):
    monkeypatch.setenv("GEN_ENV_CHART_CACHE", str(caches / "charts"))
    repo = repository(tmp_path / "repo", dev=DEV)
    repo.run("generate")
    repo.init()
    repo.git("checkout", "--quiet", "-b", "change")
    repo.write("gen-env.yaml", SETTINGS + OPEN)
    assert declare(repo).code == 0
    repo.commit("both at once")
    done = repo.run("diff", "main", "HEAD", "-o", "json")
    (found,) = done.json["environments"]
    assert done.code == 1 and "policy/manifests" in {item["rule"] for item in found["problems"]}
    assert "settings/after-merge" in {item["rule"] for item in done.json["problems"]}


@pytest.mark.parametrize("kind", ["Secret", "ClusterRole.rbac.authorization.k8s.io", "job", "Job",
                                  "Application.argoproj.io", "*", "Namespace"])  # fmt: skip
def test_policy_cannot_open_what_reaches_beyond_the_environment(tmp_path, kind):
    policy = f"policy: {{tiers: {{development: {{manifests: ['{kind}']}}}}}}\n"
    repo = repository(tmp_path / "repo", settings=SETTINGS + policy, dev=DEV)
    done = repo.run("generate")
    assert done.code == 1 and "[settings/schema]" in done.stderr


@pytest.mark.always
def test_a_declared_file_that_is_missing_is_told_at_its_name(repo):
    declare(repo, None)
    (found,) = [item for item in problems(repo) if item["rule"] == "manifests/missing"]
    assert found["line"] == repo.line("environments/dev/environment.yaml", "manifests:")


@pytest.mark.parametrize("name", ["../x.yaml", "a/b.yaml", "x.yml", ".x.yaml", "x.json"])
def test_a_declared_name_stays_in_its_folder_and_is_read_by_argo_cd(repo, name):
    done = declare(repo, None, definition=f"manifests: [{name}]\n")
    assert done.code == 1 and "[definition/schema]" in done.stderr


def test_a_declared_privileged_job_meets_the_rules_of_every_pod(repo):
    declare(repo, yaml.safe_dump(hostile.job()))
    rules = {item["rule"] for item in problems(repo)}
    assert {"pod-security/baseline", "pod-security/restricted"} <= rules
    repo.commit("job")
    (found,) = repo.run("diff", "main", "HEAD", "-o", "json").json["environments"]
    assert "impact/node-access" in {item["rule"] for item in found["impact"]}


def test_a_declared_object_may_not_stand_in_for_a_generated_one(repo):
    stolen = {**hostile.KINDS["config map"], "metadata": {"name": "airflow-config"}}
    declare(repo, yaml.safe_dump(stolen))
    assert "rendered/duplicate" in {item["rule"] for item in problems(repo)}


def test_a_managed_project_allows_what_policy_allows(tmp_path):
    settings = SETTINGS + OPEN + "argocd: {project: {manage: true}}\n"
    policy = settings.replace("Job.batch", "Widget.example.org")
    repo = repository(tmp_path / "repo", settings=policy, dev=DEV)
    assert declare(repo).code == 0
    kinds = repo.yaml("bootstrap/projects/default.yaml")["spec"]["namespaceResourceWhitelist"]
    assert {"group": "example.org", "kind": "Widget"} in kinds
    assert len(kinds) == len({json.dumps(item) for item in kinds})


def test_an_environment_cannot_eject_itself(repo):
    repo.write("gen-env.yaml", SETTINGS + OPEN + "argocd: {root: {ejected: [evil]}}\n")
    repo.write("environments/evil/generated/application.yaml", hostile.TEXTS["application"])
    codes = red(repo)
    assert codes["diff main HEAD"] == codes["diff --strict main HEAD"] == 1


@pytest.mark.thorough
def test_a_removed_definition_is_red_while_its_files_stay(repo):
    (repo.root / "environments/dev/environment.yaml").unlink()
    assert set(red(repo).values()) == {1}
    for path in [path for path in repo.tree() if path.startswith("environments/dev/")]:
        (repo.root / path).unlink()
    repo.run("generate")
    assert set(itertools.islice(red(repo).values(), 3)) == {0}
