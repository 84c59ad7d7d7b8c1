"""Whether a name (of a variable, a key, a flag) says that its value is a secret.

Some names say so whatever the value is (`DB_PASSWORD`), some unless the value is plainly a path or
a reference (`SSH_KEY`), and some only where the value does not read like a name (`ROUTING_KEY`).
"""

from __future__ import annotations

import enum
import functools
import re

from generator.redaction import references

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")


def words_of(text: str) -> frozenset[str]:
    """A set of words, as it is written here to be read."""
    return frozenset(text.split())


class Claim(enum.IntEnum):
    """How surely a name speaks of a secret; see `holds_secret`."""

    NONE = 0
    UNLESS_NAME = 1
    UNLESS_PATH = 2
    ALWAYS = 3


# One of these words anywhere in the name is enough ...
_TELLING = re.compile(
    "apikey|creds?|dockerc(?:fg|onfigjson)|dsn|fernet|passcode|[a-z]+pwd"
    "|(?:admin|bind|db|ftp|ldap|root|smtp|user)pw|(?:admin|db|require|ssh)pass|masterauth"
    "|[a-z]*(?:passphrase|passwd|password|secret|token)s?"
    "|(?:[a-z]*)(?:contrasena|kennwort|passwort|senha|wachtwoord)"
)
# ... unless the name ends like this: then it speaks about the secret and does not hold it.
_ABOUT = re.compile(
    "alg(?:orithm)?|annotations|arn|audience|backend|budget|bytes|class|cmd|count|created"
    "|dir(?:ectory)?|enabled|endpoint|env|expir(?:ation|y)|file|format|hash|header|hours|id"
    "|interval|issuer|kind|kwargs|labels|length|lifetime|limits?|max|method|min|minutes|mode|mount"
    "|names?|namespace|options|path|policy|prefix|provider|refs?|requests|retries|rotation|scopes?"
    "|seconds|size|store|threshold|time|timeout|ttl|type|ur[il]s?|version|volume|window"
)
_COUNTED = frozenset({"max", "min", "num", "total"})  # max_tokens: 4096
_LAST = words_of("pass pw sas pat privatekey secretkey accesskey instrumentationkey")
# How a value is written, behind what it is: `SIGNING_KEY_HEX`, `API_KEY_V2`.
_SPELLING = words_of("b base hex json pem v val value")
_LAST_UNLESS_PATH = frozenset({"pwd", "credential", "credentials"})
_LAST_UNLESS_NAME = words_of(
    "auth authorization bearer cookie hmac key otp pepper psk salt seed signature"
)
_VARIANTS = words_of(
    "active backup current dev eu fallback live next new old prev previous primary prod"
    " production qa sandbox secondary stage staging test us"
)
# Words at the end that hold a secret together, whatever stands before them.
_TOGETHER = frozenset(
    {("basic", "auth"), ("connection", "string"), ("key", "data"), ("secret", "id")}
)
# `… key`: those that are secrets, and those that never are. Any other is judged by its value.
_SECRET_KEYS = words_of(
    "access account admin api app application auth bot client encryption hmac ingest"
    " integration jwt license master private service session shared signing ssh storage"
    " subscription webhook write"
)
# One word of both, as many write it: `writekey`, `encryptionkey`.
_JOINED_KEY = re.compile(f"({'|'.join(sorted(_SECRET_KEYS))})key")
_PLAIN_KEYS = words_of(
    "blob bucket cache cluster column config context dedup dict event field foreign group"
    " hash idempotency index join label lookup map merge message object order partition"
    " primary public publishable range row shard sort topology translation unique xcom"
)
# `… secret`: the name of a Secret, as charts write it, unless the value cannot be one.
_SECRET_OF = words_of(
    "auth ca cert certificate config connection credential credentials database existing"
    " fernet image ingress key metadata password pull registry ssl tls"
)
_CHECKSUM = re.compile(r"checksum/|sha256[:/]")


def holds_secret(name: str, value: str) -> bool:
    """Whether the value under this name is a secret: references and, for keys, paths are none."""
    certainty = claim(name)
    if certainty is Claim.NONE or references.is_reference(value):
        return False
    if certainty is Claim.ALWAYS:
        return True
    if references.is_place(value):
        return False
    return certainty is Claim.UNLESS_PATH or not references.is_name(value)


@functools.lru_cache(maxsize=4_096)
def claim(name: str) -> Claim:
    """What the name alone says."""
    if len(name) > 256 or _CHECKSUM.match(name):
        return Claim.NONE
    if name.upper().startswith("AIRFLOW_CONN_"):
        return Claim.ALWAYS
    words = _words(name)
    if not words or words[0] in _COUNTED or _is_lookup(name, words):
        return Claim.NONE
    return _of_words(words)


def _words(name: str) -> list[str]:
    words = [word.lower() for word in _WORD.findall(name)]
    while words and (words[-1].isdigit() or (len(words) > 1 and words[-1] in _SPELLING)):
        words.pop()
    if words and words[-1] == "keys":
        words[-1] = "key"
    if words and (joined := _JOINED_KEY.fullmatch(words[-1])):
        words[-1:] = [joined[1], "key"]
    return words


def _is_lookup(name: str, words: list[str]) -> bool:
    """`AIRFLOW__CORE__FERNET_KEY_SECRET` names the entry of the secrets backend to read."""
    if not name.startswith("AIRFLOW__") or words[-1] != "secret":
        return False
    return claim(name.removesuffix("_SECRET")) is not Claim.NONE or words[-2:-1] in (
        ["conn"],
        ["url"],
        ["backend"],
    )


def _of_words(words: list[str]) -> Claim:
    last, before = words[-1], words[-2] if len(words) > 1 else ""
    if (before, last) in _TOGETHER:
        return Claim.NONE if "public" in words else Claim.ALWAYS
    if _ABOUT.fullmatch(last):
        return Claim.NONE
    if last in ("secret", "secrets") and before in _SECRET_OF:
        return Claim.UNLESS_NAME
    if last == "key":
        return _of_key(words, before)
    if last in _LAST or any(_TELLING.fullmatch(word) for word in words):
        return Claim.ALWAYS
    if last in _LAST_UNLESS_PATH:
        return Claim.UNLESS_PATH
    if before == "key" and last in _VARIANTS:  # `API_KEY_PROD`: which of several it is
        return _of_words(words[:-1])
    return Claim.UNLESS_NAME if last in _LAST_UNLESS_NAME else Claim.NONE


def _of_key(words: list[str], before: str) -> Claim:
    if before in ("", *_PLAIN_KEYS):
        return Claim.NONE
    if before in ("secret", "fernet"):
        return Claim.ALWAYS
    return Claim.UNLESS_PATH if before in _SECRET_KEYS else Claim.UNLESS_NAME
