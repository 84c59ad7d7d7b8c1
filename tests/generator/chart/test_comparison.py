# ruff: noqa: E501 (schemas of one line each)
from generator.chart.comparison import compare

OLD = {
    "properties": {
        "a": {"type": "object", "properties": {"b": {"type": ["string", "null"]}, "c": {"enum": ["x", "y"]}}},
        "gone": {"type": "object", "properties": {"deep": {"type": "string"}}},
        "free": {},
    }
}  # fmt: skip
NEW = {
    "required": ["a"],
    "properties": {
        "a": {"type": "object", "required": ["b"], "properties": {"b": {"type": "string"}, "c": {"enum": ["x", "y", "z"]}}},
        "free": {"type": "string"},
        "new": {"type": "object", "properties": {"deep": {"type": "string"}}},
    },
}  # fmt: skip


def test_what_went_came_changed_and_is_demanded():
    found = compare(
        ({"a": {"b": 1, "c": "x"}, "gone": {"deep": 1}}, OLD),
        ({"a": {"b": 2, "c": "x"}, "new": {"deep": 1}}, NEW),
    )
    assert found.removed == ("gone",), "not each key below it"
    assert found.added == ("new",)
    assert found.changed == (("a.b", 1, 2),)
    assert found.required == ("a", "a.b")
    assert found.narrowed == ("a.b", "free"), "more choices than before are no narrowing"


def test_equal_charts_do_not_differ():
    found = compare(({"a": 1}, OLD), ({"a": 1}, OLD))
    assert not any((found.removed, found.added, found.changed, found.required, found.narrowed))


def test_a_key_below_one_that_stayed_is_named_itself():
    found = compare(({"a": {"b": 1, "c": 1}}, {}), ({"a": {"b": 1}}, {}))
    assert found.removed == ("a.c",)


def described(**texts):
    return {"properties": {name: {"description": text} for name, text in texts.items()}}


def test_what_goes_on_under_another_name_is_told():
    old = described(
        args="Arguments. (Deprecated - renamed to `celery.args`)",
        size="How large it is.",
        vague="A thing.",
        plain="Nothing more.",
    )
    new = described(volumeSize="How large it is.", one="A thing.", other="A thing.")
    found = compare(({}, old), ({}, new))
    assert found.removed == ("args", "plain", "size", "vague")
    assert found.renamed == (("args", "celery.args"), ("size", "volumeSize"))


def test_what_the_new_chart_says_will_go_is_told_with_what_to_use():
    new = described(
        args="Arguments (deprecated, use `a.x` and/or ``b.x`` instead).",
        old="DEPRECATED.",
        new="Use `x`, it is not going.",
    )
    found = compare(({}, {}), ({}, new))
    assert found.deprecated == (("args", "a.x or b.x"), ("old", ""))
