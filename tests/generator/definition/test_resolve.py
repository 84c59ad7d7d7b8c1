"""From what is written to an environment with every default, or every problem with its line."""

import pytest

from generator.definition import definition
from generator.definition.resolve import effective, resolve
from tests.repositories import DEV, SETTINGS, changed


def resolved(text, settings=SETTINGS, name="dev"):
    loaded, problems = definition.load_settings(settings.encode())
    assert not problems
    return resolve(definition.load(name, text.encode()), loaded)


LAYERED = (
    SETTINGS
    + """\
defaults:
  tiers: {development: {labels: {a: tier, b: tier}, workers: {replicas: 3}}}
  clusters: {main: {labels: {b: cluster, c: cluster}}}
  teams: {payments: {labels: {c: team, d: team}}}
"""
)


def test_layers_are_laid_in_their_order_once():
    text = changed(DEV, ("name: dev", "name: dev, team: payments")) + "labels: {d: mine}\n"
    found, problems = resolved(text, LAYERED, "payments/dev")
    assert not problems
    assert found.environment.labels == {"a": "tier", "b": "cluster", "c": "team", "d": "mine"}
    assert found.environment.workers.replicas == 3
    assert found.cluster.server == "https://10.0.0.1:6443"


def test_a_layer_that_chooses_otherwise_drops_the_lower_choice():
    text = DEV + "workers: {autoscaling: {type: keda, maxReplicas: 5}}\n"
    found, _ = resolved(text, LAYERED)
    assert found.environment.workers.replicas is None
    assert found.environment.workers.autoscaling.max_replicas == 5


def test_a_value_stands_where_it_was_written():
    text = DEV + "labels: {d: mine}\n"
    found, _ = resolved(text, LAYERED)
    settings = LAYERED.splitlines()
    assert found.place("labels", "d") == ("environments/dev/environment.yaml", 10)
    tiers = next(i for i, line in enumerate(settings, 1) if "tiers:" in line)
    assert found.place("labels", "a") == ("gen-env.yaml", tiers)
    assert found.place("quota", "hard")[0] == "environments/dev/environment.yaml"


def test_every_fault_is_told_at_once_with_its_line():
    text = changed(DEV, ("3.2.2}", "latest}"), ("chart: {version", "chart: {vers"))
    found, problems = resolved(text + "workers: {replicas: -1}\nnonsense: 1\n")
    assert found is None
    assert {(item.rule, item.line) for item in problems} == {
        ("definition/schema", line) for line in (5, 6, 10, 11)
    }
    assert any("did you mean version?" in item.hint for item in problems)


def test_a_fault_in_the_defaults_stands_in_the_settings():
    settings = SETTINGS + "defaults:\n  tiers:\n    development: {scheduler: {replicas: none}}\n"
    found, problems = resolved(DEV, settings)
    assert found is None
    assert [item.path for item in problems] == ["gen-env.yaml"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (changed(DEV, ("name: dev", "name: other")), "metadata.name is 'other'"),
        (changed(DEV, ("name: dev", "name: dev, team: x")), "metadata.team is 'x'"),
    ],
)
def test_the_folder_is_the_identity(text, message):
    found, problems = resolved(text)
    assert found is None and problems[0].rule == "definition/identity"
    assert message in problems[0].message and problems[0].line == 3


def test_an_unknown_cluster_names_the_known_ones():
    found, (problem,) = resolved(changed(DEV, ("cluster: main", "cluster: mian")))
    assert found is None
    assert (problem.rule, problem.line) == ("definition/cluster", 4)
    assert problem.hint == "known clusters: main"


@pytest.mark.parametrize("text", ["", "# nothing\n", "- a\n", "text\n"])
def test_what_is_no_definition_says_so(text):
    found, (problem,) = resolved(text)
    assert found is None and "not a definition" in problem.message


def test_values_are_read_as_helm_reads_them_and_ambiguous_ones_told():
    good, _ = resolved(DEV + "values: {a: 10, b: '10', c: true, d: null, e: text}\n")
    assert good.environment.values == {"a": 10, "b": "10", "c": True, "d": None, "e": "text"}
    bad, problems = resolved(DEV + "values:\n  a:\n    b: yes\n")
    assert bad is None
    assert [(item.rule, item.line) for item in problems] == [("values/ambiguous-scalar", 12)]


def test_effective_values_speak_the_words_of_the_definition():
    found, _ = resolved(DEV)
    shown = effective(found.environment)
    assert shown["apiServer"]["startupProbeFailures"] == 30
    assert shown["destination"]["releaseName"] == "airflow"


def test_a_fault_of_the_settings_has_its_line():
    loaded, (problem,) = definition.load_settings(SETTINGS.encode() + b"nonsense: 1\n")
    assert loaded is None
    assert (problem.rule, problem.path) == ("settings/schema", "gen-env.yaml")
    assert problem.line == SETTINGS.count("\n") + 1
