"""The second reading judges every adoption: by its own reading of the files and of the tree."""

import ast
import dataclasses
from pathlib import Path

import pytest
import yaml

from generator.adoption import adopt as adopt_module
from generator.adoption import carried, second_reading
from generator.helmvalues import argocd_application, helm_release
from generator.helmvalues import found as helmvalues_found
from generator.helmvalues import read as read_module
from tests.generator.adoption.scene import Adoption, application, record
from tests.generator.render.samples import helm_binary, needs_helm

VALUES = {
    "executor": "KubernetesExecutor",
    "postgresql": {"enabled": False},
    "redis": {"enabled": False},
    "data": {"metadataSecretName": "airflow-db", "brokerUrlSecretName": "not-used"},
    "fernetKeySecretName": "fernet",
    "apiSecretKeySecretName": "api",
    "jwtSecretName": "jwt",
    "createUserJob": {"enabled": False},
}
HOST = ("--set", "database.host=pg.example.com")
REPOSITORY = "https://airflow.apache.org"
CHART = {"repoURL": REPOSITORY, "chart": "airflow", "targetRevision": "1.22.0"}


def text(data):
    return yaml.safe_dump(data, sort_keys=False)


def flux(version="1.22.0", values=VALUES, more="", address=REPOSITORY, **spec):
    chart = {"chart": "airflow", "version": version, "sourceRef": {"kind": "X", "name": "a"}}
    head = {"apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease"}
    body = {"interval": "1h", "chart": {"spec": chart}, "values": values, **spec}
    head["metadata"] = {"name": "airflow", "namespace": "airflow"}
    return text({**head, "spec": body}) + (charts(address) if address else "") + more


def config_map(values, name="values"):
    data = {"values.yaml": text(values)}
    return "---\n" + text(
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}
    )


def charts(url):
    spec = {"kind": "X", "metadata": {"name": "a"}, "spec": {"url": url}}
    return "---\n" + text({"apiVersion": "source.toolkit.fluxcd.io/v1", **spec})


def in_list(written, kind=""):
    """The same object as an item, which a list of one kind leaves without its own."""
    item = yaml.safe_load(written)
    version = item.pop("apiVersion") if kind else "v1"
    items = [{key: value for key, value in item.items() if not (kind and key == "kind")}]
    return text({"apiVersion": version, "kind": f"{kind}List", "items": items})


def app(helm=None, **spec):
    return application({"releaseName": "airflow", **(helm or {"valuesObject": VALUES})}, **spec)


def changed_app(change, **spec):
    data = yaml.safe_load(app(**spec))
    change(data)
    return text(data)


def app_with(**metadata):
    return changed_app(lambda data: data["metadata"].update(metadata))


def sources(*items):
    return app(source=None, sources=list(items))


def chart_source(**helm):
    return {**CHART, "helm": {"releaseName": "airflow", **helm}}


REF = {"repoURL": "https://git.example.com/here.git", "targetRevision": "main", "ref": "here"}
OWN = {"repoURL": "https://git.example.com/here.git", "path": "deploy"}
PARENT = {"apiVersion": "v2", "name": "platform", "version": "0.1.0"}


def umbrella(**dependency):
    row = {"name": "airflow", "version": "1.22.0", "repository": REPOSITORY, **dependency}
    return text({**PARENT, "dependencies": [row]})


def umbrella_app(*names):
    return app(source={**OWN, "helm": {"releaseName": "airflow", "valueFiles": list(names)}})


POST = [{"kustomize": {"patches": [{"patch": "- op: remove\n  path: /spec/replicas\n"}]}}]
EXTRA = {"repoURL": "https://git.example.com/x.git", "path": "extras", "targetRevision": "main"}
INDEXED = {**VALUES, "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]}

# Name → files, what is given, and the verdict; "refused" comes before any verdict.
SHAPES = {
    "plain values": ({"v.yaml": text(VALUES)}, "same"),
    "scalars that YAML versions read differently": (
        {"v.yaml": text(VALUES) + "labels: {a: 'on', b: '012'}\nenableServiceLinks: no\n"},
        "same",
    ),
    "a date and minutes without quotes": (
        {"v.yaml": text(VALUES) + "airflowPodAnnotations: {day: 2027-03-31, at: '1:30'}\n"},
        "same",
    ),
    "layers": ({"v.yaml": text(VALUES), "w.yaml": "scheduler: {replicas: 2}\n"}, "same"),
    "a null in the upper layer": (
        {"v.yaml": text({**VALUES, "nodeSelector": {"a": "b"}}), "w.yaml": "nodeSelector:\n"},
        "same",
    ),
    "helm get values": ({"v.yaml": "USER-SUPPLIED VALUES:\n" + text(VALUES)}, "same"),
    "Helm's record": ({"v.yaml": text(record(VALUES))}, "same"),
    "Application with text": ({"a.yaml": app({"values": text(VALUES)})}, "same"),
    "Application with an object": ({"a.yaml": app()}, "same"),
    "Application with parameters": (
        {
            "a.yaml": app(
                {
                    "valuesObject": VALUES,
                    "parameters": [
                        {"name": "scheduler.replicas", "value": "2"},
                        {"name": "labels.example\\.com/team", "value": "7", "forceString": True},
                    ],
                }
            )
        },
        "same",
    ),
    "a parameter that changes one entry of a list": (
        {
            "a.yaml": app(
                {
                    "valuesObject": INDEXED,
                    "parameters": [{"name": "env[1].value", "value": "two"}],
                }
            )
        },
        "refused",
    ),
    "a parameter with escapes": (
        {
            "a.yaml": app(
                {"valuesObject": VALUES, "parameters": [{"name": "labels.a", "value": "x\\,y"}]}
            )
        },
        "not proven",
    ),
    "text below an object, which Argo CD ignores": (
        {"a.yaml": app({"values": "scheduler: {replicas: 3}\n", "valuesObject": VALUES})},
        "same",
    ),
    "Application with a ref source": (
        {
            "a.yaml": sources(
                chart_source(
                    valueFiles=["$here/base.yaml", "$here/no.yaml"], ignoreMissingValueFiles=True
                ),
                REF,
            ),
            "base.yaml": text(VALUES),
        },
        "same",
    ),
    "Application with a remote file": (
        {
            "a.yaml": app({"valueFiles": ["https://example.com/v.yaml"], "values": "uid: 5\n"}),
            "v.yaml": text(VALUES),
        },
        "same",
    ),
    "a remote file over a local one": (
        {
            "a.yaml": sources(
                chart_source(valueFiles=["$here/base.yaml", "https://e.com/v.yaml"]), REF
            ),
            "v.yaml": "uid: 1000\n",
            "base.yaml": text({**VALUES, "uid": 2000}),
        },
        "differs",
    ),
    "a chart from another repository than the tree's": (
        {
            "a.yaml": app(
                source={
                    **chart_source(valuesObject=VALUES),
                    "repoURL": "https://charts.example.com",
                }
            )
        },
        "not proven",
    ),
    "a third source": ({"a.yaml": sources(chart_source(valuesObject=VALUES), EXTRA)}, "refused"),
    "umbrella chart": (
        {
            "a.yaml": umbrella_app("v.yaml"),
            "deploy/Chart.yaml": umbrella(),
            "deploy/v.yaml": text({"airflow": VALUES}),
        },
        "same",
    ),
    "umbrella chart with values of its own below those that are named": (
        {
            "a.yaml": umbrella_app("v.yaml"),
            "deploy/Chart.yaml": umbrella(),
            "deploy/values.yaml": text({"airflow": {"scheduler": {"replicas": 2}}}),
            "deploy/v.yaml": text({"airflow": VALUES, "global": {}}),
        },
        "same",
    ),
    "umbrella chart with a copy of the chart from another folder": (
        {
            "a.yaml": umbrella_app("v.yaml"),
            "deploy/Chart.yaml": umbrella(repository="file://../airflow"),
            "deploy/v.yaml": text({"airflow": VALUES}),
        },
        "refused",
    ),
    "umbrella chart that switches Airflow off": (
        {
            "a.yaml": umbrella_app("v.yaml"),
            "deploy/Chart.yaml": umbrella(condition="airflow.enabled"),
            "deploy/v.yaml": text({"airflow": {**VALUES, "enabled": False}}),
        },
        "refused",
    ),
    "umbrella chart with objects of its own": (
        {
            "a.yaml": umbrella_app("v.yaml"),
            "deploy/Chart.yaml": umbrella(),
            "deploy/v.yaml": text({"airflow": VALUES}),
            "deploy/templates/x.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n",
        },
        "refused",
    ),
    "umbrella chart with an alias, which is part of a label": (
        {
            "a.yaml": umbrella_app("v.yaml"),
            "deploy/Chart.yaml": umbrella(alias="af"),
            "deploy/v.yaml": text({"af": VALUES}),
        },
        "differs",
    ),
    "nested values without the chart that hands them down": (
        {"v.yaml": text({"airflow": VALUES})},
        "not proven",
    ),
    "values of the chart with a block `airflow:` beside them": (
        {"v.yaml": text({**VALUES, "airflow": {"extraEnv": "- {name: A, value: one}"}})},
        "refused",
    ),
    "HelmRelease": ({"h.yaml": flux()}, "same"),
    "HelmRelease with its ConfigMap": (
        {
            "h.yaml": flux(
                values={"scheduler": {"replicas": 2}},
                valuesFrom=[{"kind": "ConfigMap", "name": "values"}],
                more=config_map(VALUES),
            )
        },
        "same",
    ),
    "HelmRelease and its ConfigMap": (
        {
            "h.yaml": flux(valuesFrom=[{"kind": "ConfigMap", "name": "values"}]),
            "c.yaml": config_map({"scheduler": {"replicas": 2}}),
        },
        "same",
    ),
    "HelmRelease with post-renderers": ({"h.yaml": flux(postRenderers=POST)}, "refused"),
    "HelmRelease with a field of a later version": ({"h.yaml": flux(later={"a": 1})}, "refused"),
    "HelmRelease with a range": ({"h.yaml": flux("1.22.*")}, "same"),
    "HelmRelease without its repository": ({"h.yaml": flux(address="")}, "not proven"),
    "HelmRelease of another repository": (
        {"h.yaml": flux(address="https://charts.example.com")},
        "not proven",
    ),
    "umbrella chart whose repository has a local name only": (
        {
            "a.yaml": umbrella_app("v.yaml"),
            "deploy/Chart.yaml": umbrella(repository="@apache"),
            "deploy/v.yaml": text({"airflow": VALUES}),
        },
        "not proven",
    ),
    "umbrella chart of another repository": (
        {
            "a.yaml": umbrella_app("v.yaml"),
            "deploy/Chart.yaml": umbrella(repository="https://charts.example.com"),
            "deploy/v.yaml": text({"airflow": VALUES}),
        },
        "not proven",
    ),
    "a HelmRelease for another cluster": (
        {"h.yaml": flux(kubeConfig={"secretRef": {"name": "other"}})},
        "refused",
    ),
    "an Application in a List": ({"a.yaml": in_list(app())}, "same"),
    "a HelmRelease in a list of its kind": (
        {"h.yaml": in_list(flux(address=""), "HelmRelease") + charts(REPOSITORY)},
        "same",
    ),
}


def given(files):
    """The files that are named on the command line: those beside Chart.yaml are only there."""
    return [name for name in files if "/" not in name and name not in ("base.yaml", "cm.yaml")]


@pytest.fixture
def adopt(own_chart, tmp_path):
    def run(files, *more):
        scene = Adoption(tmp_path / "repo", own_chart, files)
        version = () if "1.22.0" in "".join(files.values()) else ("--chart", "1.22.0")
        if "1.22.*" in "".join(files.values()):
            version = ("--chart", "1.22.0")
        done = scene.repo.run(
            "adopt", *given(files), "--name", "staging", *HOST, *version, "-o", "json", *more
        )
        return scene, done

    return run


@pytest.mark.few(3)
@pytest.mark.parametrize("shape", SHAPES)
def test_each_shape_gets_the_verdict_of_the_second_reading(adopt, shape):
    files, verdict = SHAPES[shape]
    scene, done = adopt(files, "--write")
    assert (done.code == 0) is (verdict == "same"), done.said
    written = "environments/staging/environment.yaml" in scene.repo.tree()
    assert written is (verdict == "same")
    if verdict == "refused":
        assert done.stdout == "" and "error" in done.stderr
        assert "the same objects" not in done.stderr
    else:
        proof = done.json["proof"]
        assert proof["verdict"] == verdict
        assert done.json["equal"] is (verdict == "same")
        assert proof["engine"].startswith("helm-python-sdk ")
        assert bool(proof["notProven"]) is (verdict == "not proven")
        assert proof["notProven"] == done.json["basis"]["notRead"]
        assert ("the same objects" in done.stderr) is (verdict == "same")


def without(data, key):
    return {name: value for name, value in data.items() if name != key}


def losing_a_key(monkeypatch):
    judged = helmvalues_found.judged
    for module in (argocd_application, read_module, helm_release):
        monkeypatch.setattr(
            module, "judged", lambda source, problems: dataclasses.replace(
                (whole := judged(source, problems)), values=without(whole.values, "scheduler")
            )
        )  # fmt: skip


def losing_the_upper_layer(monkeypatch):
    stacked = helmvalues_found.stacked
    monkeypatch.setattr(helmvalues_found, "stacked", lambda layers: stacked(layers[:1]))


def losing_parameters(monkeypatch):
    reader = argocd_application.from_parameters
    monkeypatch.setattr(
        argocd_application,
        "from_parameters",
        lambda document, prefix: dataclasses.replace(reader(document, prefix), values={}),
    )


def not_seeing_post_renderers(monkeypatch):
    monkeypatch.setattr(adopt_module.adoption_source, "refusals", lambda source: [])


def losing_ignored_differences(monkeypatch):
    losing_a_setting(monkeypatch, lambda found: found.pop("ignoreDifferences"))


def losing_an_annotation(monkeypatch):
    losing_a_setting(monkeypatch, lambda found: found.pop("annotations"))


def losing_a_sync_option(monkeypatch):
    losing_a_setting(monkeypatch, lambda found: found["syncPolicy"]["syncOptions"].pop())


def losing_a_finalizer(monkeypatch):
    losing_a_setting(monkeypatch, lambda found: found.pop("finalizers"))


def losing_a_setting(monkeypatch, lose):
    settings = carried.settings

    def lossy(data, tier):
        lose(found := settings(data, tier))
        return found

    monkeypatch.setattr(carried, "settings", lossy)


REPLICAS = {**VALUES, "scheduler": {"replicas": 2}}
SET = {"valuesObject": VALUES, "parameters": [{"name": "scheduler.replicas", "value": "2"}]}
IGNORE = [{"group": "apps", "kind": "Deployment", "jsonPointers": ["/spec/replicas"]}]
MUTATIONS = {
    "a key of values": (losing_a_key, {"v.yaml": text(REPLICAS)}),
    "a key of an Application": (losing_a_key, {"a.yaml": app({"valuesObject": REPLICAS})}),
    "a key of Helm's record": (losing_a_key, {"v.yaml": text(record(REPLICAS))}),
    "a layer": (
        losing_the_upper_layer,
        {"v.yaml": text(VALUES), "w.yaml": "scheduler: {replicas: 2}\n"},
    ),
    "a layer of a HelmRelease": (
        losing_the_upper_layer,
        {
            "h.yaml": flux(
                values={"scheduler": {"replicas": 2}},
                valuesFrom=[{"kind": "ConfigMap", "name": "values"}],
                more=config_map(VALUES),
            )
        },
    ),
    "a parameter": (losing_parameters, {"a.yaml": app(SET)}),
    "post-renderers": (not_seeing_post_renderers, {"h.yaml": flux(postRenderers=POST)}),
    "a source": (
        not_seeing_post_renderers,
        {"a.yaml": sources(chart_source(valuesObject=VALUES), EXTRA)},
    ),
    "a setting of the Application": (
        losing_ignored_differences,
        {"a.yaml": app(ignoreDifferences=IGNORE)},
    ),
    "an annotation": (
        losing_an_annotation,
        {"a.yaml": app_with(annotations={"example.com/a": "b"})},
    ),
    "a finalizer": (losing_a_finalizer, {"a.yaml": app_with(finalizers=["example.com/keep"])}),
    "a sync option": (
        losing_a_sync_option,
        {"a.yaml": app(syncPolicy={"syncOptions": ["A=true", "Validate=false"]})},
    ),
}


@pytest.mark.few(1)
@pytest.mark.parametrize("loss", MUTATIONS)
def test_what_the_first_reading_loses_the_second_one_misses(adopt, monkeypatch, loss):
    lose, files = MUTATIONS[loss]
    lose(monkeypatch)
    scene, done = adopt(files, "--write")
    assert done.code == 1, done.said
    assert done.json["proof"]["verdict"] in ("differs", "not proven")
    assert done.json["proof"]["differences"] or done.json["proof"]["notProven"]
    assert "the same objects" not in done.stderr
    assert "environments/staging/environment.yaml" not in scene.repo.tree()


def test_the_second_reading_imports_nothing_of_the_first():
    own = {"helm_yaml", "raw_release", "second_reading", "tree_reading"}
    own |= {"application_change", "release_change", "verdict"}
    folder = Path(second_reading.__file__).parent
    for name in own:
        tree = ast.parse((folder / f"{name}.py").read_text("utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module == "generator.adoption":
                assert {alias.name for alias in node.names} <= own
            elif isinstance(node, ast.ImportFrom):
                inside = node.module.removeprefix("generator.adoption.")
                assert inside == node.module or inside in own
                assert not node.module.startswith(("generator.helmvalues", "generator.yaml"))


@pytest.mark.parametrize(
    ("shape", "what"),
    [
        ("HelmRelease without its repository", "X a"),
        ("umbrella chart whose repository has a local name only", "dependency airflow"),
    ],
)
def test_a_chart_of_an_unknown_repository_proves_nothing(adopt, shape, what):
    _, done = adopt(SHAPES[shape][0])
    assert [item["what"] for item in done.json["proof"]["notProven"]] == [f"address of {what}"]
    assert done.code == 1 and "which archive it" in done.stderr


SETTINGS_BEFORE = {
    "metadata": {
        "name": "old-airflow",
        "namespace": "argocd",
        "labels": {"team": "data", "app.kubernetes.io/instance": "root"},
        "annotations": {
            "argocd.argoproj.io/sync-wave": "5",
            "kubectl.kubernetes.io/last-applied-configuration": '{"c4n4ry": 1}',
        },
        "finalizers": ["resources-finalizer.argocd.argoproj.io", "example.com/keep"],
    },
    "syncPolicy": {
        "automated": {"prune": True, "selfHeal": False},
        "syncOptions": ["CreateNamespace=true", "RespectIgnoreDifferences=true"],
        "retry": {"limit": 2, "backoff": {"duration": "7s"}},
        "managedNamespaceMetadata": {"labels": {"team": "data"}},
    },
    "ignoreDifferences": IGNORE,
    "info": [{"name": "url", "value": "https://wiki.example.com/1"}],
    "revisionHistoryLimit": 3,
}


def with_settings(data):
    data["metadata"] = SETTINGS_BEFORE["metadata"]
    data["spec"].update(without(SETTINGS_BEFORE, "metadata"))


def test_the_settings_of_the_application_are_kept_or_named(adopt):
    scene, done = adopt({"a.yaml": changed_app(with_settings)}, "--write")
    assert done.code == 0, done.said
    after = scene.application
    for name in ("syncPolicy", "ignoreDifferences", "info", "revisionHistoryLimit"):
        assert after["spec"][name] == SETTINGS_BEFORE[name]
    assert after["metadata"]["annotations"] == {"argocd.argoproj.io/sync-wave": "5"}
    assert after["metadata"]["labels"]["team"] == "data"
    assert after["metadata"]["finalizers"] == ["example.com/keep"]
    assert "c4n4ry" not in done.said + scene.repo.read("environments/staging/environment.yaml")
    named = {item["setting"] for item in done.json["proof"]["settings"]}
    assert named == {
        "metadata.annotations.kubectl.kubernetes.io/last-applied-configuration",
        "metadata.finalizers.resources-finalizer.argocd.argoproj.io",
        "metadata.labels.app.kubernetes.io/instance",
        "metadata.labels.app.kubernetes.io/managed-by",
        "metadata.labels.gen-env.dev/environment",
        "metadata.labels.gen-env.dev/tier",
        "spec.source",
    }
    for name in named:
        assert f"the Application changes: {name}: " in done.stderr


def test_automated_sync_of_an_adopted_application_can_be_switched_off(adopt):
    scene, _ = adopt({"a.yaml": changed_app(with_settings)}, "--write")
    path = "environments/staging/environment.yaml"
    scene.repo.write(path, scene.repo.read(path) + "sync: {automated: false}\n")
    assert scene.repo.run("generate", "staging").code == 0
    policy = SETTINGS_BEFORE["syncPolicy"]
    assert scene.application["spec"]["syncPolicy"] == without(policy, "automated")


@pytest.mark.thorough
def test_hardening_keeps_the_settings_until_its_last_step(adopt):
    scene, _ = adopt({"a.yaml": changed_app(with_settings)}, "--write")
    scene.repo.run("harden", "staging", "--step", "housekeeping")
    assert scene.definition["adoption"]["application"]["info"] == SETTINGS_BEFORE["info"]
    done = scene.repo.run("harden", "staging", "--step", "rest", "-o", "json")
    assert done.code == 0 and done.json["left"] == [], done.said
    assert "enabled" in scene.definition["values"]["createUserJob"]
    assert "application" not in scene.definition["adoption"]
    assert "ignoreDifferences" not in scene.application["spec"]
    assert "RespectIgnoreDifferences=true" in done.stdout


def test_an_application_in_another_namespace_would_be_a_second_one(adopt):
    def elsewhere(data):
        data["metadata"]["namespace"] = "team-a"

    _, done = adopt({"a.yaml": changed_app(elsewhere)})
    assert done.code == 1
    assert "metadata.namespace: team-a before, argocd after" in done.stderr


@pytest.mark.few(1)
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("dependsOn", [{"name": "postgres"}]),
        ("serviceAccountName", "deployer"),
    ],
)
def test_what_only_flux_does_is_named(adopt, field, value):
    _, done = adopt({"h.yaml": flux(**{field: value})})
    assert done.code == 0, done.said
    lost = [item for item in done.json["problems"] if item["rule"] == "adopt/lost-setting"]
    assert [item["severity"] for item in lost] == ["warning"]
    assert f"spec.{field} is lost" in lost[0]["message"]


def test_the_basis_says_which_chart_and_where_its_version_is_known_from(adopt, own_chart):
    _, done = adopt({"v.yaml": text(VALUES)})
    chart = done.json["basis"]["chart"]
    assert (chart["version"], chart["source"]) == ("1.22.0", "option")
    assert chart["digest"].startswith("sha256:")
    _, done = adopt({"w.yaml": app()})
    assert done.json["basis"]["chart"]["source"] == "named"
    assert "helm-python-sdk" in done.stderr


SYNC = {"enabled": True, "repo": "https://git.example.com/d.git", "subPath": "dags"}


@pytest.mark.few(1)
@pytest.mark.parametrize(
    ("written", "ref", "leave"),
    [
        ({"branch": "main"}, "main", ["dags.gitSync.ref"]),
        ({"branch": "main", "ref": "main"}, "main", None),
        ({"branch": "main", "ref": "v1"}, "main", ["dags.gitSync.ref"]),
        ({"branch": "", "rev": "", "ref": "v1"}, "v1", ["dags.gitSync.branch"]),
        ({"branch": "", "rev": "4610234"}, "4610234", None),
    ],
)
def test_the_reference_in_the_definition_is_the_one_that_runs(adopt, written, ref, leave):
    values = {**VALUES, "dags": {"gitSync": {**SYNC, **written}}}
    scene, done = adopt({"v.yaml": text(values)}, "--write")
    assert done.code == 0, done.said
    assert str(scene.definition["dags"]["gitSync"]["ref"]) == ref
    if leave is not None:
        assert set(leave) <= set(scene.definition["adoption"]["leave"])
    sync = scene.tree_values["dags"]["gitSync"]
    assert {name: sync.get(name) for name in written} == written


ELSEWHERE = {
    "another repository": ({**REF, "repoURL": "https://git.example.com/other.git"}, "no remote"),
    "a tag that is not here": ({**REF, "targetRevision": "v9"}, "does not know v9"),
    "an older text": ({**REF, "targetRevision": "old"}, "differs from old"),
    "the same by SSH": ({**REF, "repoURL": "git@git.example.com:here.git"}, ""),
    "SSH at another port": ({**REF, "repoURL": "ssh://git@git.example.com:2222/here.git"}, ""),
    "its own port": ({**REF, "repoURL": "https://git.example.com:443/here.git"}, ""),
    "another server": ({**REF, "repoURL": "https://git.example.com:8443/here.git"}, "no remote"),
    "an invalid port": ({**REF, "repoURL": "https://git.example.com:x/here.git"}, "no remote"),
}


@pytest.mark.few(3)
@pytest.mark.parametrize("what", ELSEWHERE)
def test_a_file_is_proved_at_the_revision_that_argo_cd_takes(own_chart, tmp_path, what):
    source, reason = ELSEWHERE[what]
    release = sources(chart_source(valueFiles=["$here/base.yaml"]), source)
    scene = Adoption(tmp_path / "repo", own_chart, {"base.yaml": "uid: 1\n", "x": REF["repoURL"]})
    scene.repo.git("branch", "old")
    scene.repo.write("base.yaml", text(VALUES))
    scene.repo.write("a.yaml", release)
    scene.repo.commit("Values")
    done = scene.repo.run("adopt", "a.yaml", "--name", "staging", *HOST, "-o", "json")
    proof = done.json["proof"]
    assert (proof["verdict"] == "same") is (not reason), proof
    assert [reason in item["reason"] for item in proof["notProven"]] == [True] * bool(reason)


@pytest.mark.helm
@needs_helm
@pytest.mark.parametrize(
    "shape",
    [
        "plain values",
        "Application with parameters",
        "umbrella chart",
        "a remote file over a local one",
    ],
)
def test_the_binary_judges_as_the_library_does(adopt, monkeypatch, shape):
    monkeypatch.setenv("GEN_ENV_HELM", helm_binary())
    files, verdict = SHAPES[shape]
    _, done = adopt(files)
    assert done.stdout, done.stderr
    proof = done.json["proof"]
    assert proof["verdict"] == verdict, proof
    assert proof["engine"].startswith("helm "), proof["engine"]
