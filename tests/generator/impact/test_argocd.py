import copy

import pytest

from generator.diff.model import Facts, Side
from generator.impact.registry import find
from generator.impact.rules import argocd
from generator.kube.resource import Key
from tests.generator.impact.builders import NAMESPACE, manifest, workload

APPLICATION = Key("argoproj.io", "Application", "argocd", "airflow-dev")
PROJECT = Key("argoproj.io", "AppProject", "argocd", "airflow")
GIT = "https://git.example.com/r.git"


OWN, ANY = {"server": "https://one", "namespace": NAMESPACE}, {"server": "*", "namespace": "*"}


def application(**spec):
    spec = {
        "project": "airflow",
        "destination": {"server": "https://one", "namespace": NAMESPACE},
        "source": {"repoURL": GIT, "targetRevision": "main"},
        **spec,
    }
    metadata = {"namespace": "argocd"}
    return manifest(
        "argoproj.io/v1alpha1", "Application", APPLICATION.name, metadata=metadata, spec=spec
    )


def project(**spec):
    spec = {
        "sourceRepos": [GIT],
        "destinations": [OWN],
        "namespaceResourceWhitelist": [{"group": "apps", "kind": "Deployment"}],
        **spec,
    }
    metadata = {"namespace": "argocd"}
    return manifest("argoproj.io/v1alpha1", "AppProject", "airflow", metadata=metadata, spec=spec)


def side(*manifests):
    keys = [PROJECT] if any(item["kind"] == "AppProject" for item in manifests) else []
    facts = Facts(application=APPLICATION, governing=frozenset(keys))
    return Side("r", (*manifests, workload("x")), facts, namespace=NAMESPACE)


def found(base, head, rule):
    return [item for item in find(side(*base), side(*head)) if item.rule == f"impact/{rule}"]


def test_another_cluster_leaves_everything_on_the_old_one():
    moved = application(destination={"server": "https://two", "namespace": NAMESPACE})
    (item,) = found([application()], [moved], "cluster")
    assert item.severity == "error" and "from https://one to https://two" in item.message
    assert found([moved], [moved], "cluster") == []


KINDS = [{"kind": "Deployment"}, {"kind": "StatefulSet"}]
AUTOMATED = {"automated": {"prune": True}}


@pytest.mark.parametrize(
    ("base", "head", "severity", "words"),
    [
        ({}, {"syncPolicy": {"automated": {}}}, "warning", "automated sync is on"),
        ({"syncPolicy": {"automated": {}}}, {}, "info", "until a sync is started by hand"),
        (
            {"syncPolicy": {"automated": {}}},
            {"syncPolicy": {"automated": {"enabled": False}}},
            "info",
            "automated sync is off",
        ),
        ({"syncPolicy": {"automated": {}}}, {"syncPolicy": AUTOMATED}, "warning", "leaves git"),
        ({"syncPolicy": AUTOMATED}, {"syncPolicy": {"automated": {}}}, "info", "no longer deletes"),
        ({}, {"syncPolicy": {"syncOptions": ["Replace=true"]}}, "warning", "Replace is true"),
        ({}, {"ignoreDifferences": [{"kind": "Deployment"}]}, "warning", "(1 new)"),
        ({"ignoreDifferences": [{"kind": "Deployment"}]}, {}, "info", "(1 removed)"),
        (
            {"syncPolicy": {"syncOptions": ["ServerSideApply=true"]}},
            {},
            "warning",
            "before: the API server merges",
        ),
        ({}, {"source": {"repoURL": GIT, "targetRevision": "x"}}, "warning", "x of its"),
    ],
)
def test_another_way_to_sync_is_told(base, head, severity, words):
    (item,) = found([application(**base)], [application(**head)], "sync-policy")
    assert item.severity == severity and words in item.message


@pytest.mark.parametrize(
    ("base", "head"),
    [
        ({}, {"syncPolicy": {"syncOptions": ["ServerSideApply=false", "Prune=true"]}}),
        ({"ignoreDifferences": KINDS}, {"ignoreDifferences": KINDS[::-1]}),
    ],
)
def test_the_same_way_to_sync_in_other_words_is_no_change(base, head):
    assert found([application(**base)], [application(**head)], "sync-policy") == []


def test_what_the_deletion_of_the_application_takes_with_it_is_told():
    kept, cascading = application(), application()
    cascading["metadata"]["finalizers"] = ["resources-finalizer.argocd.argoproj.io"]
    (item,) = found([kept], [cascading], "sync-policy")
    assert item.severity == "warning" and "deletes everything" in item.message
    (item,) = found([cascading], [kept], "sync-policy")
    assert item.severity == "info" and "leaves what it manages" in item.message


def window(kind="deny", duration="60h", **rest):
    return {"kind": kind, "schedule": "0 18 * * 5", "duration": duration, **rest}


ALLOW = {"kind": "allow", "schedule": "0 8 * * 1", "duration": "9h"}


@pytest.mark.parametrize(
    ("base", "head", "severity", "words"),
    [
        ([window()], [window(duration="1h")], "warning", "60h → 1h, syncs are possible"),
        ([window(duration="1h")], [window(duration="2h30m")], "info", "not possible in more"),
        ([window()], [], "warning", "is removed: syncs are possible then"),
        ([], [window()], "info", "is added: syncs are not possible then"),
        ([window("allow")], [window("allow", "61h")], "warning", "60h → 61h"),
        ([], [window("allow")], "warning", "only in them"),
        ([window()], [window(manualSync=True)], "warning", "by hand are possible"),
        ([window()], [window(timeZone="Europe/Berlin")], "warning", "is removed"),
        ([window(), window(duration="1h")], [window()], "warning", "1h, is removed"),
        ([window(), window(duration="1h")], [window(duration="1h")], "warning", "60h, is removed"),
        ([window("allow")], [], "warning", "possible at all times"),
        ([window("allow"), ALLOW], [ALLOW], "warning", "is removed: syncs are not possible then"),
        (
            [window()],
            [window(duration="61h", manualSync=True)],
            "warning",
            "by hand are possible",
        ),
    ],
)
def test_sync_windows_that_change_are_told(base, head, severity, words):
    items = found([application(), project(syncWindows=base)],
                  [application(), project(syncWindows=head)], "sync-window")  # fmt: skip
    assert any(item.severity == severity and words in item.message for item in items)


def test_the_same_window_in_other_words_is_no_change():
    same = window(duration="60m", timeZone="UTC", manualSync=False)
    items = found([application(), project(syncWindows=[window(duration="1h"), ALLOW])],
                  [application(), project(syncWindows=[ALLOW, same])],
                  "sync-window")  # fmt: skip
    assert items == []


@pytest.mark.parametrize(
    ("base", "head", "severity", "words"),
    [
        ({}, {"sourceRepos": [GIT, "*"]}, "warning", "sourceRepos adds *"),
        ({}, {"destinations": [OWN, ANY]}, "warning", "destinations adds * at *"),
        ({}, {"clusterResourceWhitelist": [{"group": "*", "kind": "*"}]}, "warning", "* of *"),
        ({}, {"roles": [{"name": "r"}]}, "warning", "roles adds"),
        ({"signatureKeys": [{"keyID": "K"}]}, {}, "warning", "signatureKeys drops"),
        ({"sourceRepos": [GIT, "*"]}, {}, "info", "sourceRepos drops *"),
    ],
)  # fmt: skip
def test_a_project_that_permits_more_or_less_is_told(base, head, severity, words):
    (item,) = found([application(), project(**base)], [application(), project(**head)], "project")
    assert item.severity == severity and words in item.message


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"sourceRepos": ["https://other"]}, f"does not permit the source {GIT}"),
        ({"sourceRepos": ["*", f"!{GIT}"]}, f"does not permit the source {GIT}"),
        ({"sourceRepos": ["https://*"]}, f"does not permit the source {GIT}"),
        ({"destinations": []}, "do not include this environment's"),
        ({"destinations": [{**OWN, "namespace": "other"}]}, "do not include this environment's"),
        (
            {"destinations": [ANY, {**ANY, "namespace": f"!{NAMESPACE}"}]},
            "do not include this environment's",
        ),
        ({"namespaceResourceWhitelist": []}, "does not permit the kinds Deployment"),
        (
            {"namespaceResourceBlacklist": [{"group": "*", "kind": "Deployment"}]},
            "does not permit the kinds Deployment",
        ),
    ],
)
def test_what_the_project_refuses_is_an_error(spec, words):
    items = found([application(), project()], [application(), project(**spec)], "project")
    assert [item for item in items if item.severity == "error" and words in item.message]


@pytest.mark.parametrize(
    "spec",
    [
        {"sourceRepos": [GIT.upper().removesuffix(".GIT")]},
        {"sourceRepos": ["https://*/**", "!https://other"]},
        {"sourceRepos": ["!https://other"]},
        {"sourceRepos": ["{https://a,https://b}/*"]},
        {"destinations": [{**ANY, "server": "!https://other"}]},
    ],
)
def test_what_argo_cd_permits_in_another_form_is_no_error(spec):
    items = found([application(), project()], [application(), project(**spec)], "project")
    assert not [item for item in items if item.severity == "error"]


def test_another_project_is_told():
    (item,) = found([application()], [application(project="other")], "project")
    assert "AppProject airflow → other" in item.message


def test_the_root_application_is_told_once_for_all():
    before = application(syncPolicy={"automated": {"prune": False}})
    after = copy.deepcopy(before)
    assert list(argocd.root(before, after)) == []
    after["spec"]["syncPolicy"]["automated"]["prune"] = True
    after["spec"]["source"] = {"repoURL": "https://else"}
    (item,) = argocd.root(before, after)
    assert item.rule == "impact/root"
    assert "prune is on" in item.message and "spec.source changes" in item.message
    (item,) = argocd.root(before, None)
    assert "is removed" in item.message


def test_roles_that_argo_cd_does_not_apply_are_told():
    role = manifest("rbac.authorization.k8s.io/v1", "Role", "gen-env-verify", rules=[])
    wider = {**role, "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]}
    key = Key("rbac.authorization.k8s.io", "Role", NAMESPACE, "gen-env-verify")
    facts = Facts(governing=frozenset([key]))
    sides = [Side("r", (item, workload("x")), facts, namespace=NAMESPACE) for item in (role, wider)]
    (item,) = [item for item in find(*sides) if item.rule == "impact/access-roles"]
    assert item.severity == "info" and "Argo CD does not" in item.message
    assert [item.rule for item in find(sides[0], sides[0])] == []
