"""What Flux applies of a repository, and files that change it.

After source-controller and kustomize-controller 1.9 (fluxcd/pkg `sourceignore` and `kustomize`):
`.sourceignore` files at any depth take files out of what is applied; a folder with a
kustomization.yaml gives what that names, and a folder without one all of its YAML files; an
object's annotations and labels decide whether and how it is applied.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from generator.core.errors import UserError
from generator.core.files import Files
from generator.definition.definition import ROOT
from generator.engine import argocd_reach, flux
from generator.engine.argocd_reach import CLOSED, Foreign
from generator.kube import fields
from generator.model.repository import OWN_FOLDER as CLUSTER_FOLDER
from generator.model.repository import Repository
from generator.yaml.errors import YamlError
from generator.yaml.manifests import load_manifests

IGNORE = ".sourceignore"

_KUSTOMIZATIONS = ("kustomization.yaml", "kustomization.yml", "Kustomization")
"""The names under which kustomize finds one (kustomize api/konfig)."""
_FIELDS = {"apiVersion", "kind", "resources", "configMapGenerator"}
_LEFT_OUT = {
    *("appveyor.yml", "cloudbuild.yaml", "codeship-services.yml", "codeship-steps.yml"),
    *(".travis.yml", ".gitlab-ci.yml", ".drone.yml", ".goreleaser.yml", ".sops.yaml", ".flux.yaml"),
}
"""Names that source-controller leaves out by itself, in any folder (sourceignore.go)."""
_REMOVE = "remove it"
_STEERS = re.compile(
    r"(kustomize\.toolkit\.fluxcd\.io/(force|reconcile|ssa|substitute)"
    r"|((internal\.)?config\.kubernetes\.io|kustomize\.config\.k8s\.io)/.*)"
)
# A line that takes out one path from the top, without a pattern.
_PLAIN_PATH = re.compile(r"/([\w.-]+)(/[\w.-]+)*/?")


def cluster_files(repository: Repository, name: str) -> tuple[str, ...]:
    """Where the Flux of one of the clusters may find an environment."""
    return tuple(f"{repository.flux.folder(item)}/{name}.yaml" for item in repository.clusters)


def environment_of(path: str) -> str:
    """The environment whose Kustomizations a file holds, or nothing for any other path."""
    folder, found, name = path.partition(f"/{CLUSTER_FOLDER}/")
    return name.removesuffix(".yaml") if found and not folder.startswith(f"{ROOT}/") else ""


def is_wide(path: str) -> bool:
    """Whether a file outside the environments decides what Flux applies."""
    return bool(environment_of(path)) or posixpath.basename(path) == IGNORE


def may_steer(path: str) -> bool:
    """Whether a file may be a kustomization over a cluster's folder; `in_repository` judges it."""
    return posixpath.basename(path) in _KUSTOMIZATIONS and not path.startswith(f"{ROOT}/")


def paths(repository: Repository) -> tuple[str, ...]:
    """What is read of a repository beside gen-env's folders at its top."""
    folders = {repository.flux.folder(name) for name in repository.clusters}
    if repository.chart.source == "vendored":
        folders.add(repository.chart.path.strip("/"))
    ways = {way for folder in folders for way in _ancestors(folder)}
    beside = {f"{way}/{IGNORE}" for way in ways}
    return (*sorted(folders), *sorted(beside), *sorted(_above(repository)), IGNORE)


def _above(repository: Repository) -> dict[str, str]:
    """Kustomization files that may stand beside gen-env's folders of the clusters, with these."""
    found = {}
    for folder in (repository.flux.folder(name) for name in repository.clusters):
        for name in _KUSTOMIZATIONS:
            found[posixpath.join(posixpath.dirname(folder), name)] = folder
    return {} if repository.flux.root == "own" else found


def _ancestors(folder: str) -> Iterator[str]:
    while folder := posixpath.dirname(folder):
        yield folder


def closed(repository: Repository) -> tuple[str, ...]:
    """Folders beside the environments in which every file is gen-env's or an error."""
    return (flux.ROOTS, *sorted(repository.flux.folder(name) for name in repository.clusters))


def applied(repository: Repository) -> tuple[str, ...]:
    """The folders that the Flux of each cluster applies whole, gen-env's own part among them."""
    if repository.flux.root == "own":
        return ()
    return tuple(
        sorted(posixpath.dirname(repository.flux.folder(it)) for it in repository.clusters)
    )


def is_beside(path: str, repository: Repository) -> bool:
    """Whether a file is in such a folder, and none of gen-env's own."""
    return any(path.startswith(f"{top}/") for top in applied(repository)) and not any(
        path.startswith(f"{folder}/") for folder in closed(repository)
    )


def in_environment(
    files: Files, folder: str, known: Collection[str], others: Collection[str] = ()
) -> Iterator[Foreign]:
    """What stands in an environment's folders of objects and is not among the `known` paths.

    `others` are folders of other environments, which may be below this one.
    """
    beside = tuple(f"{other}/" for other in others if other.startswith(f"{folder}/"))
    inside = tuple(f"{folder}/{part}/" for part in CLOSED)
    for path in sorted(known):
        top, _, name = path.rpartition("/")
        if name in _LEFT_OUT and top != argocd_reach.ACCESS:
            yield Foreign(path, "Flux takes no file of this name from git", "choose another name")
    for path, fault in files.entries(folder):
        if path in known or path.startswith(beside):
            continue
        if path.startswith(inside) and not argocd_reach.is_harmless(path):
            yield foreign(path, fault)


def foreign(path: str, fault: str) -> Foreign:
    """A file in a closed folder of which gen-env knows nothing."""
    why = f"gen-env cannot read it ({fault})" if fault else "gen-env neither made nor knows it"
    return Foreign(path, f"{why}, and Flux gets this folder", argocd_reach.DECLARE)


def in_repository(files: Files, repository: Repository) -> Iterator[Foreign]:
    """Files by which Flux gets less of the repository than is checked here, or changes it."""
    prefix = repository.repository.prefix.split("/")
    places = {ROOT, *paths(repository)} - {IGNORE}
    for place in sorted(places):
        for path, _ in files.entries(place):
            if path.rpartition("/")[2] == IGNORE:
                yield Foreign(path, _LESS, f"{_REMOVE}; one at the top of the repository is read")
    for level in range(len(prefix)):
        # What a file that many folders up calls ours: its paths begin at its own folder.
        own = {prefix[-1 - level]} if level else {place.partition("/")[0] for place in places}
        for path, _ in files.entries(f"{'../' * level}{IGNORE}"):
            lines = (files.read(path) or b"*").decode("utf-8", "replace").splitlines()
            if any(_may_match(line, own) for line in lines):
                yield Foreign(path, _LESS, "name only paths from the top, such as /docs/")
    for place, folder in sorted(_above(repository).items()):
        for path, _ in files.entries(place):
            if why := _less_than(files, path, folder):
                yield Foreign(path, why, _EACH.format(folder))


def _less_than(files: Files, path: str, folder: str) -> str:
    """Why the kustomization over a cluster's folder gives other objects than are in it."""
    own = set(files.below(folder))
    if not own:
        return ""
    try:
        found = load_manifests(files.read(path) or b"", path=path)
    except (UserError, YamlError):
        return f"Flux reads it over {folder}, and gen-env cannot"
    content = found[0] if len(found) == 1 else {}
    if more := sorted(set(content) - (_FIELDS - {"configMapGenerator"})):
        return f"{', '.join(map(str, more))} may change what Flux applies of {folder}"
    top = posixpath.dirname(path)
    names = fields.strings(content, "resources")
    given = {posixpath.normpath(posixpath.join(top, name)) for name in names}
    if gone := sorted(path for path in given - own if path.startswith(f"{folder}/")):
        return f"it names {', '.join(gone)}, not found: Flux applies nothing of it"
    missing = sorted(own - given)
    return f"with it Flux does not apply {', '.join(missing)}" if missing else ""


def _may_match(line: str, own: Collection[str]) -> bool:
    """Whether a line may take out one of our folders: any may that is not a plain path."""
    text = line.strip()
    if not text or text.startswith("#"):
        return False
    plain = _PLAIN_PATH.fullmatch(text)
    return plain is None or plain[1] in own


_EACH = "name each file of {} in its resources, and use no field that changes objects"
_LESS = "with it Flux may get fewer files than are checked here"


def manifests(files: Mapping[str, bytes], folder: str) -> list[str]:
    """The files whose objects the kustomizations of an environment's `folder` give to the cluster.

    Raises UserError for a kustomization that does more than name files of the environment.
    """
    found: list[str] = []
    for place in (flux.PREREQUISITES, flux.RELEASE):
        path = f"{folder}/{place}/{flux.KUSTOMIZATION}"
        if path in files:
            found += _resources(files, path)
    return found


_AGAIN = "gen-env generate writes it again"


def _resources(files: Mapping[str, bytes], path: str) -> Iterator[str]:
    content: dict[str, Any] = next(iter(load_manifests(files[path], path=path)), {})
    if unknown := sorted(set(content) - _FIELDS):
        raise UserError(
            f"{', '.join(unknown)} of this kustomization cannot be read by gen-env",
            path=path,
            hint=_AGAIN,
        )
    names = content.get("resources") or []
    if not isinstance(names, list):
        raise UserError("resources of this kustomization is not a list", path=path, hint=_AGAIN)
    for name in names:
        place = posixpath.normpath(posixpath.join(posixpath.dirname(path), str(name)))
        if place not in files:
            raise UserError(f"{name} not found among the environment's files", path=path)
        yield place


def fault(manifest: Mapping[str, Any]) -> str:
    """Why Flux would apply an object that people bring otherwise than it is shown, or nothing."""
    if why := steered(manifest):
        return why
    if not fields.text(manifest, "metadata", "namespace"):
        return "it has no metadata.namespace, and Flux does not fill one in"
    return ""


def steered(manifest: Mapping[str, Any]) -> str:
    """By which annotation or label Flux would apply an object otherwise, in words, or nothing."""
    for field in ("annotations", "labels"):
        for name in fields.section(manifest, "metadata", field):
            if _STEERS.fullmatch(str(name)):
                return f"its {field} hold {name}, by which Flux applies it otherwise or not at all"
    return ""
