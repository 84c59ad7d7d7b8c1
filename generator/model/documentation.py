"""What the models say about their fields: the text below each, read when somebody wants it.

pydantic would read it while the classes are made (`use_attribute_docstrings`), which took a third
of the time that any command needs to start.
"""

import ast
import functools
import inspect
import sys
from collections.abc import Iterator, Mapping

import pydantic


def texts(model: type[pydantic.BaseModel]) -> dict[str, str]:
    """The documentation of a model's fields by their Python names; those of its bases too."""
    found: dict[str, str] = {}
    for kind in reversed(model.__mro__):
        if issubclass(kind, pydantic.BaseModel) and kind is not pydantic.BaseModel:
            found |= _module(kind.__module__).get(kind.__qualname__, {})
    return {name: text for name, text in found.items() if name in model.model_fields}


@functools.cache
def _module(name: str) -> Mapping[str, Mapping[str, str]]:
    tree = ast.parse(inspect.getsource(sys.modules[name]))
    return {item.name: dict(_fields(item)) for item in tree.body if isinstance(item, ast.ClassDef)}


def _fields(node: ast.ClassDef) -> Iterator[tuple[str, str]]:
    for field, text in zip(node.body, node.body[1:], strict=False):
        match field, text:
            case (
                ast.AnnAssign(target=ast.Name(id=name)),
                ast.Expr(value=ast.Constant(value=str(words))),
            ):
                yield name, inspect.cleandoc(words)
