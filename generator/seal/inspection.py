"""What is wrong with a SealedSecret as it stands in git: findings of `validate`, all offline."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from generator.core.errors import UserError
from generator.core.problem import Problem, Severity, ordered
from generator.core.rule import Rule
from generator.seal.random_values import FERNET_KEY
from generator.seal.scopes import Scope, scope_of
from generator.seal.sealed_secret import (
    API_VERSION,
    KIND,
    MAX_SECRET_BYTES,
    SEALED_FOR,
    SEALED_WITH,
    URI_PARTS,
    State,
    annotation,
    encrypted_data,
    plaintext_bytes,
    state,
)
from generator.seal.uri import parse_fingerprints

if TYPE_CHECKING:
    from generator.seal.certificate import SealingCertificate

PLAIN = Rule(
    "secrets/plain",
    Severity.ERROR,
    "A plain Secret in git",
    "Everyone who can read the repository has its values.",
    "Sealed Secrets",
)
KIND_OF_FILE = Rule(
    "secrets/kind",
    Severity.ERROR,
    "Another kind where a SealedSecret is needed",
    "Pods wait for the Secret.",
    "Sealed Secrets",
)
MALFORMED = Rule(
    "secrets/malformed",
    Severity.ERROR,
    "A SealedSecret of another shape",
    "The controller cannot unseal it, and adding a key would lose what it holds.",
    "Sealed Secrets",
)
IDENTITY = Rule(
    "secrets/identity",
    Severity.ERROR,
    "A SealedSecret for another name or namespace",
    "The Secret would be created where no pod reads it.",
    "Sealed Secrets",
    also=((Severity.WARNING, "only its template disagrees, which the controller ignores"),),
)
SCOPE = Rule(
    "secrets/scope",
    Severity.ERROR,
    "Another scope than the settings say",
    "The controller cannot unseal it.",
    "Sealed Secrets",
    also=((Severity.WARNING, "only its template disagrees, which the controller ignores"),),
)
MOVED = Rule(
    "secrets/moved",
    Severity.ERROR,
    "A ciphertext sealed for another place",
    "The controller cannot open it.",
    "Sealed Secrets",
)
MISSING = Rule(
    "secrets/missing",
    Severity.ERROR,
    "A required key that is missing",
    "Pods do not start.",
    "Sealed Secrets",
)
STUB = Rule(
    "secrets/stub",
    Severity.WARNING,
    "A secret that is not sealed yet",
    "Automated sync stays off until it is.",
    "Sealed Secrets",
    tiers=(("", Severity.INFO), ("development", Severity.INFO), ("production", Severity.ERROR)),
)
OLD_FORMAT = Rule(
    "secrets/old-format",
    Severity.ERROR,
    "A ciphertext in spec.data",
    "The controller refuses the old format.",
    "Sealed Secrets",
)
RENEWED = Rule(
    "secrets/renewed",
    Severity.INFO,
    "Sealed with an earlier certificate",
    "It opens as long as it is a key of this cluster's controller; after a leak seal it again.",
    "Sealed Secrets",
)
OTHER_CLUSTER = Rule(
    "secrets/other-cluster",
    Severity.ERROR,
    "Sealed with the certificate of another cluster",
    "The controller of this one cannot open it, and pods wait for the Secret.",
    "Sealed Secrets",
)
REUSED = Rule(
    "secrets/reused",
    Severity.ERROR,
    "One ciphertext in two places",
    "It was copied, not sealed, and opens in one of them only.",
    "Sealed Secrets",
)
ROTATION = Rule(
    "secrets/rotation",
    Severity.ERROR,
    "A rotation of the Fernet key that lost the present key",
    "Stored connections and variables cannot be decrypted.",
    "Sealed Secrets",
    also=((Severity.INFO, "it is under way: until its last step two keys are needed"),),
)
SIZE = Rule(
    "secrets/size",
    Severity.ERROR,
    "More than a Secret may hold",
    "Kubernetes refuses it.",
    "Sealed Secrets",
)
URI = Rule(
    "secrets/uri",
    Severity.WARNING,
    "A connection sealed for another host",
    "Pods would still ask there.",
    "Sealed Secrets",
)
CERTIFICATE = Rule(
    "secrets/certificate",
    Severity.ERROR,
    "A sealing certificate that cannot be used",
    "Nothing can be sealed with it.",
    "Sealed Secrets",
    also=((Severity.WARNING, "it has expired, or the file is missing"),),
)


@dataclasses.dataclass(frozen=True)
class Expected:
    """What the definition demands of one secret; a scope of None leaves the choice open.

    `uri_parts` holds, by key, fingerprints of public parts of which a sealed URI should have one.
    """

    name: str
    namespace: str
    keys: frozenset[str] = frozenset()
    scope: Scope | None = None
    uri_parts: Mapping[str, frozenset[str]] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, slots=True)
class Place:
    """Where findings are reported: environment and file."""

    environment: str = ""
    path: str = ""

    def problem(
        self, rule: Rule, message: str, hint: str = "", severity: Severity | None = None
    ) -> Problem:
        """A finding at this place."""
        return rule.problem(
            message, environment=self.environment, path=self.path, hint=hint, severity=severity
        )


def inspect(
    manifest: Mapping[str, Any],
    expected: Expected,
    place: Place,
    *,
    tier: str = "",
) -> tuple[Problem, ...]:
    """All findings about one manifest; the tier says how much a key still to be sealed matters."""
    wrong_kind = list(_kind(manifest, place))
    if wrong_kind:
        return ordered(wrong_kind)
    return ordered(
        [
            *_identity(manifest, expected, place),
            *_scope(manifest, expected, place),
            *_binding(manifest, place),
            *_keys(manifest, expected, place, tier),
            *_repeated(manifest, place),
            *_uris(manifest, expected, place),
            *_size(manifest, place),
            *_rotation(manifest, place),
        ]
    )


def reused(manifests: Mapping[Place, Mapping[str, Any]]) -> tuple[Problem, ...]:
    """Ciphertexts that stand in more than one manifest; strict ones open in one of them only."""
    seen: dict[str, list[tuple[Place, str]]] = {}
    for place, manifest in manifests.items():
        for key, ciphertext in encrypted_data(manifest).items():
            if ciphertext:
                seen.setdefault(ciphertext, []).append((place, key))
    problems: list[Problem] = []
    for uses in seen.values():
        paths = sorted({place.path for place, _ in uses})
        for place, key in uses if len(paths) > 1 else []:
            others = ", ".join(path for path in paths if path != place.path)
            message = f"the ciphertext of {key} is also used in {others}"
            problems.append(place.problem(REUSED, message, _SEAL_EACH))
    return ordered(problems)


def inspect_certificate(
    certificate: SealingCertificate,
    place: Place,
    *,
    now: datetime.datetime,
    manifests: Mapping[Place, Mapping[str, Any]] | None = None,
    others: Mapping[str, str] | None = None,
) -> tuple[Problem, ...]:
    """An expired certificate (warning) and values sealed with another one.

    The controller renews its key every 30 days and keeps the old ones, so a value sealed with an
    earlier certificate still opens (information). `others` are the clusters by the fingerprints of
    their certificates: what was sealed with one of these does not open here (error).
    """
    problems: list[Problem] = []
    try:
        certificate.require_valid(now)
    except UserError as error:
        problems.append(place.problem(CERTIFICATE, error.message, error.hint, Severity.WARNING))
    for where, manifest in (manifests or {}).items():
        latest = annotation(manifest, SEALED_WITH).split(",")[0]
        if latest and latest != certificate.fingerprint and others and latest in others:
            message = f"sealed with the certificate of the cluster {others[latest]}"
            hint = "seal the values again with this cluster's certificate: gen-env seal"
            problems.append(where.problem(OTHER_CLUSTER, message, hint))
        elif latest and latest != certificate.fingerprint:
            message = "sealed with an earlier certificate of the controller, or another cluster's"
            problems.append(where.problem(RENEWED, message, _RENEWED))
    return ordered(problems)


def _kind(manifest: Mapping[str, Any], place: Place) -> Iterator[Problem]:
    kind, version = manifest.get("kind"), manifest.get("apiVersion")
    if kind == "Secret" and (manifest.get("data") or manifest.get("stringData")):
        message = "plain Secret in git: everyone who can read the repository has its values"
        yield place.problem(PLAIN, message, _EXPOSED)
    elif kind != KIND or version != API_VERSION:
        message = f"expected a {KIND} of {API_VERSION}"
        yield place.problem(KIND_OF_FILE, message, "other objects belong elsewhere")
    elif (manifest.get("spec") or {}).get("data"):
        message = "spec.data is the old format, which the controller refuses"
        yield place.problem(OLD_FORMAT, message, "seal the values again")


def _identity(manifest: Mapping[str, Any], expected: Expected, place: Place) -> Iterator[Problem]:
    metadata = manifest.get("metadata") or {}
    template = ((manifest.get("spec") or {}).get("template") or {}).get("metadata") or {}
    for field, wanted in (("name", expected.name), ("namespace", expected.namespace)):
        if metadata.get(field) != wanted:
            message = f"metadata.{field} is {metadata.get(field)!r}, expected {wanted!r}"
            yield place.problem(IDENTITY, message, _PINNED)
        elif template.get(field, wanted) != wanted:
            message = f"spec.template.metadata.{field} is {template.get(field)!r}, not {wanted!r}"
            hint = "the controller ignores it; make both agree"
            yield place.problem(IDENTITY, message, hint, Severity.WARNING)


def _scope(manifest: Mapping[str, Any], expected: Expected, place: Place) -> Iterator[Problem]:
    outer = scope_of(manifest.get("metadata") or {})
    template = ((manifest.get("spec") or {}).get("template") or {}).get("metadata") or {}
    inner = scope_of(template)
    if expected.scope is not None and outer is not expected.scope:
        message = f"the scope is {outer.value}, expected {expected.scope.value}"
        yield place.problem(SCOPE, message, _PINNED)
    elif inner is not outer:
        message = f"the scope is {outer.value} in metadata and {inner.value} in spec.template"
        hint = "the controller uses metadata.annotations; make both agree"
        yield place.problem(SCOPE, message, hint, Severity.WARNING)


def _binding(manifest: Mapping[str, Any], place: Place) -> Iterator[Problem]:
    from generator.seal import sealing

    sealed_for = annotation(manifest, SEALED_FOR)
    try:
        binding = sealing.binding_of(manifest)
    except UserError:
        return  # without a name or namespace `_identity` has spoken already
    if sealed_for and sealed_for != binding and any(encrypted_data(manifest).values()):
        message = f"sealed for {sealed_for}, but this is {binding}: the controller cannot open it"
        yield place.problem(MOVED, message, "seal all keys again for this place")


def _keys(
    manifest: Mapping[str, Any], expected: Expected, place: Place, tier: str
) -> Iterator[Problem]:
    present = encrypted_data(manifest)
    for key, found in state(manifest, {*expected.keys, *present}).items():
        match found:
            case State.MISSING:
                message = f"the key {key} is missing"
                yield place.problem(MISSING, message, "run gen-env generate")
            case State.STUB:
                hint = "seal it: gen-env seal"
                yield place.problem(STUB, f"{key} is not sealed yet", hint, STUB.severity_in(tier))
            case State.MALFORMED:
                message = f"{key} contains a value that is not sealed"
                yield place.problem(MALFORMED, message, _EXPOSED)
            case State.SEALED:
                pass


def _repeated(manifest: Mapping[str, Any], place: Place) -> Iterator[Problem]:
    by_text: dict[str, list[str]] = {}
    for key, ciphertext in encrypted_data(manifest).items():
        if ciphertext:
            by_text.setdefault(ciphertext, []).append(key)
    for keys in by_text.values():
        if len(keys) > 1:
            message = f"{', '.join(sorted(keys))} share one ciphertext"
            yield place.problem(REUSED, message, _SEAL_EACH)


def _uris(manifest: Mapping[str, Any], expected: Expected, place: Place) -> Iterator[Problem]:
    recorded = parse_fingerprints(annotation(manifest, URI_PARTS))
    sealed = encrypted_data(manifest)
    for key, wanted in sorted(expected.uri_parts.items()):
        if sealed.get(key) and key in recorded and recorded[key] not in wanted:
            message = f"{key} was sealed for another place or scheme than the definition has"
            hint = "seal it again, or correct the definition"
            yield place.problem(URI, message, hint)


def _size(manifest: Mapping[str, Any], place: Place) -> Iterator[Problem]:
    size = plaintext_bytes(manifest)
    if size > MAX_SECRET_BYTES:
        message = f"the Secret would hold {size} bytes; Kubernetes allows {MAX_SECRET_BYTES}"
        yield place.problem(SIZE, message, "split it")


def _rotation(manifest: Mapping[str, Any], place: Place) -> Iterator[Problem]:
    from generator.seal import fernet

    if fernet.needs_attention(manifest):
        message = f"{fernet.NEXT_KEY} is sealed, but {FERNET_KEY} itself is not sealed"
        yield place.problem(ROTATION, message, "restore the file from git")
    elif fernet.stage(manifest) is fernet.Stage.BOTH:
        message = "a rotation of the Fernet key is under way"
        yield place.problem(
            ROTATION, message, "re-encrypt, then seal --rotate-fernet --reencrypted", Severity.INFO
        )


_PINNED = "a sealed value opens only in the place it was sealed for; seal it for this one"
_SEAL_EACH = "seal each value for its own key; equal values give different ciphertexts"
_EXPOSED = "if this is a real value it is exposed by being in git: change it, then seal the new one"
_RENEWED = (
    "if this cluster's controller renewed its key, it still opens the value; if the controller is "
    "another one or was rebuilt, seal the value again"
)
