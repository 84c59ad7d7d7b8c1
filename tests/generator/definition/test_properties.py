"""What holds for every definition: no crash, the same tree again, and nothing left to do.

Examples are the same in every run but for the nightly one, which draws new ones, and many more.
"""

import json
import random

import pytest
import yaml
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from generator.actions import validate
from generator.core import layered
from generator.core.files import Snapshot
from generator.core.layered import Layer
from generator.core.problem import has_errors
from generator.definition.definition import SETTINGS
from generator.lint.values import schema as values_schema
from generator.pipeline import generate
from generator.tree import plan
from generator.yaml.manifests import canonical
from generator.yaml.writer import dump
from tests import definitions, model_strategy
from tests.effort import chosen, examples

FILE = "environments/one/environment.yaml"


def profile(count):
    # To shrink a definition takes minutes: for a person who looks for something.
    phases = list(Phase) if chosen() == "nightly" else [Phase.explicit, Phase.generate]
    return settings(examples(count), database=None, phases=phases)


@pytest.fixture(scope="module")
def charts(tmp_path_factory):
    return definitions.stand_in_charts(tmp_path_factory.mktemp("charts"))


def written(text, source="repository", **more):
    """A repository with one definition."""
    gen_env = dump(definitions.settings(source, **more))
    return Snapshot({SETTINGS: gen_env.encode(), FILE: text.encode()})


@profile(150)
@given(model_strategy.definitions())
def test_any_valid_definition_gives_the_same_tree_again_and_then_nothing_to_do(charts, wanted):
    files = written(dump(wanted))
    first = generate.generate(files, (), charts)
    again = generate.generate(files, (), charts)
    assert first.outcomes == again.outcomes
    if not has_errors(first.problems):
        ahead = definitions.carried_out(files, first)
        settled = generate.generate(ahead, (), charts)
        assert [outcome.plan.paths for outcome in settled.outcomes] == [(), ()]
        assert not [item for outcome in settled.outcomes for item in _drift(ahead, outcome)]


def _drift(files, outcome):
    return plan.drift(files, outcome.plan, outcome.name)


@profile(100)
@given(model_strategy.definitions())
def test_any_valid_definition_gives_values_that_the_chart_takes_and_yaml_does_not_change(
    charts, wanted
):
    built = definitions.built(written(dump(wanted)))
    if built.release is None:
        assert has_errors(built.problems)
        return
    archive = generate.archive_for(built, charts)
    values = validate.inputs(built, built.release, archive)
    assert not list(values_schema.schema_problems(values, archive.schema()))
    text = dump(built.release.values, quote_all=True)
    assert yaml.safe_load(text) == canonical(built.release.values)


@profile(60)
@given(model_strategy.definitions(), st.randoms(use_true_random=False), st.booleans())
def test_the_form_of_a_definition_does_not_change_the_tree(charts, wanted, chance, flow):
    plain = generate.generate(written(dump(wanted)), (), charts)
    shuffled = _shuffled(wanted, chance)
    text = json.dumps(shuffled, ensure_ascii=False) if flow else _commented(dump(shuffled), chance)
    other = generate.generate(written(text), (), charts)
    assert _trees(plain) == _trees(other)
    assert {item.rule for item in plain.problems} == {item.rule for item in other.problems}


@pytest.mark.thorough
def test_the_order_of_keys_does_not_change_the_tree_of_any_case(charts):
    chance = random.Random(7)
    for case in definitions.pairwise():
        if case["source"] != "rendered":
            wanted = definitions.definition(case | {"name": "plain"})
            plain = generate.generate(written(dump(wanted)), (), charts)
            text = dump(_shuffled(wanted, chance))
            assert _trees(plain) == _trees(generate.generate(written(text), (), charts))


def _trees(generation):
    return {
        path: text for outcome in generation.outcomes for path, text in outcome.plan.writes.items()
    }


def _shuffled(value, chance):
    """The same mappings with their keys in another order; lists keep theirs."""
    if isinstance(value, dict):
        keys = list(value)
        chance.shuffle(keys)
        return {key: _shuffled(value[key], chance) for key in keys}
    if isinstance(value, list | tuple):
        return [_shuffled(item, chance) for item in value]
    return value


def _commented(text, chance):
    """Comments and empty lines between the lines of a block, where they mean nothing."""
    lines = ["# a comment at the top"]
    literal = None
    for line in text.splitlines():
        indent = len(line) - len(line.lstrip(" "))
        if literal is not None and line.strip() and indent <= literal:
            literal = None
        if literal is None and chance.random() < 0.3:
            lines += ["", " " * indent + "# another one"]
        lines.append(line)
        if literal is None and line.rstrip().endswith(("|", "|-", "|+", ">", ">-")):
            literal = indent
    return "\n".join(lines) + "\n"


@profile(25)
@given(st.data())
def test_a_repository_of_several_environments_settles_too(charts, data):
    texts = {}
    for name in ("one", "two", "payments/three"):
        wanted = data.draw(model_strategy.definitions())
        team, _, last = name.rpartition("/")
        wanted["metadata"] |= {"name": last} | ({"team": team} if team else {})
        wanted["destination"]["namespace"] = f"airflow-{last}"
        texts[f"environments/{name}/environment.yaml"] = dump(wanted).encode()
    gen_env = dump(definitions.settings()).encode()
    files = Snapshot({SETTINGS: gen_env, **texts})
    ahead = definitions.carried_out(files, generate.generate(files, (), charts))
    settled = generate.generate(ahead, (), charts)
    assert not any(outcome.plan for outcome in settled.outcomes)


def _shape(**optional):
    return st.fixed_dictionaries({}, optional=optional)


_LEAF = st.one_of(st.integers(0, 3), st.lists(st.integers(0, 2), max_size=2))
# As in definitions: what is a mapping in one layer is one in all.
_INNER = _shape(a=_LEAF, b=_shape(a=_LEAF, c=_LEAF))
_PLAIN = _shape(a=_LEAF, b=_INNER, c=_shape(d=_INNER, e=_LEAF))
# Parts of definitions in which a choice drops another, or a type drops everything beside it.
_CHOICES = _shape(
    auth=st.sampled_from(({"oidc": {"a": 1}}, {"ldap": {"b": 2}}, {"oidc": {"c": 3}})),
    workers=st.sampled_from(
        (
            {"replicas": 2},
            {"autoscaling": {"type": "keda", "maxReplicas": 3}},
            {"autoscaling": {"type": "hpa", "maxReplicas": 4}},
            {"autoscaling": {"maxReplicas": 5}},
            {"disruptionBudget": {"minAvailable": "1"}},
            {"disruptionBudget": {"maxUnavailable": "1"}},
        )
    ),
    database=st.sampled_from(
        ({"type": "mysql", "host": "x"}, {"type": "postgresql", "embedded": True}, {"port": 1})
    ),
)


def _layers(parts):
    return [Layer(str(number), part) for number, part in enumerate(parts)]


def _merged(*parts):
    return layered.merge(_layers(parts)).data


@profile(300)
@given(_PLAIN, _PLAIN, _PLAIN)
def test_layers_of_plain_data_may_be_merged_in_any_grouping(one, two, three):
    assert _merged(one, _merged(two, three)) == _merged(_merged(one, two), three)


@profile(300)
@given(st.lists(_CHOICES, min_size=1, max_size=4))
def test_layers_may_be_merged_step_by_step(parts):
    """Who chooses last decides, so with choices only the grouping from below is the same."""
    step = {}
    for part in parts:
        step = _merged(step, part)
    assert step == _merged(*parts)


@profile(300)
@given(st.lists(st.one_of(_PLAIN, _CHOICES), min_size=1, max_size=4))
def test_the_last_layer_wins_whole_and_is_not_changed_by_merging(parts):
    before = [dump(part) for part in parts]
    merged = layered.merge(_layers(parts))
    assert [dump(part) for part in parts] == before
    for path, value in layered.leaves(parts[-1]):
        if path and value != {}:
            assert _at(merged.data, path) == value
            assert merged.origin(path).source == str(len(parts) - 1)


@profile(300)
@given(st.lists(st.one_of(_PLAIN, _CHOICES), min_size=1, max_size=4))
def test_every_merged_value_stands_in_the_layer_that_is_named_as_its_source(parts):
    merged = layered.merge(_layers(parts))
    for path, value in layered.leaves(merged.data):
        if path and value != {}:
            source = parts[int(merged.origin(path).source)]
            assert _at(source, path) == value


def _at(data, path):
    for key in path:
        data = data[key]
    return data
