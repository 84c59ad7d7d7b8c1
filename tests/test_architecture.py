"""The tables of docs/architecture.md, enforced: which package may import which, and what exists."""

import ast
import functools
import importlib
import operator
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
OPEN = re.findall(
    r"^\| `([a-z_]+)` \|",
    PAGE.split("\n### What the service may import of the generator\n")[1].split("\n#")[0],
    re.M,
)
"""The packages of the generator that the service may import."""


def dotted(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@functools.cache
def imports(path):
    """(module, name or None, line) of every import, those inside functions too."""
    return tuple(_imports(path))


def _imports(path):
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


@pytest.mark.parametrize(("name", "count"), [("generator", 7), ("service", 6)])
def test_the_rows_are_numbered_in_order(name, count):
    rows = list(dict.fromkeys(row for row, _ in table(name)))
    assert [int(row[0]) for row in rows] == list(range(1, count + 1))
    assert [row for row, _ in table(name)] == sorted(row for row, _ in table(name))


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


def test_only_the_release_package_knows_a_table_of_chart_knowledge():
    found = [f"{path}:{line}: {module}.{imported or ''}"
             for _, path, module, imported, line in all_imports()
             if path.parts[:2] != ("generator", "release")
             and f"{module}.{imported}.".startswith("generator.release.v1.")]  # fmt: skip
    assert found == [], "ask generator.release.chart_lines for the line of the chart at hand"


def test_the_generator_never_imports_the_service():
    wrong = [f"{path}:{line}: {module}" for name, path, module, _, line in all_imports()
             if name == "generator" and module.split(".")[0] == "service"]  # fmt: skip
    assert wrong == []


def service_imports():
    """(package of the generator, where, what) of every import in the service."""
    for name, path, module, imported, line in all_imports():
        if name == "service" and module.split(".")[0] == "generator":
            yield package_of(module, imported), f"{path}:{line}", f"{module} ({imported})"


def test_the_service_imports_only_the_listed_packages_of_the_generator():
    wrong = [
        f"{place}: {what}" for package, place, what in service_imports() if package not in OPEN
    ]
    assert wrong == []


def test_every_listed_package_is_imported_by_the_service():
    assert sorted(set(OPEN)) == sorted({package for package, _, _ in service_imports()})


def test_the_service_reads_yaml_for_its_settings_alone():
    places = {place.split(":")[0] for package, place, _ in service_imports() if package == "yaml"}
    assert places == {"service/settings/resolve.py"}


def graph_of_modules():
    """Module → the modules of this project that it imports."""
    modules = {dotted(path): path for paths in SOURCES.values() for path in paths}
    graph = {}
    for module, path in modules.items():
        reached = {f"{base}.{name}" if f"{base}.{name}" in modules else base
                   for base, name, _ in imports(path)}  # fmt: skip
        graph[module] = sorted((reached & set(modules)) - {module})
    return graph


def graph_of_packages():
    """Package → the other packages that its modules import."""
    graph = {}
    for module, targets in graph_of_modules().items():
        own = ".".join(module.split(".")[:2])
        reached = {".".join(target.split(".")[:2]) for target in targets}
        graph.setdefault(own, set()).update(reached - {own})
    return {package: sorted(targets) for package, targets in graph.items()}


@pytest.mark.parametrize("graph", [graph_of_modules, graph_of_packages])
def test_there_is_no_import_cycle(graph):
    edges, done = graph(), set()

    def walk(node, trail):
        assert node not in trail, " → ".join([*trail[trail.index(node) :], node])
        if node not in done:
            for target in edges.get(node, ()):
                walk(target, [*trail, node])
            done.add(node)

    for node in edges:
        walk(node, [])


def test_every_name_on_the_page_exists():
    """`package/module.name` is the generator's unless it begins with service/; files end in .py."""
    references = re.findall(r"`((?:[a-z_0-9]+/)+[a-z_0-9]+)(?:\.([A-Za-z_.]+))?`", PAGE)
    assert len(references) > 50
    missing = []
    for module, attribute in references:
        if attribute == "py":
            found = (ROOT / f"{module}.py").is_file()
        else:
            found = resolves(module, attribute)
        if not found:
            missing.append(f"{module}.{attribute}" if attribute else module)
    assert missing == []


def resolves(module, attribute):
    full = module if module.startswith("service/") else f"generator/{module}"
    try:
        loaded = importlib.import_module(full.replace("/", "."))
        if attribute:
            operator.attrgetter(attribute)(loaded)
    except (ImportError, AttributeError):
        return False
    return True


def test_heavy_libraries_are_imported_where_they_are_used():
    found = []
    for path in SOURCES["generator"]:
        text = path.read_text("utf-8")
        for node in ast.parse(text).body if any(name in text for name in HEAVY) else ():
            names = (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else []
            )
            found += [f"{path}: {name}" for name in names if name.split(".")[0] in HEAVY]
    assert found == []
