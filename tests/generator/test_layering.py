"""The rows of docs/design.md, enforced: a module imports only from lower rows and its own room."""

import ast
import fnmatch
import functools
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULES = sorted((ROOT / "generator").rglob("*.py"))
# A file without the prefix of its room: the notes that a render prints.
SAME_ROOM = {"helm_notes": "render*"}


@functools.cache
def rows():
    """Room → number of its row, as the design lists them."""
    text = (ROOT / "docs/design.md").read_text("utf-8")
    listed = re.findall(r"^([0-9]+)\. ((?:`[a-z_*]+` ?)+)$", text, re.M)
    return {name: int(number) for number, names in listed for name in re.findall(r"`(.+?)`", names)}


def room(part):
    """The room of `generator.<part>`: an exact name before a pattern."""
    if part in SAME_ROOM:
        return SAME_ROOM[part]
    if part in rows():
        return part
    return next((name for name in rows() if fnmatch.fnmatch(part, name)), None)


def name_of(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return parts[:-1] if parts[-1] == "__init__" else parts


def imports(path):
    """Every imported module with its line, both spellings, those inside functions too."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name.split("."), node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: a relative import"
            module = (node.module or "").split(".")
            yield from (([*module, alias.name], node.lineno) for alias in node.names)


def test_every_module_has_a_row_and_every_row_a_module():
    parts = {name_of(path)[1] for path in MODULES if len(name_of(path)) > 1}
    assert sorted(part for part in parts if room(part) is None) == []
    assert sorted(set(rows()) - {room(part) for part in parts}) == []


@pytest.mark.parametrize("path", MODULES, ids=lambda path: "/".join(name_of(path)))
def test_a_module_imports_only_from_lower_rows(path):
    name = name_of(path)
    own = room(name[1]) if len(name) > 1 else None
    for target, line in imports(path):
        assert target[0] != "service", f"{path}:{line}: the generator knows no service"
        if target[0] != "generator" or len(target) < 2:
            continue
        other = room(target[1])
        if other is None or other == own:  # a name of the package itself, or a neighbour
            continue
        assert own is not None and rows()[other] < rows()[own], (
            f"{path.relative_to(ROOT)}:{line}: {own} imports {other}, which is not below it"
        )


def test_no_two_modules_import_each_other_at_the_top():
    graph = {".".join(name_of(path)): set() for path in MODULES}
    for path in MODULES:
        tree = ast.parse(path.read_text("utf-8"))
        for node in tree.body:
            if not isinstance(node, ast.ImportFrom) or not node.module:
                continue
            for alias in node.names:
                for target in (f"{node.module}.{alias.name}", node.module):
                    if target in graph:
                        graph[".".join(name_of(path))].add(target)
                        break
    done, seen = set(), []

    def walk(module):
        assert module not in seen, " → ".join([*seen[seen.index(module) :], module])
        if module in done:
            return
        seen.append(module)
        for target in sorted(graph[module]):
            walk(target)
        seen.pop()
        done.add(module)

    for module in graph:
        walk(module)


def test_heavy_libraries_are_imported_where_they_are_used():
    heavy = {"kubernetes", "helm_python", "cookiecutter", "rich", "requests", "jsonschema", "git",
             "cryptography", "kubernetes_validate", "croniter", "jwt"}  # fmt: skip
    found = []
    for path in MODULES:
        for node in ast.parse(path.read_text("utf-8")).body:
            names = (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else []
            )
            found += [f"{path}: {name}" for name in names if name.split(".")[0] in heavy]
    assert found == []
