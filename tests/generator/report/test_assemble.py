import dataclasses
import time

import pytest

from generator.core.basis import NotRead
from generator.core.problem import Problem, Severity
from generator.diff.model import Action, Change, Side
from generator.kube.resource import Key
from generator.render import normalise
from generator.render.nondeterminism import RandomField
from generator.report.assemble import environment_diff
from generator.report.model import Report
from tests.generator.report.samples import config

FAILURE = Problem("render/failed", Severity.ERROR, "line 3: password: c4n4ry", hint="fix it")
ONE, TWO = Side("b", (config("a", "1"),)), Side("h", (config("a", "2"),))
BROKEN = Side("h", failure=FAILURE)


@pytest.mark.parametrize(
    ("base", "head", "rendered", "reason"),
    [
        (ONE, TWO, True, ""),
        (None, TWO, True, "added by this change"),
        (ONE, None, True, "removed by this change"),
        (ONE, BROKEN, False, "the head does not render"),
        (BROKEN, ONE, False, "the base does not render"),
        (BROKEN, BROKEN, False, "neither side renders"),
        (None, BROKEN, False, "the head does not render"),
        (None, None, False, "it is on neither side"),
    ],
)
def test_what_became_of_an_environment(base, head, rendered, reason):
    environment = environment_diff("e", base, head)
    assert (environment.rendered, environment.reason) == (rendered, reason)
    assert bool(environment.problems) == (BROKEN in (base, head))


def test_error_texts_are_masked():
    (problem,) = environment_diff("e", ONE, BROKEN).problems
    assert "c4n4ry" not in problem.message


def test_changes_are_ordered_by_risk():
    claim = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "c"}}
    base = Side("b", (config("a", "1"), config("b", "1"), claim))
    head = Side("h", (config("a", "2"), config("d", "9" * 9)))
    changes = environment_diff("e", base, head).changes
    assert [(change.action, change.key.name) for change in changes] == [
        (Action.REMOVED, "c"),
        (Action.REMOVED, "b"),
        (Action.MODIFIED, "a"),
        (Action.ADDED, "d"),
    ]
    assert changes[0].risk > 400


@pytest.mark.parametrize(
    ("environments", "words"),
    [
        ([], "this change affects no environment"),
        ([environment_diff("e", ONE, ONE)], "both sides render to the same objects"),
        ([environment_diff("e", ONE, BROKEN)], "Not compared: e: the head does not render"),
        ([environment_diff("e", ONE, TWO)], ""),
    ],
)
def test_the_headline_says_why_no_change_is_shown(environments, words):
    headline = Report("b", "h", tuple(environments)).headline
    assert words in headline and bool(words) == bool(headline)


def test_no_changes_is_never_said_over_what_was_not_read():
    unread = NotRead("spec.postRenderers", "release.yaml:9", "Flux changes the objects with them")
    part = dataclasses.replace(ONE, basis=ONE.basis.without([unread]))
    for base, head in ((part, ONE), (ONE, part)):
        report = Report("b", "h", (environment_diff("e", base, head),))
        assert report.headline.startswith(
            "Compared in part: no difference in what was read. Not read: spec.postRend"
        )
        assert report.basis.not_read == (unread,)


@pytest.mark.parametrize("drifted", [False, True])
def test_no_changes_leaves_out_what_each_render_generates_again(drifted):
    (warning,) = normalise.problems(
        [RandomField(Key("", "Secret", "airflow", "x"), "data.a", ())], environment="e", path=""
    )
    side = dataclasses.replace(ONE, problems=(warning,))
    drift = [Change(Action.ADDED, Key("", "Secret", "airflow", "y"), "v1", "")] if drifted else []
    same = environment_diff("e", side, side, drift=drift)
    headline = Report("b", "h", (same,)).headline
    assert headline.startswith("No changes: both sides render to the same objects")
    assert ("; the cluster differs in 1 object;" in headline) is drifted
    assert headline.endswith("; what each render generates again was not compared")


def test_no_changes_is_never_said_over_an_error():
    foreign = Problem(
        "tree/foreign", Severity.ERROR, "nobody stands for it", path="bootstrap/x.yaml"
    )
    same = environment_diff("e", ONE, ONE)
    for report in (
        Report("b", "h", (same,), (foreign,)),
        Report("b", "h", (dataclasses.replace(same, problems=(foreign,)),)),
        Report("b", "h", (), (foreign,)),
    ):
        assert report.headline == (
            "No changes in the rendered objects, but errors: bootstrap/x.yaml: nobody stands for it"
        )


def many(kind, version, spec, count=2_500):
    return [
        {"apiVersion": version, "kind": kind, "metadata": {"name": f"{kind}-{n}"}, "spec": spec(n)}
        for n in range(count)
    ]


def crowd(side):
    """10,000 objects that all differ between the sides and point at each other."""

    def pods(n):
        container = {
            "name": "main",
            "image": f"i:{side}",
            "envFrom": [{"secretRef": {"name": "x"}}],
        }
        return {"metadata": {"labels": {"app": f"{n}"}}, "spec": {"containers": [container]}}

    def peers(n):
        return [{"from": [{"podSelector": {"matchLabels": {"app": f"{n + side}"}}}]}]

    def budget(n):
        # One in a hundred selects all pods there are.
        labels = {"matchLabels": {"app": f"{n}"}} if n % 100 else {}
        return {"minAvailable": side, "selector": labels}

    return [
        *many("Deployment", "apps/v1", lambda n: {"replicas": side, "template": pods(n)}),
        *many("Service", "v1", lambda n: {"selector": {"app": f"{n + side}"}}),
        *many(
            "NetworkPolicy",
            "networking.k8s.io/v1",
            lambda n: {"podSelector": {"matchLabels": {"app": f"{n}"}}, "ingress": peers(n)},
        ),
        *many("PodDisruptionBudget", "policy/v1", budget),
    ]


@pytest.mark.thorough
def test_ten_thousand_changed_objects_are_judged_in_bounded_time():
    started = time.process_time()
    base, head = (Side(str(side), tuple(crowd(side)), namespace="n") for side in (1, 2))
    found = environment_diff("staging", base, head)
    assert len(found.changes) == 10_000 and len(found.impact) > 2_500
    assert time.process_time() - started < 60
