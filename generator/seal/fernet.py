"""Rotating the Fernet key without losing what it encrypted: new,old, then re-encrypt, then new.

Airflow reads a comma-separated list: it encrypts with the first key and decrypts with any.
The secret walks from `single` to `both` and back. Both ciphertexts are made in the first step
(the final one waits under a key of its own), so that the last step needs no plaintext.
"""

from __future__ import annotations

import copy
import datetime
import enum
import hashlib
import re
from collections.abc import Iterable, Mapping
from typing import Any

from generator.core.errors import UserError
from generator.redaction.secret import Secret
from generator.seal import random_values, sealing
from generator.seal.certificate import SealingCertificate
from generator.seal.random_values import FERNET_KEY
from generator.seal.sealed_secret import State, annotation, encrypted_data, state

NEXT_KEY = "fernet-key-next"
"""Where the new key alone waits, sealed, until everything has been encrypted with it."""
CHECK = "gen-env.dev/fernet-check"
"""A short hash of a key that we generated (256 random bits: there is nothing to guess)."""

_KEY = re.compile(r"[A-Za-z0-9_-]{43}=")
_CHECK_DIGITS = 12


class Stage(enum.StrEnum):
    """Where a rotation stands, told from the SealedSecret alone."""

    UNSEALED = "unsealed"
    SINGLE = "single"
    BOTH = "both"


def stage(manifest: Mapping[str, Any]) -> Stage:
    """No key yet, one key, or new and old side by side."""
    found = state(manifest, [FERNET_KEY, NEXT_KEY])
    if found[FERNET_KEY] is not State.SEALED:
        return Stage.UNSEALED
    return Stage.BOTH if found[NEXT_KEY] is State.SEALED else Stage.SINGLE


def require_replaceable(
    manifest: Mapping[str, Any], keys: Iterable[str], *, generated: bool
) -> None:
    """Raise UserError where sealing these keys would throw away a Fernet key that is in use.

    A generated key never replaces a sealed one: all connections and variables in the database
    would be lost. While a rotation is under way nothing may replace either key.
    """
    touched = sorted({FERNET_KEY, NEXT_KEY} & set(keys))
    found = stage(manifest)
    if touched and found is Stage.BOTH:
        raise UserError(
            "a rotation of the Fernet key is under way", hint="finish it: seal --rotate-fernet"
        )
    if touched and generated and found is Stage.SINGLE:
        raise UserError(
            "the Fernet key is sealed already; another one would make every connection and "
            "variable in the database unreadable",
            hint="rotate it instead: seal --rotate-fernet",
        )


def start(
    manifest: Mapping[str, Any],
    old: Secret,
    certificate: SealingCertificate,
    *,
    now: datetime.datetime,
) -> dict[str, Any]:
    """From `single` to `both`: a new key in front of `old`, the value in use at present.

    Raises UserError in any other stage, when `old` is no Fernet key (or list of them), and when
    it is provably not the one that was sealed.
    """
    if stage(manifest) is not Stage.SINGLE:
        raise UserError(
            f"a rotation starts from one sealed key; this secret is {stage(manifest).value}",
            hint="seal a key first, or finish the rotation that is under way",
        )
    _require_in_use(manifest, old)
    new = random_values.fernet_key()
    both = Secret(new.reveal() + b"," + old.reveal())
    sealed = sealing.seal(manifest, {FERNET_KEY: both, NEXT_KEY: new}, certificate, now=now)
    return record(sealed, new)


def finish(manifest: Mapping[str, Any], *, reencrypted: bool) -> dict[str, Any]:
    """From `both` to `single`: the old key goes. Needs no certificate and no plaintext.

    `reencrypted` is the caller's word that `airflow rotate-fernet-key` ended well on this
    database; without it, and in any other stage, raises UserError.
    """
    if stage(manifest) is not Stage.BOTH:
        raise UserError(
            f"there is no rotation to finish; this secret is {stage(manifest).value}",
            hint="start one: seal --rotate-fernet",
        )
    if not reencrypted:
        raise UserError(
            "without re-encryption everything the old key encrypted would be lost",
            hint="run airflow rotate-fernet-key to completion, then confirm it with --reencrypted",
        )
    result: dict[str, Any] = copy.deepcopy(dict(manifest))
    data = result["spec"]["encryptedData"]
    data[FERNET_KEY] = data.pop(NEXT_KEY)
    return result


def record(manifest: dict[str, Any], generated: Secret) -> dict[str, Any]:
    """Note in place the check of a key that we generated, so that a rotation can be sure of it.

    Not for keys that people bring: those may be weaker than they look, and a hash would help to
    guess them.
    """
    metadata = manifest["metadata"]
    if not isinstance(metadata.get("annotations"), Mapping):
        metadata["annotations"] = {}
    metadata["annotations"][CHECK] = _check(generated.reveal())
    return manifest


def instructions(found: Stage, *, namespace: str, workload: str) -> str:
    """What a person does next; `workload` is the scheduler, such as `deploy/airflow-scheduler`."""
    return _TEXTS[found].format(namespace=namespace, workload=workload)


def needs_attention(manifest: Mapping[str, Any]) -> bool:
    """Whether the spare key is there without the one it should replace."""
    data = encrypted_data(manifest)
    return bool(data.get(NEXT_KEY)) and stage(manifest) is Stage.UNSEALED


def _require_in_use(manifest: Mapping[str, Any], old: Secret) -> None:
    keys = old.text().split(",")
    if not all(_KEY.fullmatch(key) for key in keys):
        raise UserError(
            "the present value is not a Fernet key",
            hint="32 bytes in url-safe base64 (44 characters); several are joined by commas",
        )
    expected = annotation(manifest, CHECK)
    if expected and _check(keys[0].encode()) != expected:
        raise UserError(
            "this is not the Fernet key that was sealed here",
            hint="read the one in use from the cluster's Secret; the wrong one loses data",
        )


def _check(key: bytes) -> str:
    return hashlib.sha256(b"gen-env fernet check\0" + key).hexdigest()[:_CHECK_DIGITS]


_TEXTS = {
    Stage.UNSEALED: "No Fernet key is sealed yet. Seal one first (--generate makes it).\n",
    Stage.SINGLE: (
        "One Fernet key is in use. The first step puts a new key in front of it: Airflow then\n"
        "encrypts with the new one and still reads what the old one encrypted.\n"
    ),
    Stage.BOTH: (
        "New and old key are sealed side by side. Now:\n"
        "  1. Merge this, and wait until every pod in {namespace} runs with the new value\n"
        "     (its annotation changes, so that all of them restart).\n"
        "  2. Re-encrypt connections and variables, once:\n"
        "       kubectl --namespace {namespace} exec {workload} -- airflow rotate-fernet-key\n"
        "  3. When that has succeeded, drop the old key: seal --rotate-fernet --reencrypted\n"
        "Keep a copy of the old key as long as you keep backups of the database made before.\n"
    ),
}
