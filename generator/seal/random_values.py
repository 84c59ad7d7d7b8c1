"""Values that can be random: made here, sealed, and never shown to anybody."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping

from generator.core.errors import UserError
from generator.redaction.secret import Secret

FERNET_KEY = "fernet-key"


def fernet_key() -> Secret:
    """A Fernet key as Airflow reads it: 32 random bytes in url-safe base64."""
    from cryptography.fernet import Fernet

    return Secret(Fernet.generate_key())


def signing_key() -> Secret:
    """128 characters, as long as the chart's own JWT secret; enough for HS512."""
    return Secret(secrets.token_urlsafe(96))


def password() -> Secret:
    """192 bits in hexadecimal digits, which need no escaping in a URI, a shell or an ini file."""
    return Secret(secrets.token_hex(24))


# By the Secret key that the chart reads; whatever has to agree with a server outside is not here.
_MAKERS: Mapping[str, Callable[[], Secret]] = {
    FERNET_KEY: fernet_key,
    "api-secret-key": signing_key,
    "jwt-secret": signing_key,
    "webserver-secret-key": signing_key,
    "password": password,
    "postgres-password": password,
}


def can_generate(key: str) -> bool:
    """Whether a random value serves for this key of a Secret."""
    return key in _MAKERS


def generate(keys: Iterable[str]) -> dict[str, Secret]:
    """A fresh value per key; raises UserError naming every key that can't be random."""
    wanted = sorted(set(keys))
    others = [key for key in wanted if key not in _MAKERS]
    if others:
        raise UserError(
            f"cannot generate a random value for {', '.join(others)}",
            hint="give these by prompt, --from-file or --from-env-file; "
            f"--generate supports {', '.join(sorted(_MAKERS))}",
        )
    return {key: _MAKERS[key]() for key in wanted}
