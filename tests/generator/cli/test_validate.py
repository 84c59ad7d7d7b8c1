# ruff: noqa: E501 (tables of one line each)
import datetime
import json

import pytest

from tests.repositories import DEV, PRODUCTION, SETTINGS, STAGING, changed, repository, run
from tests.standin_chart import stand_in_archive


@pytest.fixture(autouse=True)
def _no_definitions(monkeypatch):
    """What a folder of CRDs adds is for tests of its own."""
    monkeypatch.delenv("GEN_ENV_CRDS", raising=False)


TOMORROW = (datetime.datetime.now(datetime.UTC).date() + datetime.timedelta(days=1)).isoformat()
SHAPE = ("environments", "problems", "notDone", "suppressed", "basis", "releases")
FIELDS = {"rule", "severity", "environment", "path", "line", "message", "hint"}


@pytest.fixture
def repo(tmp_path):
    repo = repository(tmp_path, dev=DEV, production=PRODUCTION)
    repo.run("generate")
    return repo


def rules(done, environment=None):
    problems = done.json["problems"]
    return [p["rule"] for p in problems if environment in (None, p["environment"])]


def test_json_has_the_documented_shape(repo):
    done = repo.run("validate", "-o", "json")
    assert set(done.json) == {*SHAPE}
    assert done.json["environments"] == ["dev", "production"]
    assert all(set(problem) == FIELDS for problem in done.json["problems"])
    assert {p["severity"] for p in done.json["problems"]} <= {"error", "warning", "info"}
    assert all(set(item) == {"environment", "check", "reason"} for item in done.json["notDone"])
    bases = {item["environment"]: item["basis"] for item in done.json["releases"]}
    assert list(bases) == done.json["environments"]
    assert bases["dev"]["chart"] == {"version": "1.22.0", "source": "lock", "digest": ""}
    assert bases["dev"]["policy"] == "gen-env.yaml of the work tree"
    unread = [item["what"] for item in bases["dev"]["notRead"]]
    known = ("dev", "repository")
    undone = [item["check"] for item in done.json["notDone"] if item["environment"] in known]
    assert sorted(unread) == sorted(undone)
    assert "chart values and rendered objects" in unread


def test_problems_come_in_one_order_without_repetition(repo):
    first = repo.run("validate", "-o", "json").json["problems"]
    weight = ["error", "warning", "info"]
    keys = [
        (p["environment"], weight.index(p["severity"]), p["path"], p["line"] or 0) for p in first
    ]
    assert keys == sorted(keys)
    assert len({str(p) for p in first}) == len(first)
    assert repo.run("validate", "-o", "json").json["problems"] == first


def test_only_errors_exit_with_1(repo):
    assert repo.run("validate", "dev").code == 0
    assert repo.run("validate", "production").code == 1
    assert repo.run("validate", "dev", "-o", "json").code == 0
    assert repo.run("validate", "production", "-o", "yaml").code == 1


def test_findings_are_on_stdout_and_the_summary_on_stderr(repo):
    done = repo.run("validate", "dev")
    assert "[secrets/stub]" in done.stdout
    basis, summary = done.stderr.splitlines()
    assert basis.startswith("chart 1.22.0, Airflow 3.2.2, Kubernetes 1.34.2; policy: gen-env.yaml")
    assert summary.startswith("1 environment checked: 7 notes, 2 checks not done")


def test_it_writes_nothing(repo):
    before = repo.tree()
    repo.run("validate")
    assert repo.tree() == before


def test_unsealed_stubs_matter_more_the_higher_the_tier(repo):
    repo.definition("staging", STAGING)
    repo.run("generate")
    problems = repo.run("validate", "-o", "json").json["problems"]
    found = {p["environment"]: p["severity"] for p in problems if p["rule"] == "secrets/stub"}
    assert found == {"dev": "info", "staging": "warning", "production": "error"}


VALUES = "environments/dev/generated/values.yaml"


def tree_findings(done):
    return [
        (item["rule"], item["path"], item["message"])
        for item in done.json["problems"]
        if item["rule"].startswith("tree/") and item["environment"] in ("dev", "")
    ]


def test_hand_edits_are_found_with_their_line_and_both_texts(repo):
    repo.init()
    repo.edit(VALUES, 'executor: "LocalExecutor"', 'executor: "CeleryExecutor"')
    done = repo.run("validate", "dev")
    assert done.code == 1
    line = repo.line(VALUES, 'executor: "CeleryExecutor"')
    assert f"{VALUES}:{line}  [tree/out-of-date]" in done.stdout
    assert '- executor: "CeleryExecutor"' in done.stdout
    assert '+ executor: "LocalExecutor"' in done.stdout


def test_a_secret_that_was_written_by_hand_is_not_quoted(repo):
    edit = '"LocalExecutor"\nenv:\n- name: DB_PASSWORD\n  value: hunter2'
    repo.edit(VALUES, 'executor: "LocalExecutor"', f"executor: {edit}")
    repo.edit(VALUES, edit, edit.replace("- name: DB_PASSWORD\n  value", "- value"))
    for output in ("table", "json"):
        assert "hunter2" not in repo.run("validate", "dev", "-o", output).said


def test_an_edit_of_the_definition_that_is_not_generated_yet_is_one_finding(repo):
    repo.init()
    repo.edit(
        "environments/dev/environment.yaml", "embedded: true", "host: pg, cidrs: [10.0.0.0/8]"
    )
    [(rule, path, message)] = tree_findings(repo.run("validate", "dev", "-o", "json"))
    assert (rule, path) == ("tree/out-of-date", "environments/dev/environment.yaml")
    assert message.startswith("edited and not generated yet: environments/dev/generated/")
    assert "→ run: gen-env generate dev" in repo.run("validate", "dev").stdout
    checked = repo.run("generate", "dev", "--check")
    assert checked.stdout.count("[tree/") == 1 and checked.code == 1
    repo.commit("Edit")
    assert len(tree_findings(repo.run("validate", "dev", "-o", "json"))) == 1
    repo.run("generate")
    repo.commit("Generate")
    repo.edit(VALUES, 'executor: "LocalExecutor"', 'executor: "CeleryExecutor"')
    repo.commit("Edit by hand")
    [(rule, path, _)] = tree_findings(repo.run("validate", "dev", "-o", "json"))
    assert (rule, path) == ("tree/out-of-date", VALUES)


def test_a_definition_that_was_never_generated_is_one_finding(tmp_path):
    repo = repository(tmp_path, dev=DEV)
    found = tree_findings(repo.run("validate", "dev", "-o", "json"))
    own = ("tree/missing", "environments/dev/environment.yaml", "not generated yet")
    assert [item for item in found if item[1].startswith("environments/")] == [own]


@pytest.mark.few(2)
@pytest.mark.parametrize(
    ("template", "named"),
    [
        ({"data": {"connection": "postgresql://airflow:hunter2@pg/airflow"}}, "data.connection"),
        ({"stringData": {"password": "hunter2 is mine"}}, "stringData.password"),
        ({"data": {"fernet-key": "{{ .old }}hunter2"}}, "data.fernet-key"),
        ({"data": {"password": "{{ .password }}", "note": "who rotates it: ops"}}, ""),
        ({"type": "Opaque", "metadata": {"labels": {"team": "a"}}}, ""),
    ],
)
def test_a_needed_secret_holds_no_plain_text_in_its_template(repo, template, named):
    path = next((repo.root / "environments/dev/secrets").glob("*.yaml"))
    name = path.relative_to(repo.root).as_posix()
    manifest = repo.yaml(name)
    manifest["spec"]["template"] = manifest["spec"].get("template", {}) | template
    repo.write(name, json.dumps(manifest))
    done = repo.run("validate", "dev", "-o", "json")
    found = [item for item in done.json["problems"] if item["rule"] == "secrets/plain"]
    assert [item["path"] for item in found] == [name] * bool(named)
    assert all(item["message"].startswith(f"spec.template.{named} ") for item in found)
    assert "hunter2" not in done.said


def crd(kind, plural, required):
    spec = {"type": "object", "required": [required]}
    schema = {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec}}}
    version = {"name": "v1alpha1", "served": True, "storage": True, "schema": schema}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.argoproj.io"},
        "spec": {
            "group": "argoproj.io",
            "names": {"kind": kind, "plural": plural},
            "scope": "Namespaced",
            "versions": [version],
        },
    }


def test_what_all_environments_share_is_checked_like_the_rest(tmp_path):
    repo = repository(tmp_path, settings=SETTINGS + "argocd: {project: {manage: true}}\n", dev=DEV)
    repo.run("generate")
    done = repo.run("validate", "dev", "-o", "json")
    shared = [
        item["reason"] for item in done.json["notDone"] if item["environment"] == "repository"
    ]
    assert any("AppProject" in reason for reason in shared), done.json["notDone"]
    for kind, plural in (("Application", "applications"), ("AppProject", "appprojects")):
        repo.write(f"crds/{plural}.yaml", json.dumps(crd(kind, plural, "isNotThere")))
    repo.write("gen-env.yaml", repo.read("gen-env.yaml") + "crds: crds\n")
    repo.run("generate")
    done = repo.run("validate", "dev", "-o", "json")
    refused = {item["path"] for item in done.json["problems"] if "isNotThere" in item["message"]}
    assert "bootstrap/root.yaml" in refused
    assert any(path.startswith("bootstrap/projects/") for path in refused)


POLICY = "policy: {tiers: {production: {maySuppress: ['secrets/*']}}}\n"


def test_the_policy_of_the_base_branch_counts_where_git_knows_one(repo):
    repo.init()
    sha = repo.git("rev-parse", "HEAD")
    repo.git("update-ref", "refs/remotes/origin/main", sha)
    repo.write("gen-env.yaml", repo.read("gen-env.yaml") + POLICY)
    done = repo.run("validate", "dev", "-o", "json")
    assert done.json["basis"]["policy"] == f"gen-env.yaml of origin/main at {sha[:12]}"
    assert "settings/after-merge" in rules(done)
    checked = repo.run("generate", "dev", "--check")
    assert f"policy: gen-env.yaml of origin/main at {sha[:12]}" in checked.stderr
    repo.git("update-ref", "-d", "refs/remotes/origin/main")
    done = repo.run("validate", "dev", "-o", "json")
    assert done.json["basis"]["policy"] == "gen-env.yaml of the work tree"
    assert "settings/after-merge" not in rules(done)


def test_a_change_does_not_choose_the_branch_whose_policy_counts(repo):
    repo.init()
    sha = repo.git("rev-parse", "HEAD")
    repo.git("update-ref", "refs/remotes/origin/main", sha)
    repo.git("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main")
    repo.git("switch", "--quiet", "-c", "own")
    repo.edit("gen-env.yaml", "branch: main", "branch: own")
    repo.write("gen-env.yaml", repo.read("gen-env.yaml") + POLICY)
    repo.commit("Own policy")
    repo.git("update-ref", "refs/remotes/origin/own", "HEAD")
    done = repo.run("validate", "dev", "-o", "json")
    assert done.json["basis"]["policy"] == f"gen-env.yaml of origin/main at {sha[:12]}"
    assert "settings/after-merge" in rules(done)
    # The default branch itself may name another one.
    repo.git("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/own")
    repo.git("switch", "--quiet", "main")
    done = repo.run("validate", "dev", "-o", "json")
    assert "origin/own" in done.json["basis"]["policy"]


@pytest.mark.parametrize(
    ("first", "second", "rule"),
    [
        ("destination: {cluster: main}", "destination: {cluster: main, namespace: airflow-dev}", "namespace"),
        ("database: {embedded: true}", "database: {host: PG.example.com, cidrs: [10.0.0.0/8]}", "database"),
        ("labels: {}", "ingress: {host: Airflow.example.com}", "host"),
    ],
)  # fmt: skip
def test_what_two_environments_must_not_share(tmp_path, first, second, rule):
    one = changed(DEV + "labels: {}\n", (first, second))
    if rule == "namespace":
        one = changed(DEV, (first, second))
    two = changed(one, ("name: dev", "name: test"), ("PG", "pg") if "PG" in one else ("v1", "v1"),
                  ("Airflow.", "airflow.") if "Airflow." in one else ("v1", "v1"))  # fmt: skip
    repo = repository(tmp_path, dev=one, test=two)
    done = repo.run("validate", "-o", "json")
    assert rules(done, "test").count(f"estate/duplicate-{rule}") == 1
    assert f"estate/duplicate-{rule}" not in rules(done, "dev"), "told at the later of the two"
    assert f"estate/duplicate-{rule}" in rules(repo.run("validate", "test", "-o", "json"))
    alone = rules(repo.run("validate", "dev", "-o", "json"))
    assert f"estate/duplicate-{rule}" in alone, "the one that is asked about is never passed"


# Suppressions


SUPPRESSIBLE = "suppress: [{{rule: {rule}, reason: known, expires: {day}}}]\n"


def with_suppression(tmp_path, rule, day=TOMORROW, settings=SETTINGS):
    text = changed(
        STAGING, ('auth: {oidc: {issuer: "https://id.example.com", clientId: airflow}}\n', "")
    )
    repo = repository(
        tmp_path, settings=settings, staging=text + SUPPRESSIBLE.format(rule=rule, day=day)
    )
    repo.run("generate")
    return repo


def test_an_accepted_finding_is_named_with_its_reason(tmp_path):
    repo = with_suppression(tmp_path, "auth/none")
    done = repo.run("validate", "-o", "json")
    assert "auth/none" not in rules(done)
    (item,) = done.json["suppressed"]
    assert set(item) == FIELDS | {"reason", "expires"}
    assert (item["rule"], item["reason"], item["expires"]) == ("auth/none", "known", TOMORROW)
    assert f"until {TOMORROW}: known" in repo.run("validate").stdout


@pytest.mark.parametrize(
    ("rule", "day", "settings", "expected"),
    [
        ("auth/none", "2020-01-01", SETTINGS, {"suppress/expired", "auth/none"}),
        ("auth/nothing", TOMORROW, SETTINGS, {"suppress/unknown-rule", "auth/none"}),
        ("auth/default-user", TOMORROW, SETTINGS, {"suppress/unused", "auth/none"}),
        ("auth/none", TOMORROW, SETTINGS + "policy: {tiers: {staging: {maySuppress: [metrics/*]}}}\n",
         {"suppress/not-allowed", "auth/none"}),
    ],
)  # fmt: skip
def test_a_suppression_that_does_not_hold(tmp_path, rule, day, settings, expected):
    done = with_suppression(tmp_path, rule, day, settings).run("validate", "-o", "json")
    assert expected <= set(rules(done))
    assert done.json["suppressed"] == []


def test_a_pattern_accepts_several_and_policy_may_allow_it(tmp_path):
    settings = SETTINGS + "policy: {tiers: {staging: {maySuppress: [auth/*]}}}\n"
    done = with_suppression(tmp_path, "auth/*", settings=settings).run("validate", "-o", "json")
    assert [item["rule"] for item in done.json["suppressed"]] == ["auth/none"]


def test_what_keeps_the_tree_from_being_written_cannot_be_accepted(tmp_path):
    enforced = 'networkPolicy: {mode: enforce}\nlogging: {remote: {type: s3, url: "s3://a/b"}}\n'
    window = 'sync: {windows: [{kind: deny, schedule: "0 1 * * *", duration: 1h}]}\n'
    for number, (part, rule) in enumerate(
        ((window, "sync/unmanaged-windows"), (enforced, "network/*"))
    ):
        text = DEV + part + SUPPRESSIBLE.format(rule=rule, day=TOMORROW)
        repo = repository(tmp_path / str(number), dev=text)
        assert repo.run("generate").code == 1
        assert repo.run("validate").code == 1


def test_an_out_of_date_tree_cannot_be_accepted(tmp_path):
    repo = repository(tmp_path, dev=DEV + SUPPRESSIBLE.format(rule='"*"', day=TOMORROW))
    assert repo.run("validate").code == 1


# With a chart


@pytest.fixture
def chart(own_chart):
    return own_chart


def test_with_a_chart_values_and_objects_are_checked(chart, tmp_path):
    text = changed(DEV, ("3.2.2}", "3.2.2}\nvalues: {scheduler: {livenesProbe: {}}}"))
    repo = repository(tmp_path, dev=text)
    repo.run("generate")
    done = repo.run("validate", "-o", "json")
    path = "environments/dev/environment.yaml"
    unknown = [p for p in done.json["problems"] if "livenesProbe" in p["message"] + p["hint"]]
    assert {(p["path"], p["line"]) for p in unknown} == {(path, repo.line(path, "livenesProbe"))}
    assert any("livenessProbe" in p["hint"] for p in unknown)
    assert "chart values and rendered objects" not in [m["check"] for m in done.json["notDone"]]


def test_a_chart_source_that_renders_puts_finished_objects_into_git(chart, tmp_path):
    repo = repository(tmp_path, settings=SETTINGS + "chart: {source: rendered}\n", dev=DEV)
    assert repo.run("generate").code == 0
    folder = "environments/dev/generated/manifests/chart/"
    objects = [path for path in repo.tree() if path.startswith(folder)]
    assert len(objects) > 10
    for path in objects:
        manifest = repo.yaml(path)
        name = f"{manifest['kind'].lower()}-{manifest['metadata']['name']}.yaml"
        assert path == folder + name.replace(":", "-")
    application = repo.yaml("environments/dev/generated/application.yaml")
    sources = application["spec"]["sources"]
    assert folder.rstrip("/") in [source["path"] for source in sources]
    assert not any("chart" in source or source["directory"].get("recurse") for source in sources)
    assert repo.run("generate").stdout == ""
    assert repo.run("generate", "--check").code == 0
    assert repo.run("validate").code == 0


def test_rendering_shows_what_the_cluster_gets(chart, tmp_path):
    import yaml

    repo = repository(tmp_path, dev=DEV)
    done = repo.run("render", "dev")
    assert done.code == 0, done.stderr
    everything = list(yaml.safe_load_all(done.stdout))
    only = {
        part: list(yaml.safe_load_all(repo.run("render", "dev", "--only", part).stdout))
        for part in ("chart", "manifests")
    }
    assert len(everything) == len(only["chart"]) + len(only["manifests"])
    assert {"Namespace", "SealedSecret"} <= {item["kind"] for item in only["manifests"]}
    assert "Deployment" in {item["kind"] for item in only["chart"]}
    assert repo.run("render", "dev", "-o", "json").json == everything


def test_without_a_chart_rendering_says_how_to_get_it(tmp_path):
    repo = repository(tmp_path, dev=DEV)
    done = repo.run("render", "dev")
    assert (done.code, done.stdout) == (1, "")
    assert "gen-env chart pull 1.22.0" in done.stderr
    assert repo.run("render", "dev", "--only", "manifests").code == 0


def test_without_a_chart_a_rendered_tree_is_refused_and_the_old_one_stays(tmp_path):
    repo = repository(tmp_path, settings=SETTINGS + "chart: {source: rendered}\n", dev=DEV)
    done = repo.run("generate")
    assert done.code == 1 and "[chart/archive]" in done.stderr
    assert not (tmp_path / "environments/dev/generated").exists()


def test_the_digest_is_recorded_once_a_chart_is_at_hand(chart, tmp_path):
    repo = repository(tmp_path, dev=DEV)
    repo.run("generate")
    listed = run("chart", "list", "-o", "json").json
    assert repo.yaml("environments/dev/gen-env.lock")["chart"]["digest"] == listed[0]["digest"]
    assert set(listed[0]) == {"version", "airflow", "runs", "level", "digest"}


def test_adding_a_chart_again_changes_nothing(chart, tmp_path):
    before = run("chart", "list").stdout
    assert run("chart", "add", stand_in_archive(tmp_path)).code == 0
    assert run("chart", "list").stdout == before


def test_a_digest_in_the_definition_pins_the_archive(chart, tmp_path):
    pinned = changed(DEV, ("version: 1.22.0", "version: 1.22.0, digest: sha256:" + "0" * 64))
    repo = repository(tmp_path, dev=pinned)
    assert repo.run("generate").code == 1
    assert "chart/archive" in rules(repo.run("validate", "-o", "json"))
    digest = run("chart", "list", "-o", "json").json[0]["digest"]
    repo.edit("environments/dev/environment.yaml", "sha256:" + "0" * 64, digest)
    repo.run("generate")
    assert repo.yaml("environments/dev/gen-env.lock")["chart"]["digest"] == digest
