"""Each field of an object set, emptied, taken out and doubled, by the schema of its kind."""

import copy

from generator.lint.objects import kubernetes_schema

GONE = object()
"""Instead of a value: the field is taken out."""
RELEASE = (1, 34)
_TEXTS = ("Not a Name!", "", "changed", "x" * 300, "a/b", "UPPER")
_PATHS = ("../up", "/abs", "a:b", "a b")
_NUMBERS = (-1, 0, 1, 70_000, 2**31)
_BY_TYPE = {"string": _TEXTS, "integer": _NUMBERS, "number": _NUMBERS, "boolean": (True, False)}
_EITHER = ("x", "50%", "150%", -1, 0, 1, "", "70000", "a-b", "Not!")
_QUANTITIES = ("x", "-1", "0", "1.5", "3Gi", "")
_ENTRIES = (
    {"not a key!": "1"},
    {"k": "not a value!"},
    {"x" * 70: "1"},
    {"k": "1"},
    {"": "1"},
)
# Written by the server, or where the object is to be found.
_OWN = {
    *("apiVersion", "kind", "status", "managedFields", "creationTimestamp", "deletionTimestamp"),
    *("deletionGracePeriodSeconds", "generateName", "ownerReferences", "resourceVersion", "uid"),
    *("generation", "selfLink", "namespace"),
}


def mutations(manifest):
    """(path, value) of each; the object itself is not changed."""
    kinds = kubernetes_schema._kinds(RELEASE)
    schema = {"$ref": f"#/$defs/{kinds[manifest['apiVersion'], manifest['kind']]}"}
    for path, value in _walk(schema, manifest, ()):
        if path != ("metadata",) and not (path == ("metadata", "name") and value is GONE):
            yield path, value


def mutated(manifest, path, value):
    """The object with that field."""
    result = copy.deepcopy(manifest)
    target = result
    for name in path[:-1]:
        target = target[name]
    if value is GONE:
        del target[path[-1]]
    else:
        target[path[-1]] = copy.deepcopy(value)
    return result


def _walk(schema, node, path):
    known = _resolved(schema).get("properties")
    if isinstance(node, dict) and known:
        for name, inner in known.items():
            if name in _OWN and (not path or path[-1] == "metadata"):
                continue
            if name in node:
                yield (*path, name), GONE
                yield from _walk(inner, node[name], (*path, name))
            yield from (((*path, name), item) for item in _other(name, inner, node.get(name)))
    elif isinstance(node, dict):
        yield from ((path, {**node, **entry}) for entry in _ENTRIES)
    elif isinstance(node, list):
        items = _resolved(schema)["items"]
        for number, item in enumerate(node):
            yield from _walk(items, item, (*path, number))
        yield path, [*node, *copy.deepcopy(node[:1])]


def _other(name, schema, present):
    is_path = "path" in name.lower() and _type(_resolved(schema)) == "string"
    for value in (*_values(schema), *(_PATHS if is_path else ())):
        if value != present:
            yield value


def _values(schema):
    named, found = schema.get("$ref", ""), _resolved(schema)
    if "IntOrString" in named:
        return _EITHER
    if "Quantity" in named:
        return _QUANTITIES
    if "properties" in found:
        return {}, _least(schema)
    if _type(found) == "object":
        return {}, *_ENTRIES
    if _type(found) == "array":
        least = _least(found["items"])
        wrong = {str: ["Not a Name!"], int: [-1]}.get(type(least), [])
        return [], [least], [least] * 2, wrong
    return _BY_TYPE.get(_type(found), ())


def _least(schema, depth=0):
    """A value with what the schema requires, and no more."""
    named, found = schema.get("$ref", ""), _resolved(schema)
    if "IntOrString" in named:
        return 1
    if "Quantity" in named:
        return "1"
    if _type(found) == "object" or "properties" in found:
        required = found.get("required", ()) if depth < 6 else ()
        return {name: _least(found["properties"][name], depth + 1) for name in required}
    if _type(found) == "array":
        return [_least(found["items"], depth + 1)]
    return {"integer": 1, "number": 1, "boolean": True}.get(_type(found), "x")


def _resolved(schema):
    while "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        schema = kubernetes_schema._definitions(RELEASE)["$defs"][name]
    return schema


def _type(schema):
    kinds = schema.get("type")
    kinds = kinds if isinstance(kinds, list) else [kinds]
    return next((kind for kind in kinds if kind not in (None, "null")), None)
