"""The fields of a definition as docs/fields.md lists them, from the JSON Schema that people get."""

from generator.model import json_schema
from tools.table import table

_TYPES = {"string": "text", "integer": "number", "number": "number", "boolean": "true or false"}


def page():
    """The fields at the top, then those of each part in the order in which they are met."""
    schema = json_schema.schema("environment")
    known = schema["$defs"]
    parts, sections = [], [_fields(schema, known)]
    _collect(schema, known, parts)
    for name in parts:
        description = known[name]["description"]
        sections.append(f"## {name}\n\n{description}\n\n{_fields(known[name], known)}")
    return "\n".join(sections)


def _collect(node, known, parts):
    """Names of the parts that a node refers to, each once."""
    if isinstance(node, list):
        for item in node:
            _collect(item, known, parts)
    elif isinstance(node, dict):
        name = _named(node)
        if name and name not in parts:
            parts.append(name)
            _collect(known[name], known, parts)
        for key, item in node.items():
            if key not in ("$defs", "discriminator"):
                _collect(item, known, parts)


def _fields(part, known):
    required = part.get("required", ())
    rows = (
        (f"`{name}`", _type(field), _default(field, name in required), _text(field, known))
        for name, field in part["properties"].items()
    )
    return table(("field", "holds", "default", "meaning"), rows)


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
        return f"[{name}](#{name.lower()})"
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
