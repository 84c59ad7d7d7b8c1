from generator.model import documentation, json_schema
from generator.model.base import Spec
from generator.model.environment import Environment
from generator.model.repository import Repository


class Base(Spec):
    first: int = 1
    """What the base says.

    More of it.
    """


class Below(Base):
    second: int = 2
    third: int = 3
    """Its own."""
    first: int = 4


def test_the_text_below_a_field_is_found_that_of_a_base_too():
    assert documentation.texts(Below) == {
        "first": "What the base says.\n\nMore of it.",
        "third": "Its own.",
    }


def test_every_text_reaches_the_schema():
    for model in (Environment, Repository):
        texts = documentation.texts(model)
        properties = json_schema.schema(model.__name__.lower())["properties"]
        found = {
            name: properties[field.alias or name].get("description")
            for name, field in model.model_fields.items()
            if name in texts
        }
        assert found == texts and len(texts) > 5


def test_no_two_models_share_a_name():
    names = [
        kind.__name__ for kind in json_schema._kinds(Spec) if kind.__module__.startswith("gener")
    ]
    assert sorted(names) == sorted(set(names))
