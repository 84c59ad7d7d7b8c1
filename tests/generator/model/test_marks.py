"""Every field of a definition says what the rest of gen-env does with it."""

import typing

import pydantic
import pytest

from generator.adoption import text
from generator.definition import default_layers
from generator.model import base
from generator.model.environment import Environment
from generator.model.marks import BuiltIn, Copied, CopiedByKey, WrittenAfter, marked, sections
from generator.model.network import PeerName

LEFT_OUT = set(Copied) - {Copied.KEEP}
# The validators by which these types can be told from other text.
NAMING = [kind.__metadata__[-1] for kind in (base.Host, base.Cidr, base.Name, base.Label)]


def names_something(info):
    """Whether a value is the name of something outside the definition, or a list of such."""

    def parts(annotation):
        yield from getattr(annotation, "__metadata__", ())
        for part in typing.get_args(annotation):
            yield from parts(part)

    found = [*info.metadata, *parts(info.annotation)]
    return any(item is validator for item in found for validator in NAMING)


def undecided(model, path=()):
    """Fields that name something outside and leave it to their section what a copy does."""
    for name, info in model.model_fields.items():
        place = (*path, info.alias or name)
        decisions = [item for item in info.metadata if isinstance(item, Copied | CopiedByKey)]
        if any(item in LEFT_OUT for item in decisions):
            continue
        below = list(sections(info.annotation))
        if not decisions and not below and names_something(info):
            yield ".".join(place)
        for section in below:
            yield from undecided(section, place)


def test_every_section_says_what_a_copy_of_the_definition_does_with_it():
    decided = {path[0] for path, _ in marked(Environment, Copied) if len(path) == 1}
    fields = {info.alias or name for name, info in Environment.model_fields.items()}
    assert fields - decided == set(), "add Copied.… to the field's annotation"


def test_what_names_something_outside_says_so_itself():
    assert list(undecided(Environment)) == [], "add Copied.… to the field's annotation"


def test_a_field_without_a_decision_is_found():
    class Section(pydantic.BaseModel):
        server: base.Host | None = None
        size: base.Int = 1
        networks: tuple[base.Cidr, ...] = ()

    class Definition(pydantic.BaseModel):
        section: typing.Annotated[Section, Copied.KEEP] = Section()

    assert list(undecided(Definition)) == ["section.server", "section.networks"]


def test_no_field_has_two_decisions_on_one_path():
    found = {}
    for path, decision in marked(Environment, Copied):
        assert found.setdefault(path, decision) is decision, path


def test_every_peer_of_the_network_policy_is_decided():
    ((path, by_key),) = marked(Environment, CopiedByKey)
    assert path == ("networkPolicy", "peers")
    assert set(by_key.keys) == set(typing.get_args(PeerName))


def test_sections_are_written_in_the_models_order_with_adoption_near_the_top():
    order = list(text.order())
    fields = [info.alias or name for name, info in Environment.model_fields.items()]
    assert sorted(order) == sorted(fields)
    assert order[order.index("destination") + 1] == "adoption"
    moved = {path[0] for path, _ in marked(Environment, WrittenAfter)}
    assert [key for key in order if key not in moved] == [key for key in fields if key not in moved]


@pytest.mark.parametrize("tier", ["development", "staging", "production"])
def test_built_in_defaults_make_a_valid_definition(tier):
    own = {
        "metadata": {"name": "x", "tier": tier},
        "destination": {"cluster": "main"},
        "airflow": {"version": "3.2.2"},
        "chart": {"version": "1.22.0"},
        "database": {"embedded": True},
        "dags": {"image": {}},
    }
    for layer in default_layers.layers(tier):
        for section, value in layer.data.items():
            own[section] = {**own.get(section, {}), **value}
    made = Environment.model_validate(own)
    assert made.sync.automated is (tier != "production")
    assert made.scheduler.log_groomer.retention_days == 7
    assert list(marked(Environment, BuiltIn)), "nothing would be there to test"
