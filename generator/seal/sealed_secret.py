"""The SealedSecret as a plain mapping: stubs, merging, what each key's state is."""

from __future__ import annotations

import copy
import enum
import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from generator.core.errors import UserError
from generator.seal import scopes
from generator.seal.crypto import measure
from generator.seal.scopes import Scope

API_VERSION = "bitnami.com/v1alpha1"
KIND = "SealedSecret"

SEALED_WITH = "gen-env.dev/sealed-with"
"""Fingerprints of the certificates that sealed what is inside, the latest first."""
SEALED_FOR = "gen-env.dev/sealed-for"
"""The scope and label the values were sealed for; a renamed or moved copy no longer matches."""
URI_PARTS = "gen-env.dev/uri-parts"
"""`key=fingerprint,...` of the public parts of each sealed connection URI."""

# corev1.MaxSecretSize: all values of a Secret together.
MAX_SECRET_BYTES = 1024 * 1024
MAX_FILE_BYTES = 2 * MAX_SECRET_BYTES
"""A file with a SealedSecret: as much in base64, and what stands around it."""
# IsConfigMapKey in k8s.io/apimachinery/pkg/util/validation.
_KEY = re.compile(r"[-._a-zA-Z0-9]{1,253}")
_HASH_DIGITS = 16


class State(enum.StrEnum):
    """What a required key of a secret is at the moment."""

    STUB = "stub"
    SEALED = "sealed"
    MALFORMED = "malformed"
    MISSING = "missing"


def require_key(key: str) -> None:
    """Raise UserError for a name that Kubernetes refuses as the key of a Secret."""
    if not _KEY.fullmatch(key) or key == "." or key.startswith(".."):
        raise UserError(
            f"{key[:60]!r} cannot be the key of a Secret",
            hint="letters, digits, '-', '_' and '.', at most 253 of them",
        )


def stub(
    name: str,
    namespace: str,
    keys: Iterable[str],
    *,
    scope: Scope = Scope.STRICT,
    annotations: Mapping[str, str] | None = None,
    labels: Mapping[str, str] | None = None,
    secret_type: str = "Opaque",
) -> dict[str, Any]:
    """A SealedSecret whose keys are all still to be sealed (empty strings, sorted).

    `annotations` are the SealedSecret's own (sync options, waves); `labels` go to both it and
    the Secret that the controller makes. Scope annotations stand in both places, as kubeseal
    writes them.
    """
    wanted = sorted(set(keys))
    for key in wanted:
        require_key(key)
    marks = scopes.marks(scope)
    metadata = _metadata(name, namespace, {**(annotations or {}), **marks}, labels or {})
    inner = _metadata(name, namespace, marks, labels or {})
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": metadata,
        "spec": {
            "encryptedData": dict.fromkeys(wanted, ""),
            "template": {"metadata": inner, "type": secret_type},
        },
    }


def _metadata(
    name: str, namespace: str, annotations: Mapping[str, str], labels: Mapping[str, str]
) -> dict[str, Any]:
    metadata: dict[str, Any] = {"name": name, "namespace": namespace}
    if annotations:
        metadata["annotations"] = dict(sorted(annotations.items()))
    if labels:
        metadata["labels"] = dict(sorted(labels.items()))
    return metadata


def encrypted_data(manifest: Mapping[str, Any]) -> dict[str, str]:
    """The ciphertexts by key; anything but text counts as empty, as it does for the controller."""
    data = (manifest.get("spec") or {}).get("encryptedData") or {}
    if not isinstance(data, Mapping):
        return {}
    return {str(key): value if isinstance(value, str) else "" for key, value in data.items()}


def merge(manifest: Mapping[str, Any], sealed: Mapping[str, str]) -> dict[str, Any]:
    """A copy of the manifest with these ciphertexts put in; every other key stays as it is."""
    result: dict[str, Any] = copy.deepcopy(dict(manifest))
    spec = result.setdefault("spec", {})
    if not isinstance(spec.get("encryptedData"), Mapping):
        spec["encryptedData"] = {}
    for key in sorted(sealed):
        require_key(key)
        spec["encryptedData"][key] = sealed[key]
    return result


def add_missing(manifest: Mapping[str, Any], keys: Iterable[str]) -> dict[str, Any]:
    """A copy with an empty entry for each key that isn't there yet; nothing else changes."""
    present = encrypted_data(manifest)
    return merge(manifest, {key: "" for key in keys if key not in present})


def annotated(manifest: Mapping[str, Any], annotations: Mapping[str, str]) -> dict[str, Any]:
    """A copy with these annotations on the SealedSecret itself; nothing else changes."""
    found: dict[str, Any] = copy.deepcopy(dict(manifest))
    metadata = found.setdefault("metadata", {})
    metadata["annotations"] = {**(metadata.get("annotations") or {}), **annotations}
    return found


def state(manifest: Mapping[str, Any], required: Iterable[str]) -> dict[str, State]:
    """Per required key, sorted: still a stub, sealed, malformed, or missing altogether."""
    data = encrypted_data(manifest)
    return {key: _state_of(data.get(key)) for key in sorted(set(required))}


def _state_of(ciphertext: str | None) -> State:
    if ciphertext is None:
        return State.MISSING
    if not ciphertext.strip():
        return State.STUB
    return State.SEALED if measure(ciphertext) else State.MALFORMED


def content_hash(manifest: Mapping[str, Any], keys: Iterable[str] | None = None) -> str:
    """A short hash of the ciphertexts (all, or of these keys) for the pods that use them.

    It covers what the resulting Secret is made of: ciphertexts, template data and type.
    """
    data = encrypted_data(manifest)
    template = (manifest.get("spec") or {}).get("template") or {}
    chosen = sorted(data if keys is None else set(keys) & set(data))
    content = {
        "encryptedData": {key: data[key] for key in chosen},
        "templateData": template.get("data") or {},
        "type": template.get("type") or "Opaque",
    }
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:_HASH_DIGITS]


def annotation(manifest: Mapping[str, Any], name: str) -> str:
    """One annotation of the SealedSecret itself, or the empty string."""
    value = ((manifest.get("metadata") or {}).get("annotations") or {}).get(name)
    return value if isinstance(value, str) else ""


def plaintext_bytes(manifest: Mapping[str, Any]) -> int:
    """How many bytes the values have together, told from the ciphertexts alone."""
    found = (measure(ciphertext) for ciphertext in encrypted_data(manifest).values())
    return sum(sizes.plaintext for sizes in found if sizes)
