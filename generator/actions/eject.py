"""`gen-env eject` as steps: the generated files stay and stop being gen-env's."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path

from generator.core.errors import UserError
from generator.core.files import Files, WorkTree
from generator.definition import lock_file
from generator.definition.definition import FILE_NAME, ROOT, SETTINGS, Settings
from generator.engine import deployment, flux_reach
from generator.engine.argocd import GENERATED
from generator.pipeline import generate
from generator.pipeline.generate import Charts
from generator.render.request import Renderer
from generator.tree import catalogue, objects, tree
from generator.tree.catalogue import Catalogue
from generator.tree.editor_schemas import SCHEMAS
from generator.tree.plan import Plan
from generator.yaml import edit

_SEALED_BY = b"# Sealed by: gen-env "
_CI = (".github/workflows/gen-env.yml", ".gitea/workflows/gen-env.yml")


@dataclasses.dataclass(frozen=True)
class Ejection:
    """The plan, the environments that it frees, those that are free already, and what is next."""

    plan: Plan
    names: tuple[str, ...]
    free: tuple[str, ...]
    steps: tuple[str, ...]


def prepare(
    root: Path,
    names: Sequence[str],
    charts: Charts,
    renderer: Renderer | None,
    *,
    keep: bool = False,
    as_is: bool = False,
) -> Ejection:
    """What `eject` writes and removes; without names, everything of the repository.

    With `keep`, definitions, locks and settings stay. Raises UserError for an unknown environment
    and, unless `as_is`, for a tree that is not what its definition gives.
    """
    files = WorkTree(root)
    found = catalogue.load(files)
    free = tuple(name for name in names if _is_free(files, name, keep=keep))
    chosen = _chosen(found, [name for name in names if name not in free], everything=not names)
    if not as_is:
        _require_current(files, chosen, charts, renderer)
    writes: dict[str, str] = {}
    removals: list[str] = []
    for name in chosen:
        _environment(files, f"{ROOT}/{name}", writes, removals, keep=keep)
        for path in (objects.access_path(name), *_cluster_files(found, name)):
            content = files.read(path) or b""
            if tree.is_ours(content):
                writes[path] = _plain(content)
    whole = not names
    if whole:
        _repository(files, writes, removals, keep=keep)
    elif chosen and not keep and found.settings is not None:
        writes[SETTINGS] = _listed(files, found.settings, chosen)
    steps = tuple(_steps(found, files, chosen, whole=whole, keep=keep))
    return Ejection(Plan(writes, tuple(sorted(removals))), chosen, free, steps)


def _cluster_files(found: Catalogue, name: str) -> tuple[str, ...]:
    """Where the Flux of a cluster may find an environment."""
    repository = found.settings.repository if found.settings else None
    return flux_reach.cluster_files(repository, name) if repository else ()


def is_plain(root: Path) -> bool:
    """Whether a whole repository was ejected: trees of ours without a header, and no settings."""
    files = WorkTree(root)
    ends = (f"/{deployment.APPLICATION}", f"/{deployment.HELM_RELEASE}")
    made = [path for path in files.below(ROOT) if path.endswith(ends)]
    ours = any(tree.is_ours(files.read(path) or b"") for path in made)
    return bool(made) and not ours and files.read(SETTINGS) is None


def _chosen(found: Catalogue, names: Sequence[str], *, everything: bool) -> tuple[str, ...]:
    if everything:
        broken = {item.environment for item in found.problems if item.environment}
        return tuple(sorted({*found.definitions, *broken}))
    return tuple(item.name for item in found.chosen(names)) if names else ()


def _is_free(files: Files, name: str, *, keep: bool) -> bool:
    """Whether an environment's files are plain files already."""
    folder = f"{ROOT}/{name}"
    made = list(files.below(f"{folder}/{GENERATED}"))
    ours = any(tree.is_ours(files.read(path) or b"") for path in made)
    defined = files.read(f"{folder}/{FILE_NAME}") is not None
    return bool(made) and not ours and (keep or not defined)


def _require_current(
    files: Files, names: Sequence[str], charts: Charts, renderer: Renderer | None
) -> None:
    if not names:
        return
    generation = generate.generate(files, names, charts, renderer)
    for name in names:
        outcome = generation.outcome(name)
        if outcome is None or outcome.plan or name in generation.failed:
            raise UserError(
                f"the tree of {name} differs from its definition",
                path=f"{ROOT}/{name}/{FILE_NAME}",
                hint=f"run: gen-env generate {name}, or eject it as it is: --as-is",
            )


def _environment(
    files: Files, folder: str, writes: dict[str, str], removals: list[str], *, keep: bool
) -> None:
    for path in files.below(folder):
        content = files.read(path) or b""
        inside = path.removeprefix(f"{folder}/")
        ours = inside.startswith(f"{GENERATED}/") and tree.is_ours(content)
        if ours or (inside.startswith("secrets/") and content.startswith(_SEALED_BY)):
            writes[path] = _plain(content)
        elif inside in (FILE_NAME, lock_file.FILE_NAME) and not keep:
            removals.append(path)


def _repository(files: Files, writes: dict[str, str], removals: list[str], *, keep: bool) -> None:
    for path in files.below(tree.BOOTSTRAP):
        content = files.read(path) or b""
        if tree.is_ours(content):
            writes[path] = _plain(content)
    if not keep:
        removals += [path for path in files.below(SCHEMAS) if tree.is_ours(files.read(path) or b"")]
        removals += [SETTINGS] if files.read(SETTINGS) is not None else []


def _listed(files: Files, settings: Settings, names: Sequence[str]) -> str:
    """The settings with these environments among those that the root applies without a check."""
    text = (files.read(SETTINGS) or b"").decode()
    ejected = [*settings.repository.argocd.root.ejected, *names]
    path = ("argocd", "root", "ejected")
    return edit.set_value(text, path, sorted(set(ejected)), file=SETTINGS)


def _plain(content: bytes) -> str:
    """The text without the lines at its top that say whose it is."""
    lines = content.splitlines(keepends=True)[1:]
    if lines and lines[0].startswith(b"# gen-env "):
        lines = lines[1:]
    return b"".join(lines).decode()


def _steps(
    found: Catalogue, files: Files, names: Sequence[str], *, whole: bool, keep: bool
) -> Iterator[str]:
    if not names:
        return
    engines = {found.deployed.get(name, ("argocd", ""))[0] for name in names}
    reader = " and ".join({"argocd": "Argo CD", "flux": "Flux"}[item] for item in sorted(engines))
    verb = "read" if len(engines) > 1 else "reads"
    files_of = f"{reader} {verb} the same files from the same places"
    yield f"commit this: {files_of}, so nothing is deployed"
    if "argocd" in engines:
        yield (
            "from now on edit generated/values.yaml and generated/application.yaml by hand; the"
            " chart version is targetRevision in the Application"
        )
    if "flux" in engines:
        yield (
            "from now on edit generated/values.yaml and generated/release/release.yaml by hand;"
            " values under the same ConfigMap name reach Helm at the next interval only"
        )
    if not whole and not keep:
        yield (
            "argocd.root.ejected in gen-env.yaml now lists them, so that their files are no longer"
            " checked; it takes effect after the merge, and a writer has to override this change's"
            " check"
        )
    yield "rotate secrets with kubeseal; pods restart only when their annotation is changed too"
    project = found.settings is not None and found.settings.repository.argocd.project.manage
    if project and not whole:
        yield (
            "the managed AppProject lists only environments with a definition: set"
            " argocd.project.manage to false before the next gen-env generate"
        )
    if keep:
        yield "gen-env generate does not overwrite these files: remove them to return to gen-env"
    if whole:
        pipelines = [path for path in _CI if files.read(path) is not None]
        yield "remove gen-env from CI" + (f": {', '.join(pipelines)}" if pipelines else "")
        yield "disconnect the webhook of gen-env's service, if there is one"
