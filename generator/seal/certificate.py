"""The controller's public certificate: what it is, how long it holds, and where it comes from."""

from __future__ import annotations

import dataclasses
import datetime
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from generator.core import http
from generator.core.errors import UserError
from generator.core.http_policy import FetchError, Policy, shown

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

_MIN_BITS = 2048
_POLICY = Policy(max_bytes=64 * 1024, connect_seconds=5.0, read_seconds=15.0)
_REFRESH = "fetch the present one: gen-env seal ENV --fetch-cert, or kubeseal --fetch-cert > FILE"


@dataclasses.dataclass(frozen=True)
class SealingCertificate:
    """An RSA certificate to seal with; `fingerprint` is `sha256:` and the hex digest of its
    public key (SubjectPublicKeyInfo), so a certificate signed anew over the same key is the same.
    """

    fingerprint: str
    not_before: datetime.datetime
    not_after: datetime.datetime
    public_key: RSAPublicKey
    source: str = ""

    def require_valid(self, now: datetime.datetime) -> None:
        """Raise UserError when it has expired or isn't valid yet at that moment."""
        if now > self.not_after:
            raise UserError(
                f"the sealing certificate expired on {self.not_after:%Y-%m-%d}",
                path=self.source,
                hint=_REFRESH,
            )
        if now < self.not_before:
            raise UserError(
                f"the sealing certificate is not valid before {self.not_before:%Y-%m-%d %H:%M} UTC",
                path=self.source,
                hint="check this machine's clock, or fetch the certificate of the right cluster",
            )


def parse(data: bytes, source: str = "") -> SealingCertificate:
    """The first certificate of a PEM text; like kubeseal, the ones after it don't count.

    Raises UserError for anything but a certificate with an RSA key of 2048 bits or more.
    Validity in time is not judged here; see `require_valid`.
    """
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    _refuse_private(data, source)
    try:
        found = x509.load_pem_x509_certificate(data)
        public_key = found.public_key()
    except Exception as error:  # cryptography names several; each means that it can't be read
        raise UserError("not a certificate in PEM form", path=source, hint=_REFRESH) from error
    if not isinstance(public_key, RSAPublicKey):
        kind = type(public_key).__name__.removesuffix("PublicKey")
        raise UserError(
            f"the certificate has a key of type {kind}, not RSA", path=source, hint=_REFRESH
        )
    if public_key.key_size < _MIN_BITS:
        raise UserError(
            f"the certificate's RSA key has {public_key.key_size} bits; at least {_MIN_BITS} are "
            f"required",
            path=source,
            hint=_REFRESH,
        )
    spki = public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return SealingCertificate(
        fingerprint="sha256:" + hashlib.sha256(spki).hexdigest(),
        not_before=found.not_valid_before_utc,
        not_after=found.not_valid_after_utc,
        public_key=public_key,
        source=source,
    )


def _refuse_private(data: bytes, source: str) -> None:
    if b"PRIVATE KEY-----" in data:
        raise UserError(
            "this file holds a private key; a sealing certificate is public",
            path=source,
            hint="if it is the controller's key and was committed, every sealed value is exposed: "
            "renew the controller's key and rotate the values",
        )


def load(source: str, root: Path, *, ca: Path | None = None) -> SealingCertificate:
    """The certificate a setting names: a file below `root`, or an https URL.

    `ca` is a bundle to trust for the URL. Raises UserError for what can't be reached or read.
    """
    if "://" in source:
        return parse(fetch(source, ca=ca), source)
    path = (root / source).resolve()
    if not path.is_relative_to(root.resolve()):
        raise UserError(
            "the certificate's path is outside the repository",
            path=source,
            hint="keep the file in the repository, or give an https URL",
        )
    return read(path, source)


def read(path: Path, source: str) -> SealingCertificate:
    """The certificate in a file that people call `source`; raises UserError."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UserError(
            f"cannot read the sealing certificate: {error.strerror}", path=source, hint=_REFRESH
        ) from None
    return parse(data, source)


def fetch(url: str, *, ca: Path | None = None) -> bytes:
    """The bytes behind an https URL (plain http on loopback only); redirects are not followed.

    Whoever can change these bytes reads every value sealed with them, hence the strictness.
    """
    try:
        response = http.get(url, dataclasses.replace(_POLICY, ca_file=ca))
    except FetchError as error:
        hint = error.hint or "check the address, the network and the certificate authority"
        message = f"cannot fetch the sealing certificate: {error.message}"
        raise UserError(message, hint=hint) from None
    if response.status != 200:
        raise UserError(f"the server answered {response.status}", path=shown(url))
    return response.body
