"""SealedSecrets as `validate` sees them: in their place, with their certificate, each by itself."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from generator.core.errors import UserError
from generator.core.files import Files
from generator.core.problem import NotDone, Problem, Severity
from generator.model.repository import CONTROLLER
from generator.pipeline.generate import Built
from generator.release.release import Release
from generator.seal import certificate, derived_values, inspection
from generator.seal.inspection import CERTIFICATE, STUB, Place
from generator.seal.scopes import Scope


def problems(
    built: Built, release: Release, files: Files, now: datetime.datetime
) -> tuple[list[Problem], list[NotDone]]:
    """Identity, scope, stubs, certificate of one environment's secrets; all of it offline."""
    environment = release.environment
    needs = {need.name: need for need in release.sealed}
    if not needs:
        return [], []
    found: list[Problem] = []
    for place, name, manifest in _placed([built]):
        # A file that was renamed inside still stands where the Secret by that name is expected.
        need = needs.get(name) or needs.get(PurePosixPath(place.path).stem)
        if need is None:
            continue
        expected = inspection.Expected(
            need.name,
            environment.namespace,
            frozenset(need.key_names),
            Scope(environment.secrets.scope),
            derived_values.expected_uri_parts(release, need),
        )
        own = inspection.inspect(manifest, expected, place, tier=environment.metadata.tier)
        found += _one_a_file(own, built.name, need.name)
    more, not_done = _certificate(built, release, files, now)
    return [*found, *more], not_done


def reused(everybody: Iterable[Built]) -> tuple[Problem, ...]:
    """Ciphertexts that stand in more than one file of the repository."""
    return inspection.reused({place: manifest for place, _, manifest in _placed(everybody)})


def _placed(everybody: Iterable[Built]) -> Iterator[tuple[Place, str, Mapping[str, Any]]]:
    for built in everybody:
        for file in built.secrets:
            yield Place(built.name, file.path), file.name, file.manifest


def _one_a_file(found: Iterable[Problem], environment: str, secret: str) -> Iterator[Problem]:
    """All keys of a file that are still to be sealed as one finding, with the command."""
    stubs: list[Problem] = []
    for problem in found:
        if problem.rule == STUB.id:
            stubs.append(problem)
        else:
            yield problem
    if stubs:
        keys = [problem.message.removesuffix(" is not sealed yet") for problem in stubs]
        message = f"not sealed yet: {', '.join(keys)}"
        hint = f"gen-env seal {environment} {secret}"
        yield dataclasses.replace(stubs[0], message=message, hint=hint)


def _certificate(
    built: Built, release: Release, files: Files, now: datetime.datetime
) -> tuple[tuple[Problem, ...], list[NotDone]]:
    """Expired, renewed, or not there; a certificate elsewhere is not fetched for this."""
    name = release.resolved.cluster.sealing.certificate
    if name is None:
        return (), []
    if name == CONTROLLER or "://" in name:
        hint = "seal looks at it; a file in the repository is looked at here too"
        return (), [NotDone("sealing certificate", f"not found in the repository: {name}", hint)]
    place = Place(built.name, name)
    content = files.read(name)
    if content is None:
        message = "the sealing certificate that gen-env.yaml names does not exist"
        hint = f"gen-env seal {built.name} --fetch-cert writes it; commit it at that path"
        return (place.problem(CERTIFICATE, message, hint, Severity.WARNING),), []
    try:
        parsed = certificate.parse(content, name)
    except UserError as error:
        return (place.problem(CERTIFICATE, error.message, error.hint),), []
    manifests = {at: manifest for at, _, manifest in _placed([built])}
    others = _others(release, files)
    return (
        inspection.inspect_certificate(parsed, place, now=now, manifests=manifests, others=others),
        [],
    )


def _others(release: Release, files: Files) -> dict[str, str]:
    """The other clusters by the fingerprints of their certificates, where these are files."""
    own = release.resolved.cluster
    found: dict[str, str] = {}
    for name, cluster in release.resolved.settings.repository.clusters.items():
        path = cluster.sealing.certificate
        if cluster.server == own.server or path is None or path == CONTROLLER or "://" in path:
            continue
        try:
            content = files.read(path)
            parsed = certificate.parse(content, path) if content is not None else None
        except UserError:
            continue  # of its own environments, `secrets/certificate` tells
        if parsed is not None:
            found[parsed.fingerprint] = name
    return found
