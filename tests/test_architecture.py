"""The table of docs/architecture.md, enforced: a package imports only packages before it."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/architecture.md").read_text("utf-8")
SOURCES = {name: sorted((ROOT / name).rglob("*.py")) for name in ("generator", "service")}
HEAVY = {"kubernetes", "helm_python", "cookiecutter", "rich", "requests", "jsonschema", "git",
         "cryptography", "kubernetes_validate", "croniter", "jwt"}  # fmt: skip


def table(name):
    """(row, package) of one of the two tables, in order."""
    part = PAGE.split(f"\n### {name}\n")[1].split("\n#")[0]
    return re.findall(r"^\| (\d [a-z -]+) \| `([a-z_]+)` \|", part, re.M)


ORDER = {name: [package for _, package in table(name)] for name in SOURCES}


def dotted(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path):
    """(module, name or None, line) of every import, those inside functions too."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, None, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: a relative import"
            yield from ((node.module or "", alias.name, node.lineno) for alias in node.names)


def all_imports():
    for name, paths in SOURCES.items():
        for path in paths:
            for module, imported, line in imports(path):
                yield name, path.relative_to(ROOT), module, imported, line


def package_of(module, imported):
    """The package that `from module import imported` reaches, or "" for the top itself."""
    parts = [*module.split("."), *([imported] if imported else [])]
    return parts[1] if len(parts) > 1 else ""


@pytest.mark.parametrize("name", SOURCES)
def test_the_table_lists_every_package_and_nothing_lies_beside_the_packages(name):
    folders = {path.parent.name for path in (ROOT / name).glob("*/__init__.py")}
    assert sorted(ORDER[name]) == sorted(folders)
    assert [path.name for path in (ROOT / name).glob("*.py")] == ["__init__.py"]


def test_there_are_seven_rows_of_the_generator_and_six_of_the_service():
    assert [len({row for row, _ in table(name)}) for name in SOURCES] == [7, 6]


def test_no_folder_has_more_than_thirty_modules():
    folders = [
        path for name in ("generator", "service", "tests") for path in (ROOT / name).rglob("*")
    ]
    counts = {
        str(path.relative_to(ROOT)): len(list(path.glob("*.py")))
        for path in folders
        if path.is_dir()
    }
    assert {folder: count for folder, count in counts.items() if count > 30} == {}


def test_a_package_imports_only_packages_before_it():
    wrong = []
    for name, path, module, imported, line in all_imports():
        own, other = path.parts[1], package_of(module, imported)
        order = ORDER[name]
        if module.split(".")[0] != name or other not in order or own not in order:
            continue
        if other != own and order.index(other) > order.index(own):
            wrong.append(f"{path}:{line}: {own} imports {module}, which stands after it")
    assert wrong == []


def test_the_generator_never_imports_the_service():
    found = [f"{path}:{line}: {module}" for name, path, module, _, line in all_imports()
             if name == "generator" and module.split(".")[0] == "service"]  # fmt: skip
    assert found == []


def test_no_two_modules_import_each_other():
    modules = {dotted(path): path for paths in SOURCES.values() for path in paths}
    graph = {}
    for module, path in modules.items():
        reached = {f"{base}.{name}" if f"{base}.{name}" in modules else base
                   for base, name, _ in imports(path)}  # fmt: skip
        graph[module] = sorted((reached & set(modules)) - {module})
    done = set()

    def walk(module, trail):
        assert module not in trail, " → ".join([*trail[trail.index(module) :], module])
        if module not in done:
            for target in graph[module]:
                walk(target, [*trail, module])
            done.add(module)

    for module in graph:
        walk(module, [])


def test_heavy_libraries_are_imported_where_they_are_used():
    found = []
    for path in SOURCES["generator"]:
        for node in ast.parse(path.read_text("utf-8")).body:
            names = (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else []
            )
            found += [f"{path}: {name}" for name in names if name.split(".")[0] in HEAVY]
    assert found == []
