"""Seal values into a SealedSecret: the one way by which plaintext becomes ciphertext."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

from generator.core.errors import UserError
from generator.redaction.secret import Secret
from generator.release.broker import KWARGS_KEY
from generator.seal import pgbouncer, scopes
from generator.seal.certificate import SealingCertificate
from generator.seal.crypto import encrypt, measure
from generator.seal.sealed_secret import (
    API_VERSION,
    KIND,
    MAX_SECRET_BYTES,
    SEALED_FOR,
    SEALED_WITH,
    URI_PARTS,
    annotation,
    encrypted_data,
    merge,
    require_key,
)
from generator.seal.uri import (
    fingerprint_of,
    format_fingerprints,
    parse_fingerprints,
    sentinel_kwargs_fingerprint,
)


def seal(
    manifest: Mapping[str, Any],
    values: Mapping[str, Secret],
    certificate: SealingCertificate,
    *,
    now: datetime.datetime,
) -> dict[str, Any]:
    """A copy of the manifest in which these values are sealed; other keys stay untouched.

    Name, namespace and scope are the manifest's own. Records the certificate's fingerprint, the
    place the values are bound to, and the fingerprint of each URI's public parts. Raises UserError
    for an expired certificate, an empty or oversized value, a name that is no key, and a manifest
    that was renamed or moved while keys remain that were sealed for its old place.
    """
    certificate.require_valid(now)
    binding = binding_of(manifest)
    _require_sound(manifest, values)
    _require_same_place(manifest, values, binding)
    label = _label(manifest)
    sealed = {key: encrypt(values[key], certificate.public_key, label) for key in sorted(values)}
    marks = {
        SEALED_WITH: _fingerprints(manifest, values, certificate.fingerprint),
        SEALED_FOR: binding,
        URI_PARTS: _uri_parts(manifest, values),
    }
    return _annotated(merge(manifest, sealed), marks)


def binding_of(manifest: Mapping[str, Any]) -> str:
    """`strict namespace/name`, `namespace-wide namespace` or `cluster-wide`, by its metadata."""
    scope = scopes.scope_of(manifest.get("metadata") or {})
    return f"{scope.value} {_label(manifest)}".rstrip()


def _label(manifest: Mapping[str, Any]) -> str:
    metadata = manifest.get("metadata") or {}
    namespace, name = str(metadata.get("namespace") or ""), str(metadata.get("name") or "")
    scope = scopes.scope_of(metadata)
    if not name or (not namespace and scope is not scopes.Scope.CLUSTER_WIDE):
        raise UserError("the SealedSecret has no name or no namespace to be sealed for")
    return scopes.label(scope, namespace, name)


def _require_sound(manifest: Mapping[str, Any], values: Mapping[str, Secret]) -> None:
    if manifest.get("kind") != KIND or manifest.get("apiVersion") != API_VERSION:
        raise UserError(f"not a {KIND} of {API_VERSION}")
    if not values:
        raise UserError("nothing to seal")
    empty = sorted(key for key, value in values.items() if not value.size)
    if empty:
        raise UserError(f"no value for {', '.join(empty)}")
    for key in values:
        require_key(key)
    kept = (measure(text) for key, text in encrypted_data(manifest).items() if key not in values)
    total = sum(sizes.plaintext for sizes in kept if sizes)
    total += sum(value.size for value in values.values())
    if total > MAX_SECRET_BYTES:
        raise UserError(
            f"the Secret would hold {total} bytes; Kubernetes allows {MAX_SECRET_BYTES}",
            hint="split it, or keep large files in a volume or an object store",
        )


def _kept(manifest: Mapping[str, Any], values: Mapping[str, Secret]) -> list[str]:
    """The keys that hold a ciphertext and are not sealed anew."""
    return sorted(k for k, text in encrypted_data(manifest).items() if text and k not in values)


def _require_same_place(
    manifest: Mapping[str, Any], values: Mapping[str, Secret], binding: str
) -> None:
    before, kept = annotation(manifest, SEALED_FOR), _kept(manifest, values)
    if before and before != binding and kept:
        raise UserError(
            f"{', '.join(kept)} were sealed for {before}, and this SealedSecret is now {binding}",
            hint="seal all keys again: the controller opens a value only where it was sealed for",
        )


def _fingerprints(manifest: Mapping[str, Any], values: Mapping[str, Secret], latest: str) -> str:
    """The latest first; earlier ones stay as long as something they may have sealed does."""
    before = annotation(manifest, SEALED_WITH).split(",") if _kept(manifest, values) else []
    return ",".join(dict.fromkeys([latest, *(mark for mark in before if mark)]))


def _uri_parts(manifest: Mapping[str, Any], values: Mapping[str, Secret]) -> str:
    before = parse_fingerprints(annotation(manifest, URI_PARTS))
    parts = {key: mark for key, mark in before.items() if key not in values}
    found = {
        key: sentinel_kwargs_fingerprint(value)
        if key == KWARGS_KEY
        else fingerprint_of(value) or pgbouncer.fingerprint_of(value)
        for key, value in values.items()
    }
    return format_fingerprints(parts | {key: mark for key, mark in found.items() if mark})


def _annotated(manifest: dict[str, Any], marks: Mapping[str, str]) -> dict[str, Any]:
    """The manifest with these annotations set in place; an empty one is taken away."""
    metadata = manifest["metadata"]
    if not isinstance(metadata.get("annotations"), Mapping):
        metadata["annotations"] = {}
    for name, value in sorted(marks.items()):
        if value:
            metadata["annotations"][name] = value
        else:
            metadata["annotations"].pop(name, None)
    return manifest
