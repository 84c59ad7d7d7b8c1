"""The fields of a definition and of gen-env.yaml, from the JSON Schema that people get."""

import json

from generator.model import json_schema
from tools import samples
from tools.table import table

_TYPES = {"string": "text", "integer": "number", "number": "number", "boolean": "true or false"}


_LONGEST_EXAMPLE = 60
_PART = "Part"
"""What a definition may hold, as `defaults` of gen-env.yaml names it."""
_OF_A_DEFINITION = "[parts of a definition](fields.md)"


def definition():
    """The fields of a definition."""
    return _page("environment")


def repository():
    """The fields of gen-env.yaml."""
    return _page("repository")


def _page(kind):
    """The fields at the top, then those of each part in the order in which they are met."""
    schema = json_schema.schema(kind)
    known = schema["$defs"]
    examples = _examples(kind, schema)
    parts, sections = [], [_fields("", schema, known, examples)]
    _collect(schema, known, parts)
    for name in parts:
        description = known[name]["description"]
        fields = _fields(name, known[name], known, examples)
        sections.append(f"## {name}\n\n{description}\n\n{fields}")
    return "\n".join(sections)


def _examples(kind, schema):
    """Part and field → the first value that a sample or a golden tree gives it."""
    examples = {}
    for data in samples.written(kind):
        _give("", schema, schema["$defs"], data, examples)
    return examples


def _give(name, part, known, data, examples):
    for field, value in data.items():
        held = list(_held(part["properties"][field], known, value))
        for below, item in held:
            _give(below, known[below], known, item, examples)
        if not held:
            examples.setdefault((name, field), value)


def _held(node, known, value):
    """Parts in a value with the name of each: the value itself, its items, or its values by name.

    A field that is not a part, but a mapping or a scalar, has none.
    """
    for option in (node, *node.get("anyOf", ()), *node.get("oneOf", ())):
        name, inner = _named(option), option.get("additionalProperties")
        if name and name != _PART and isinstance(value, dict):
            if _fits(value, known[name]["properties"]):
                yield name, value
                return
        elif isinstance(value, list) and isinstance(option.get("items"), dict):
            for item in value:
                yield from _held(option["items"], known, item)
        elif isinstance(value, dict) and isinstance(inner, dict):
            for item in value.values():
                yield from _held(inner, known, item)


def _fits(item, properties):
    """Whether every key is a field, and a fixed `type` is the one of the part."""
    kinds = properties.get("type", {})
    options = kinds.get("enum", [kinds["const"]] if "const" in kinds else [item.get("type")])
    return item.keys() <= properties.keys() and item.get("type", options[0]) in options


def _collect(node, known, parts):
    """Names of the parts that a node refers to, each once."""
    if isinstance(node, list):
        for item in node:
            _collect(item, known, parts)
    elif isinstance(node, dict):
        name = _named(node)
        if name and name != _PART and name not in parts:
            parts.append(name)
            _collect(known[name], known, parts)
        for key, item in node.items():
            if key not in ("$defs", "discriminator"):
                _collect(item, known, parts)


def _fields(name, part, known, examples):
    required = part.get("required", ())
    rows = (
        (
            f"`{field}`",
            _type(node),
            _default(node, field in required),
            _example(examples.get((name, field))),
            _text(node, known),
        )
        for field, node in part["properties"].items()
    )
    return table(("field", "holds", "default", "example", "meaning"), rows)


def _example(value):
    """One line as YAML takes it; none where it is longer than a cell should be."""
    text = value if isinstance(value, str) else json.dumps(value)
    fits = value is not None and "\n" not in text and len(text) <= _LONGEST_EXAMPLE
    return f"`{text}`" if fits else ""


def _text(field, known):
    """What the field says, else what the part that it holds says first."""
    names = []
    _collect({"anyOf": field.get("anyOf", [field])}, known, names)
    part = known[names[0]]["description"].partition("\n\n")[0] if names else ""
    return " ".join((field.get("description") or part).split())


def _default(field, required):
    if required:
        return "required"
    value = field.get("default")
    plain = isinstance(value, str | int | float) and value != ""
    return f"`{str(value).lower() if isinstance(value, bool) else value}`" if plain else ""


def _type(field):
    """`text`, `list of [Peer](#peer)`, `` `a` or `b` ``."""
    if name := _named(field):
        return _OF_A_DEFINITION if name == _PART else f"[{name}](#{name.lower()})"
    options = [*field.get("anyOf", ()), *field.get("oneOf", ())]
    if options:
        names = dict.fromkeys(_type(item) for item in options if item.get("type") != "null")
        return " or ".join(names)
    if "const" in field or "enum" in field:
        return " or ".join(f"`{value}`" for value in field.get("enum", [field.get("const")]))
    kind = field.get("type")
    if kind == "array":
        return f"list of {_type(field.get('items') or {})}"
    if kind == "object":
        values = field.get("additionalProperties")
        return f"mapping to {_type(values)}" if isinstance(values, dict) and values else "mapping"
    # Text is also taken where YAML reads a number.
    return "text" if isinstance(kind, list) else _TYPES.get(kind, "any value")


def _named(node):
    return str(node.get("$ref", "")).rpartition("/")[2]


def by_tier():
    """Fields whose built-in default is another by tier, with the default of each."""
    from generator.definition.default_layers import layers

    tiers = ("development", "staging", "production")
    values = {tier: {} for tier in tiers}
    for tier in tiers:
        for layer in layers(tier):
            values[tier].update(_leaves(layer.data))
    names = sorted({name for found in values.values() for name in found})
    rows = [(f"`{name}`", *(_example(values[tier].get(name)) for tier in tiers)) for name in names]
    return table(("field", *tiers), rows)


def _leaves(data, prefix=""):
    for key, value in data.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def chart_keys():
    """Each field with the chart keys that it sets in the samples, and the oldest chart for it."""
    from generator.chart import key_table

    keys, since = {}, {}
    for settings in samples.settings():
        charts = {}
        for setting in settings:
            keys.setdefault(setting.field, set()).add(".".join(setting.key))
            if setting.value is not False:
                first = _first(setting)
                charts[setting.field] = max(charts.get(setting.field, first), first)
        for field, first in charts.items():
            since[field] = min(since.get(field, first), first)
    rows = (
        (
            f"`{field}`",
            ", ".join(f"`{key}`" for key in sorted(keys[field])),
            key_table.versions()[since[field]] if field in since else "",
        )
        for field in sorted(keys)
        if field not in ("", "gen-env") and not field.startswith("airflow.config")
    )
    return table(("field", "chart keys", "since chart"), rows)


_FIRST = {}


def _first(setting):
    """The number of the first release that can express the setting."""
    from generator.chart import key_table
    from generator.release.expressed import first_with

    key = json.dumps([setting.key, setting.value], default=str, sort_keys=True)
    if key not in _FIRST:
        _FIRST[key] = key_table.versions().index(first_with(setting))
    return _FIRST[key]
