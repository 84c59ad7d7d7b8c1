"""Values that are no secrets although their name speaks of one: references, paths, names."""

from __future__ import annotations

import re

REFERENCE = re.compile(
    r"(?:(?:basic|bearer|token) )?(?:"
    r"\$\((?:(?:cat|<) ?)?[\w./-]+\)|\$\{[\w.:?-]+\}|\$[A-Za-z_]\w*|%\([\w.]+\)s|\{\{.*\}\}"
    r"|null|none|true|false|~|[{\[]\}?\]?|[|>][-+0-9]*|\\"
    r"|(?:<|&lt;)masked(?:>|&gt;)|\*{3,})",
    re.IGNORECASE,
)
_PLACE = re.compile(
    r"(?:~|\.{1,2})?/[\w.@+-]+(?:/[\w.@+-]*)*"  # a path
    r"|(?:[\w.-]+/)+[\w-]+\.[a-z0-9]{1,5}"  # a relative one, of a file
    r"|[\w-]+\.(?:crt|json|key|p8|p12|pem|pfx|pub|ppk|txt|ya?ml)"
    r"|arn:[\w:/.*+=,@-]+|(?:file|gs|s3|vault|https?):(?://)?[^\s@?]*"
    r"|projects/[\w./-]+"
    r"|(?:ssh|ecdsa|sk)-[\w@.-]+ [A-Za-z0-9+/=]+(?: .*)?",  # a public key
)
# Words of letters with what usually holds them together; digits only as a number of their own.
_PART = r"(?:[A-Z]?[a-z]{1,20}(?:[A-Z][a-z]{1,20}){0,5}|\d{1,3}|v\d{1,3}|k8s|s3|oauth2)"
_NAME = re.compile(rf"{_PART}(?:[-_./: ]{_PART}){{0,9}}")
_SHORT_NUMBER = re.compile(r"[0-9]{1,6}(?:\.[0-9]+)?")
_LONGEST = 200


def is_reference(value: str) -> bool:
    """`$(DB_PASSWORD)`, `${X}`, `{{ var }}`, `null`, a mask: nothing that could be a secret."""
    return not value or (len(value) <= _LONGEST and REFERENCE.fullmatch(value) is not None)


def is_place(value: str) -> bool:
    """A path, the name of a file, an ARN, an address without credentials, or a public key."""
    return value.startswith(("-----BEGIN CERTIFICATE", "-----BEGIN PUBLIC")) or (
        len(value) <= 4_096 and _PLACE.fullmatch(value) is not None
    )


def is_name(value: str) -> bool:
    """Reads like the name of something, or is a short number: `airflow-fernet`, `tasks.default`."""
    return len(value) <= _LONGEST and bool(_NAME.fullmatch(value) or _SHORT_NUMBER.fullmatch(value))


def looks_random(word: str) -> bool:
    """At least 20 letters and digits mixed as in a key; no git SHA, digest or UUID.

    The parts between dashes and the like are counted apart, so that long names stay readable.
    """
    longest = max(re.split(r"[^A-Za-z0-9]", word), key=len)
    if len(longest) < 20 or re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}|[0-9]+", longest):
        return False
    kinds = sum(re.search(kind, longest) is not None for kind in ("[a-z]", "[A-Z]", "[0-9]"))
    return kinds + len(re.findall(r"[0-9]+", longest)) >= 5 and kinds > 1
