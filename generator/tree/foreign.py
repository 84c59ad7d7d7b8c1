"""Files in reach of the engine that nobody stands for, as findings: `tree/foreign`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any

from generator.core.files import Files
from generator.core.problem import Problem, Severity
from generator.core.rule import Rule
from generator.definition.definition import ROOT
from generator.engine import argocd_reach, deployment, flux_reach
from generator.engine.argocd import GENERATED, PROJECTS
from generator.engine.argocd_reach import Foreign
from generator.kube import fields
from generator.manifests.metadata import FLUX_GUARD, GUARD
from generator.model.repository import Repository
from generator.release.release import Release
from generator.tree import manifest_file
from generator.tree.catalogue import SecretFolder

FOREIGN = Rule(
    "tree/foreign",
    Severity.ERROR,
    "A file that Argo CD or Flux reads and gen-env does not know",
    "It would be applied, or change how other files are read; it was not checked.",
    "Argo CD, reposerver/repository; Flux, kustomize-controller",
)
NOT_JUDGED = Rule(
    "tree/not-judged",
    Severity.ERROR,
    "A managed project while an environment has errors",
    "Its content depends on all of its environments.",
)
EJECTED = Rule(
    "tree/ejected",
    Severity.INFO,
    "An ejected environment that the root Application still applies",
    "argocd.root.ejected in gen-env.yaml names it: its files are not checked.",
)
UNUSED_SECRET = Rule(
    "secrets/unused",
    Severity.WARNING,
    "A sealed file that is not used",
    "gen-env never removes it: the values cannot be recovered.",
)

_SEALED = "SealedSecret.bitnami.com"
_EXTERNAL = "ExternalSecret.external-secrets.io"
_STORE = "SecretStore.external-secrets.io"
_TYPES = ("Opaque", "kubernetes.io/dockerconfigjson", "kubernetes.io/tls", "kubernetes.io/ssh-auth")
_HOOK = "argocd.argoproj.io/hook"
_SHAPE = {"apiVersion", "kind", "metadata", "spec", "status"}
_DECLARE = "declare it in secrets.extra, or remove the file: Argo CD asks before it prunes"


def in_environment(
    files: Files,
    release: Release,
    secrets: SecretFolder,
    known: Collection[str],
    names: Iterable[str],
) -> Iterator[Problem]:
    """What the engine of an environment could apply although nobody stands for it.

    `known` are the paths that generating gives, removes or has complained of, and the declared
    files; `names` all environments of the repository.
    """
    found = list(_secrets(release, secrets, known))
    yield from _leftovers(release, secrets)
    judged = {file.path for file in (*secrets.sealed, *secrets.others)}
    folder = release.resolved.definition.folder
    others = [f"{ROOT}/{name}" for name in names if name != release.resolved.name]
    reach = flux_reach if release.environment.engine == "flux" else argocd_reach
    found += reach.in_environment(files, folder, {*known, *judged}, others)
    yield from (_problem(item, release.resolved.name) for item in found)


def in_repository(
    files: Files,
    repository: Repository,
    known: Collection[str],
    names: Collection[str],
    *,
    flux: bool,
) -> Iterator[Problem]:
    """What the engines could apply although nobody stands for it; `flux` if that is one of them."""
    closed = flux_reach.closed(repository) if flux else ()
    found = list(argocd_reach.in_repository(files, repository, known, names, closed))
    found += flux_reach.in_repository(files, repository) if flux else ()
    yield from (_problem(item, "") for item in found)


def beside(
    files: Files, repository: Repository, names: Collection[str], *, flux: bool
) -> Iterator[Problem]:
    """As `in_repository`, without the folders in which generated files of all environments are."""
    known = {*names, *repository.argocd.root.ejected}
    found = list(argocd_reach.by_root(files, repository, known))
    found += flux_reach.in_repository(files, repository) if flux else ()
    yield from (_problem(item, "") for item in found)


def of_this_change(
    problems: Iterable[Problem], was_there: Callable[[str], bool]
) -> Iterator[Problem]:
    """The problems, with a sealed file that nothing needs as foreign where the base does not have
    that file: it looks like a leftover of gen-env's, but is not one."""
    for item in problems:
        if item.rule == UNUSED_SECRET.id and item.path and not was_there(item.path):
            why = "nothing needs the Secret that it creates, and the base does not have this file"
            yield _problem(Foreign(item.path, why, _DECLARE), item.environment or "")
        else:
            yield item


def ejected(files: Files, repository: Repository) -> Iterator[Problem]:
    """The environments that the settings except from all this."""
    for name in repository.argocd.root.ejected:
        if list(files.below(f"{ROOT}/{name}/{GENERATED}")):
            yield EJECTED.problem(
                f"environment {name} is ejected: its files are applied, and no check reads them",
                path=_main_file(files, f"{ROOT}/{name}"),
            )


def _main_file(files: Files, folder: str) -> str:
    release = f"{folder}/{deployment.HELM_RELEASE}"
    return f"{folder}/{deployment.APPLICATION}" if files.read(release) is None else release


def unjudged(files: Files, projects: Mapping[str, str]) -> Iterator[Problem]:
    """Managed projects that differ from `projects`, while these do not hold every environment."""
    for path in files.below(PROJECTS):
        text = projects.get(path)
        if text is None or files.read(path) != text.encode():
            yield NOT_JUDGED.problem(
                "this project cannot be checked while an environment has errors",
                path=path,
                hint="correct the environment's errors first",
            )


def _problem(item: Foreign, environment: str) -> Problem:
    return FOREIGN.problem(
        f"foreign file: {item.why}", environment=environment, path=item.path, hint=item.hint
    )


def _secrets(release: Release, folder: SecretFolder, known: Collection[str]) -> Iterator[Foreign]:
    """Objects in secrets/ that bring no Secret of the environment's, or bring one twice."""
    needed = {need.name for need in release.needs}
    external = [need.name for need in release.needs if need.provider == "external-secrets"]
    brought = dict.fromkeys(external, "gen-env")
    # The file that generating goes by is the one that counts.
    files = sorted((*folder.sealed, *folder.others), key=lambda file: file.path not in known)
    for file in files:
        kind, name = manifest_file.identity(file.manifest)
        why = _fault(release, file.manifest)
        if why:
            yield Foreign(file.path, why, "remove it")
        elif kind == _STORE:
            continue
        elif name not in needed and not _is_leftover(file.manifest):
            yield Foreign(file.path, f"nothing needs Secret {name}", _DECLARE)
        elif name in brought:
            yield Foreign(
                file.path, f"Secret {name} already comes from {brought[name]}", "remove it"
            )
        brought.setdefault(name, file.path)


def _leftovers(release: Release, folder: SecretFolder) -> Iterator[Problem]:
    """What gen-env once made and nothing needs any more: told, and kept for the way back."""
    needed = {need.name for need in release.needs}
    existing = release.environment.existing.secrets
    for file in folder.sealed:
        if (file.name not in needed or file.name in existing) and _is_leftover(file.manifest):
            yield UNUSED_SECRET.problem(
                f"existing.secrets says that somebody else makes Secret {file.name}"
                if file.name in existing
                else f"nothing needs Secret {file.name} any more",
                environment=release.resolved.name,
                path=file.path,
                hint="remove the file by hand when you are sure; Argo CD asks before it prunes",
            )


def _is_leftover(manifest: Mapping[str, Any]) -> bool:
    """Whether it is a SealedSecret as gen-env makes them: guarded, nothing in it in the clear."""
    annotations = fields.section(manifest, "metadata", "annotations")
    template = fields.section(manifest, "spec", "template")
    sealed = set(template) <= {"metadata", "type"} and template.get("type") in _TYPES
    guarded = any(guard.items() <= annotations.items() for guard in (GUARD, FLUX_GUARD))
    return manifest_file.identity(manifest)[0] == _SEALED and sealed and guarded


def _fault(release: Release, manifest: Mapping[str, Any]) -> str:
    """Why the engine must not be given this object from secrets/, whatever its name."""
    if not manifest:
        return "the file holds no object"
    kind, name = manifest_file.identity(manifest)
    store = release.environment.secrets.store
    own_store = store is not None and (store.kind, store.name) == ("SecretStore", name)
    if kind not in (_SEALED, _EXTERNAL) and not (kind == _STORE and own_store):
        return f"{kind} {name} does not create a Secret"
    if unknown := sorted(set(manifest) - _SHAPE):
        return f"{kind} {name} has {', '.join(unknown)} beside its spec"
    if why := manifest_file.fault(manifest, release.environment):
        return f"{kind} {name}: {why}"
    if _HOOK in fields.section(manifest, "metadata", "annotations"):
        return f"{kind} {name} is an Argo CD hook, which is not kept"
    target = fields.section(manifest, "spec", "target")
    if kind == _EXTERNAL and (target.get("name", name) != name or "manifest" in target):
        return f"{kind} {name} creates another object than Secret {name}"
    return ""
