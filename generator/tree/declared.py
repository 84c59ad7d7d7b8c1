"""Objects of a team's own: files in manifests/ that its definition names, and policy allows."""

from __future__ import annotations

import dataclasses
import fnmatch
from collections.abc import Iterator, Mapping
from typing import Any

from generator.core.errors import UserError
from generator.core.files import Files
from generator.core.problem import Problem, Severity
from generator.core.rule import Rule
from generator.definition.own_kinds import allowed_kinds
from generator.definition.resolve import Resolved
from generator.kube.pods import containers, pod_templates
from generator.tree import manifest_file
from generator.tree.objects import MANIFESTS
from generator.yaml.limits import Limits

MISSING = Rule(
    "manifests/missing",
    Severity.ERROR,
    "A declared file that does not exist",
    "Nothing could be applied.",
)
REFUSED = Rule(
    "manifests/refused",
    Severity.ERROR,
    "A file of the team's own that cannot be deployed",
    "Argo CD would read something else in it, or put it into another namespace.",
)
KIND = Rule(
    "policy/manifests",
    Severity.ERROR,
    "An object of a kind that the team may not deploy",
    "Not allowed until policy.tiers or policy.teams in gen-env.yaml names the kind.",
)
IMAGE = Rule(
    "policy/manifest-image",
    Severity.ERROR,
    "An image in a team's own object that the team may not use",
    "policy.teams in gen-env.yaml bounds a team's images.",
)

_LIMITS = Limits()


@dataclasses.dataclass(frozen=True, slots=True)
class OwnFile:
    """One declared file and its objects."""

    path: str
    manifests: tuple[Mapping[str, Any], ...]


def load(files: Files, resolved: Resolved) -> tuple[tuple[OwnFile, ...], list[Problem]]:
    """The declared files of an environment, and everything that is wrong with them."""
    found: list[OwnFile] = []
    problems: list[Problem] = []
    for index, name in enumerate(resolved.environment.manifests):
        path = f"{resolved.definition.folder}/{MANIFESTS}/{name}"
        try:
            content = files.read(path)
            if content is None:
                message, hint = f"{path} not found", "write it, or remove its name here"
                problems.append(resolved.problem(MISSING, message, "manifests", index, hint=hint))
                continue
            own = OwnFile(path, tuple(manifest_file.read(content, path, _LIMITS)))
        except UserError as error:
            problems.append(
                REFUSED.problem(
                    error.message,
                    environment=resolved.name,
                    path=path,
                    line=error.line,
                    hint=error.hint,
                )
            )
            continue
        found.append(own)
        problems += _faults(resolved, own)
    return tuple(found), problems


def _faults(resolved: Resolved, own: OwnFile) -> Iterator[Problem]:
    allowed = allowed_kinds(resolved)
    if not own.manifests:
        yield _refused(resolved, own.path, "the file holds no object")
    for manifest in own.manifests:
        kind, name = manifest_file.identity(manifest)
        if kind not in allowed:
            yield _not_allowed(resolved, own.path, kind, allowed)
        elif why := manifest_file.fault(manifest, resolved.environment):
            yield _refused(resolved, own.path, f"{kind} {name}: {why}")
    yield from _images(resolved, own)


def _refused(resolved: Resolved, path: str, message: str) -> Problem:
    return REFUSED.problem(message, environment=resolved.name, path=path)


def _not_allowed(resolved: Resolved, path: str, kind: str, allowed: frozenset[str]) -> Problem:
    tier = resolved.environment.metadata.tier
    known = ", ".join(sorted(allowed)) or "none"
    return KIND.problem(
        f"environments of tier {tier} may not deploy {kind}",
        environment=resolved.name,
        path=path,
        hint=f"allowed: {known} (policy.tiers.{tier}.manifests and policy.teams in gen-env.yaml)",
    )


def _images(resolved: Resolved, own: OwnFile) -> Iterator[Problem]:
    """A team's images are bounded in its own objects as well."""
    policy = resolved.settings.repository.policy.teams.get(resolved.environment.team)
    patterns = policy.images if policy is not None else None
    if patterns is None:
        return
    for template in pod_templates(own.manifests):
        for _, container in containers(template.spec):
            image = _repository(str(container.get("image") or ""))
            if not any(fnmatch.fnmatchcase(image, item) for item in patterns):
                yield IMAGE.problem(
                    f"team {resolved.environment.team} may not use image {image}",
                    environment=resolved.name,
                    path=own.path,
                    hint=f"allowed: {', '.join(patterns) or 'none'} (policy.teams in gen-env.yaml)",
                )


def _repository(image: str) -> str:
    """`registry.example.com:5000/a/b` of `registry.example.com:5000/a/b:1@sha256:…`."""
    head, slash, last = image.partition("@")[0].rpartition("/")
    return f"{head}{slash}{last.partition(':')[0]}"
