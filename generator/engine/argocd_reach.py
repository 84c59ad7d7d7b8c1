"""What Argo CD reads of a repository: by its Applications, and by files that steer it.

After Argo CD 3 (`reposerver/repository/repository.go`, `util/app/discovery`): a directory source
reads `.yaml`, `.yml`, `.json` and `.jsonnet` files below its path, filtered by globs in which `*`
matches `/` too; `.argocd-source*.yaml` in a source's path changes the source; a `Chart.yaml` or a
kustomization there, or whatever a plugin looks for, chooses another tool where the source names
none.
"""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from generator.core.files import Files
from generator.definition.definition import FILE_NAME, ROOT
from generator.engine.argocd import GENERATED, PROJECTS, ROOT_INCLUDE
from generator.kube import fields
from generator.model.repository import Repository

ACCESS = "bootstrap/access"
"""Roles that a person applies: nobody may put another file beside them."""
CLOSED = (GENERATED, "secrets", "manifests")
"""Folders of an environment in which every file is somebody's or an error."""
SKIPPED = b"+argocd:skip-file-rendering"
"""A manifest that holds these words anywhere is not applied."""

_MANIFEST = re.compile(r".*\.(yaml|yml|json|jsonnet)")
_TOOLS = (
    "chart.yaml",
    "kustomization",
    "kustomization.yaml",
    "kustomization.yml",
    "plugin.yaml",
    "plugin.yml",
)
_JSONNET = (".jsonnet", ".libsonnet")
ATTRIBUTES = ".gitattributes"
MODULES = ".gitmodules"
AT_TOP = (ATTRIBUTES, MODULES)
"""Files at the top of a repository by which git checks out other files than those read here."""


def above(prefix: str) -> tuple[str, ...]:
    """The same files above the folder `prefix` of a repository, as paths from there; git reads
    modules at its top only."""
    depth = prefix.count("/")
    ups = ["../" * level for level in range(1, depth + 1)]
    return (*(f"{up}{ATTRIBUTES}" for up in ups), *(f"{up}{MODULES}" for up in ups[-1:]))


# Plain lines of `git submodule add` and `git config`, none with a value that git would quote.
_PART = r"(?!\.\.?(?:/|\Z))[\w.+@-][\w.+@ -]*"
_MODULE_PATH = re.compile(rf"path\s*=\s*({_PART}(?:/{_PART})*)")
_MODULE_LINE = re.compile(
    r'(\[submodule "[^"\\]*"\]|[#;][^\\]*'
    r'|(url|branch|update|shallow|ignore|fetchRecurseSubmodules)\s*=[^"\\#;]*)?'
)
# A pattern that may match YAML or JSON, and an attribute that changes what is checked out.
_REWRITES = re.compile(
    rb"^(?![ \t]*#)[ \t]*(?!\S*\.(?!ya?ml|json)\w+\s)\S+\s(.*\s)?"
    rb"(working-tree-encoding=|filter=|ident\b)",
    re.MULTILINE,
)
# Neither an engine nor a tool of its reads them.
_HARMLESS = ("README.md", ".gitkeep", ".DS_Store")
_LEFTOVERS = ("~", ".swp")


@dataclasses.dataclass(frozen=True, slots=True)
class Foreign:
    """A file in reach that nobody stands for: where, why that matters, and what to do."""

    path: str
    why: str
    hint: str


def manifests(application: Mapping[str, Any], paths: Iterable[str], prefix: str = "") -> list[str]:
    """Those of `paths` whose objects the Application's directory sources give to the cluster.

    `prefix` is what stands before the paths in git. A source that names a chart, or another tool,
    gives none of its files as they are.
    """
    spec = fields.section(application, "spec")
    sources = [*fields.entries(spec, "sources"), fields.section(spec, "source")]
    reads = [_reader(source, prefix) for source in sources if _is_directory(source)]
    return [path for path in paths if any(read(path) for read in reads)]


def _is_directory(source: Mapping[str, Any]) -> bool:
    other = any(source.get(tool) is not None for tool in ("chart", "helm", "kustomize", "plugin"))
    return bool(source.get("path")) and not other


@dataclasses.dataclass(frozen=True, slots=True)
class _Directory:
    """One directory source, its path relative to the files' root."""

    folder: str
    recurse: bool
    include: str
    exclude: str

    def __call__(self, path: str) -> bool:
        inside = path.removeprefix(self.folder)
        if (inside == path and self.folder) or not _MANIFEST.fullmatch(inside.rpartition("/")[2]):
            return False
        if "/" in inside and not self.recurse:
            return False
        if self.exclude and _glob(self.exclude).fullmatch(inside):
            return False
        return not self.include or _glob(self.include).fullmatch(inside) is not None


def _reader(source: Mapping[str, Any], prefix: str) -> _Directory:
    directory = fields.section(source, "directory")
    folder = f"{fields.text(source, 'path').strip('/')}/".removeprefix("./")
    return _Directory(
        folder.removeprefix(prefix) if prefix else folder,
        directory.get("recurse") is True,
        fields.text(directory, "include"),
        fields.text(directory, "exclude"),
    )


@functools.lru_cache(maxsize=256)
def _glob(pattern: str) -> re.Pattern[str]:
    """A glob of github.com/gobwas/glob without separators, which is how Argo CD uses it."""
    words = {"*": ".*", "?": ".", "{": "(?:", "}": ")"}
    text, depth = "", 0
    for part in re.findall(r"\\.|\[!?[^\]]*\]|\*+|.", pattern, re.DOTALL):
        depth += {"{": 1, "}": -1}.get(part, 0)
        if part == "," and depth > 0:
            text += "|"
        elif part.startswith("[") and len(part) > 1:
            text += re.sub(r"^\[!", "[^", part)
        else:
            text += words.get(part[:1], re.escape(part.removeprefix("\\")))
    return re.compile(text, re.DOTALL)


def control_files(repository: Repository) -> tuple[str, ...]:
    """Files at the top by which somebody could change what the root Application reads."""
    root, namespace = repository.argocd.root.name, repository.argocd.namespace
    names = (".yaml", f"-{root}.yaml", f"-{namespace}_{root}.yaml")
    return (*(f".argocd-source{name}" for name in names), ".argocd-allow-concurrency")


def is_control(path: str) -> bool:
    """Whether a file of this name changes how Argo CD reads the folder that it is in."""
    name = path.rpartition("/")[2]
    lower = name.casefold()
    tool = lower in _TOOLS or name.endswith("Chart.yaml")
    return tool or lower.startswith(".argocd-") or lower.endswith(_JSONNET)


def in_environment(
    files: Files, folder: str, known: Collection[str], others: Collection[str] = ()
) -> Iterator[Foreign]:
    """What stands in reach of an environment's Application and is not among the `known` paths.

    `others` are folders of other environments, which may be below this one. Links below
    environments/ are findings of the catalogue already.
    """
    beside = tuple(f"{other}/" for other in others if other.startswith(f"{folder}/"))
    closed = tuple(f"{folder}/{part}/" for part in CLOSED)
    for path, fault in files.entries(folder):
        if path in known or path.startswith(beside):
            continue
        if path.startswith(closed) and not is_harmless(path):
            yield _foreign(path, fault)
        elif is_control(path):
            yield Foreign(path, "it changes what Argo CD reads here, and how", _REMOVE)


def in_repository(
    files: Files,
    repository: Repository,
    known: Collection[str],
    names: Collection[str],
    closed: Collection[str] = (),
) -> Iterator[Foreign]:
    """What the root Application reads beside the `known` paths and the environments `names`.

    In the folders of gen-env's below bootstrap/, and in those that are `closed`, nothing else may
    be.
    """
    for folder in (PROJECTS, ACCESS, *closed):
        for path, fault in files.entries(folder):
            if path not in known and not is_harmless(path):
                yield _foreign(path, fault)
    yield from by_root(files, repository, names)


def by_root(files: Files, repository: Repository, names: Collection[str]) -> Iterator[Foreign]:
    """What the root Application reads below environments/ without a definition, and control files.

    `names` are all environments.
    """
    for place in control_files(repository):
        for path, _ in files.entries(place):
            yield Foreign(path, "it changes what the root Application reads, and how", _REMOVE)
    if repository.chart.source == "vendored":
        for path, _ in files.entries(repository.chart.path.rstrip("/")):
            if path.rpartition("/")[2].startswith(".argocd-"):
                yield Foreign(path, "it changes how Argo CD renders the chart", _REMOVE)
    vendored = repository.chart.path.rstrip("/") if repository.chart.source == "vendored" else ROOT
    prefix = repository.repository.prefix
    closed = {f"{prefix}{place}/" for place in (ROOT, PROJECTS, ACCESS, vendored)}
    yield from _submodules(files, "../" * prefix.count("/") + MODULES, sorted(closed))
    paths = [path for path, _ in files.entries(ROOT)]
    yield from _rewritten(files, prefix, paths)
    reads = _glob(ROOT_INCLUDE)
    own = {f"{ROOT}/{name}/{GENERATED}/application.yaml" for name in names}
    for path in paths:
        if path not in own and reads.fullmatch(path):
            hint = f"remove it, or write its {FILE_NAME} and run: gen-env generate"
            yield Foreign(path, "the root Application applies it without a definition", hint)


def _rewritten(files: Files, prefix: str, below: Iterable[str]) -> Iterator[Foreign]:
    """Attributes by which a checkout, Argo CD's too, holds other bytes than git does."""
    higher = [path for path in above(prefix) if path.endswith(ATTRIBUTES)]
    for place in (ATTRIBUTES, *higher):
        inside = "/".join(prefix.split("/")[-place.count("../") - 1 :]) if place in higher else ""
        for path, _ in files.entries(place):
            lines = _REWRITES.finditer(files.read(path) or b"#")
            if any(_may_match(line[0], inside) for line in lines):
                hint = "name no files with objects or values in that line"
                yield Foreign(path, _OTHER_BYTES, hint)
    for path in below:
        if path.endswith(f"/{ATTRIBUTES}"):
            yield Foreign(path, _OTHER_BYTES, f"remove it; {ATTRIBUTES} at the top is read")


def _may_match(line: bytes, inside: str) -> bool:
    """Whether the pattern of a line may match below the folder `inside` of its own."""
    pattern = line.decode("utf-8", "replace").split()[0].strip('"')
    if not inside or "/" not in pattern.rstrip("/"):
        return True
    plain = re.split(r"[*?\[\\]", pattern.lstrip("/"))[0]
    return inside.startswith(plain) or plain.startswith(inside)


def _submodules(files: Files, place: str, closed: Collection[str]) -> Iterator[Foreign]:
    """Submodules in reach: Argo CD checks them out, and a clone without them shows nothing there.

    `closed` are folders from the top of the repository. Anything but plain lines as git writes them
    is refused.
    """
    text = (files.read(place) or b"").decode("utf-8", "replace")
    for line in map(str.strip, text.splitlines()):
        path = _MODULE_PATH.fullmatch(line)
        if path is None and _MODULE_LINE.fullmatch(line) is None:
            why = "Argo CD checks out submodules, and this line is not one that git writes"
            yield Foreign(place, why, "write it with: git submodule add")
            return
        module = f"{path[1]}/" if path else ""
        if module and any(at.startswith(module) or module.startswith(at) for at in closed):
            why = f"Argo CD reads files of the submodule {module}, which are not read here"
            yield Foreign(place, why, "move the submodule out of gen-env's folders")


_OTHER_BYTES = "with it Argo CD may read other bytes than those that are checked here"
_REMOVE = "remove it"
DECLARE = "remove it, or put it into the environment's manifests/ and name it in manifests:"


def _foreign(path: str, fault: str) -> Foreign:
    if fault:
        return Foreign(path, f"gen-env cannot read it ({fault}), and Argo CD may", _REMOVE)
    return Foreign(path, "Argo CD reads it, and gen-env neither generated nor knows it", DECLARE)


def is_harmless(path: str) -> bool:
    """Whether no engine reads a file of this name."""
    name = path.rpartition("/")[2]
    return name in _HARMLESS or name.endswith(_LEFTOVERS)
