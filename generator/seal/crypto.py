"""The cipher of sealed-secrets: RSA-OAEP around a session key, AES-256-GCM around the value.

The bytes are those of HybridEncrypt in the controller's pkg/crypto/crypto.go:
two bytes with the length of the RSA part (big endian), the RSA part, the GCM part.
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
import secrets
from typing import TYPE_CHECKING

from generator.redaction.secret import Secret

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

_SESSION_KEY_BYTES = 32
_TAG_BYTES = 16
# A fresh session key is used for exactly one message, which is what makes a zero nonce sound.
_NONCE = bytes(12)
_PREFIX_BYTES = 2
# 1024 to 16384 bits; the controller makes 4096 by default.
_RSA_SIZES = range(128, 2049, 8)


@dataclasses.dataclass(frozen=True, slots=True)
class Sizes:
    """What can be told of a ciphertext without a key, in bytes."""

    rsa: int
    plaintext: int


def encrypt(value: Secret, public_key: RSAPublicKey, label: str) -> str:
    """One value sealed for the controller that holds the private key, as base64 text."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    session_key = Secret(secrets.token_bytes(_SESSION_KEY_BYTES))
    sha256 = hashes.SHA256()
    oaep = padding.OAEP(mgf=padding.MGF1(sha256), algorithm=sha256, label=label.encode())
    wrapped = public_key.encrypt(session_key.reveal(), oaep)
    sealed = AESGCM(session_key.reveal()).encrypt(_NONCE, value.reveal(), None)
    prefix = len(wrapped).to_bytes(_PREFIX_BYTES, "big")
    return base64.b64encode(prefix + wrapped + sealed).decode("ascii")


def measure(ciphertext: str) -> Sizes | None:
    """The sizes inside a ciphertext, or None for what cannot be one.

    Says nothing about whether any key opens it; a plain value pasted in place of a
    ciphertext is recognised, since its first two bytes name no RSA key's length.
    """
    try:
        # Go's decoder, which the controller uses, skips line ends and nothing else.
        raw = base64.b64decode(ciphertext.replace("\r", "").replace("\n", ""), validate=True)
    except (binascii.Error, ValueError):
        return None
    rsa = int.from_bytes(raw[:_PREFIX_BYTES], "big")
    plaintext = len(raw) - _PREFIX_BYTES - rsa - _TAG_BYTES
    if len(raw) < _PREFIX_BYTES or rsa not in _RSA_SIZES or plaintext < 0:
        return None
    return Sizes(rsa=rsa, plaintext=plaintext)
