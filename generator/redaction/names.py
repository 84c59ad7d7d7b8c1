"""Whether a name (of a variable, a key, a flag) says that its value is a secret."""

from __future__ import annotations

import functools
import re

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")

# One of these words anywhere in the name is enough ...
_TELLING = re.compile(
    "apikey|credentials?|dockerc(?:fg|onfigjson)|dsn|fernet|passcode|pwd"
    "|[a-z]*(?:passphrase|passwd|password|secret|token)s?"
)
# ... unless the name ends like this: then it speaks about the secret and does not hold it.
_ABOUT = re.compile(
    "annotations|audience|backend|class|cmd|count|created|dir(?:ectory)?|enabled|endpoint|env"
    "|expir(?:ation|y)|file|format|hash|header|hours|id|issuer|kind|kwargs|labels|length|lifetime"
    "|method|minutes|mode|mount|names?|namespace|path|policy|prefix|provider|refs?|requests"
    "|rotation|seconds|store|time|ttl|type|ur[il]s?|version|volume"
)
# Two words at the end that hold a secret together.
_ENDINGS = frozenset(
    {
        ("access", "key"),
        ("account", "key"),
        ("api", "key"),
        ("auth", "key"),
        ("basic", "auth"),
        ("connection", "string"),
        ("encryption", "key"),
        ("jwt", "key"),
        ("license", "key"),
        ("master", "key"),
        ("private", "key"),
        ("session", "key"),
        ("shared", "key"),
        ("signing", "key"),
        ("ssh", "key"),
        ("storage", "key"),
    }
)
_LAST = frozenset({"pass", "privatekey", "secretkey", "accesskey", "sas", "pat"})
# Keys of charts whose value is the name of a Secret, although they do not end in "name".
_REFERENCES = frozenset(
    {
        "authsecret",
        "credentialssecret",
        "existingsecret",
        "imagepullsecrets",
        "sshkeysecret",
        "tlssecret",
    }
)


@functools.lru_cache(maxsize=4_096)
def is_secret_name(name: str) -> bool:
    """True for `DB_PASSWORD`, `apiKey`, `AIRFLOW_CONN_X`; false for `secretName`, `TOKEN_URL`."""
    if len(name) > 256 or name.startswith("checksum/"):
        return False
    if name.upper().startswith("AIRFLOW_CONN_"):
        return True
    words = [word.lower() for word in _WORD.findall(name)]
    while words and words[-1].isdigit():
        words.pop()
    if not words or "".join(words) in _REFERENCES or _ABOUT.fullmatch(words[-1]):
        return False
    return (
        words[-1] in _LAST
        or tuple(words[-2:]) in _ENDINGS
        or any(_TELLING.fullmatch(word) for word in words)
    )
