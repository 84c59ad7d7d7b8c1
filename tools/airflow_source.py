"""Facts about an unpacked Airflow or provider package, read from its source text."""

import ast
import configparser
import dataclasses
import functools
import re

import yaml

_READERS = {"get", "getboolean", "getint", "getfloat", "getlist", "getjson", "getimport",
            "getenum", "getenumlist", "gettimedelta", "get_mandatory_value",
            "get_mandatory_list_value", "has_option", "getsection"}  # fmt: skip
_CONFIGURATIONS = {"conf", "airflow_conf", "team_conf"}
_DEPRECATED = {"deprecated_options", "deprecated_sections", "many_to_one_deprecated_options"}
_ASKS = re.compile(r"conf\.(?:get|has_option)")


@dataclasses.dataclass(frozen=True)
class Facts:
    """One package: its options, what became of older ones, and its migrations."""

    options: dict
    """Section → option → what is documented of it."""
    reads: frozenset
    """(section, option) that the code reads and the package does not document."""
    open_sections: frozenset = frozenset()
    """Sections that are read whole, with whatever options they hold."""
    fallbacks: dict = dataclasses.field(default_factory=dict)
    """New option → old ones that are read where the new one is not set."""
    sections: dict = dataclasses.field(default_factory=dict)
    """Old section → new one, for whole sections."""
    renamed: dict = dataclasses.field(default_factory=dict)
    """Old option → new one, as `airflow config lint` has it."""
    removed: frozenset = frozenset()
    """Options that `airflow config lint` calls removed."""
    heads: dict = dataclasses.field(default_factory=dict)
    """Release → Alembic revision at its head."""
    revisions: dict = dataclasses.field(default_factory=dict)
    """Revision → the one before, and what its downgrade does."""

    def knows(self, option):
        """Whether the package itself documents or reads that option."""
        section, name = option
        return name in self.options.get(section, {}) or option in self.reads


def airflow(folder, kit=None):
    """The facts of one Airflow release; `kit` is its Task SDK, a package of its own from 3.0."""
    top = folder / "airflow"
    options = _documented(_yaml(top / "config_templates/config.yml"))
    for path in kit.rglob("config.yml") if kit else ():
        _update(options, _documented(_yaml(path)))
    reads, opened = _reads([folder, *([kit] if kit else [])], options)
    reads |= _fallbacks(top / "config_templates")
    parser = top / "_shared/configuration/parser.py"
    names = _assignments(parser if parser.is_file() else top / "configuration.py")
    fallbacks = {_pair(new): [_pair(old[:2])] for new, old in names["deprecated_options"].items()}
    for new, olds in names.get("many_to_one_deprecated_options", {}).items():
        fallbacks.setdefault(_pair(new), []).extend(_pair(old[:2]) for old in olds)
    sections = {old: new for new, (old, _) in names["deprecated_sections"].items()}
    renamed, removed = _linted(top / "cli/commands/config_command.py", options)
    return Facts(
        options, reads, opened, fallbacks, sections, renamed, removed,
        _heads(folder), _revisions(folder),
    )  # fmt: skip


def provider(folder):
    """The facts of one provider release."""
    options = {}
    for path in folder.rglob("get_provider_info.py"):
        [function] = [node for node in _tree(path).body if isinstance(node, ast.FunctionDef)]
        options = _documented(ast.literal_eval(function.body[-1].value).get("config") or {})
    reads, opened = _reads([folder], options)
    return Facts(options, reads, opened, heads=_heads(folder), revisions=_revisions(folder))


@functools.cache
def _tree(path):
    return ast.parse(path.read_text("utf-8"))


def _yaml(path):
    return yaml.load(path.read_bytes(), yaml.CSafeLoader)


def _pair(option):
    return option[0].lower(), option[1].lower()


def _update(options, more):
    for section, names in more.items():
        for name, about in names.items():
            options.setdefault(section, {}).setdefault(name, about)


def _documented(sections):
    """`config.yml`: a mapping, or in older releases a list of sections with lists of options."""
    if isinstance(sections, list):
        sections = {item["name"]: {"options": item["options"]} for item in sections}
    result = {}
    for section, about in sections.items():
        options = about.get("options") or {}
        if isinstance(options, list):
            options = {item["name"]: item for item in options}
        result[section.lower()] = {name.lower(): _about(item) for name, item in options.items()}
    return result


def _about(item):
    words = {"added": item.get("version_added"), "deprecated": item.get("version_deprecated")}
    return {name: str(value) for name, value in words.items() if value}


# Options that the code reads


def _reads(folders, options):
    reads, opened = set(), set()
    for folder in folders:
        for path in sorted(folder.rglob("*.py")):
            text = path.read_text("utf-8")
            if _ASKS.search(text):
                _collect(ast.parse(text), reads, opened)
    documented = {(section, name) for section, names in options.items() for name in names}
    return frozenset(reads - documented), frozenset(opened)


def _fallbacks(folder):
    """Options that Airflow itself keeps for older providers, from 2.7 on."""
    parser = configparser.RawConfigParser()
    names = ("pre_2_7_defaults.cfg", "provider_config_fallback_defaults.cfg")
    parser.read([folder / name for name in names], "utf-8")
    return frozenset(
        _pair((section, name)) for section in parser.sections() for name in parser[section]
    )


def _collect(tree, reads, opened):
    # `"x" in conf.getsection("webserver")` asks for one option.
    tested = {id(item) for node in ast.walk(tree) if isinstance(node, ast.Compare)
              for item in node.comparators}  # fmt: skip
    for node in ast.walk(tree):
        if id(node) in tested or not (
            isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        ):
            continue
        if node.func.attr not in _READERS or not _is_configuration(node.func.value):
            continue
        words = [item.value for item in node.args[:2] if isinstance(item, ast.Constant)]
        if node.func.attr == "getsection":
            opened.update(word.lower() for word in words[:1] if isinstance(word, str))
        elif len(words) == 2 and all(isinstance(word, str) for word in words):
            reads.add(_pair(words))


def _is_configuration(node):
    name = node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
    return name in _CONFIGURATIONS


# What became of older options


def _assignments(path):
    """Literal values of the class attributes about deprecated names."""
    return {
        node.target.id: ast.literal_eval(node.value)
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.AnnAssign) and getattr(node.target, "id", "") in _DEPRECATED
    }


def _linted(path, options):
    """Renamed and removed options of `airflow config lint`; nothing before Airflow 3.

    Airflow 2.11 has the command too, but its rules describe Airflow 3.
    """
    renamed, removed = {}, set()
    if "api_auth" not in options or not path.is_file():
        return renamed, frozenset()
    for change in _changes(path):
        old, new = _parameter(change["config"]), change.get("renamed_to")
        if new is not None:
            renamed[old] = _parameter(new)
        elif _is_removed(change):
            removed.add(old)
    return renamed, frozenset(removed)


def _changes(path):
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "ConfigChange":
            yield {word.arg: word.value for word in node.keywords}


def _parameter(node):
    values = [*node.args, *(word.value for word in node.keywords)]
    return _pair([ast.literal_eval(item) for item in values])


def _is_removed(change):
    """Whether the option is removed, and not only its default or one of its values."""
    values = {"was_removed": True, "default_change": False}
    for name in values.keys() & change.keys():
        values[name] = ast.literal_eval(change[name])
    return (
        values["was_removed"]
        and not values["default_change"]
        and ("remove_if_equals" not in change)
    )


# Migrations


def _migrations(folder):
    return sorted(
        path for path in folder.rglob("migrations/versions/*.py") if path.name != "__init__.py"
    )


def _heads(folder):
    for path in sorted([*folder.rglob("utils/db.py"), *folder.rglob("models/db.py")]):
        for node in _tree(path).body:
            target = node.target if isinstance(node, ast.AnnAssign) else None
            target = node.targets[0] if isinstance(node, ast.Assign) else target
            if getattr(target, "id", "").lstrip("_") == "REVISION_HEADS_MAP":
                return ast.literal_eval(node.value)
    return {}


def _revisions(folder):
    """Without merges of branches, which only the oldest releases have."""
    result = {}
    for path in _migrations(folder):
        names = _constants(_tree(path))
        if not isinstance(names["down_revision"], tuple):
            result[names["revision"]] = [names["down_revision"], _downgrade(_tree(path))]
    return result


def _constants(tree):
    result = {}
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant | ast.Tuple):
            result[node.targets[0].id] = ast.literal_eval(node.value)
    return result


def _downgrade(tree):
    """`real`, `empty` (it leaves everything as it is), or `refused` (it raises)."""
    upgrade, downgrade = (_body(tree, name) for name in ("upgrade", "downgrade"))
    if any(isinstance(node, ast.Raise) for node in downgrade):
        return "refused"
    return "empty" if upgrade and not downgrade else "real"


def _body(tree, name):
    [function] = [node for node in tree.body if getattr(node, "name", "") == name]
    return [
        node
        for node in function.body
        if not isinstance(node, ast.Pass)
        and not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
    ]
