"""What every model shares: strict fields, the field types, and how they read what people wrote."""

import ipaddress
import os
import re
from typing import Annotated, Any

import pydantic
from pydantic.alias_generators import to_camel

# pydantic looks through all installed packages for plugins: a quarter of the time that the models
# take. None of them shall see definitions either.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")

_WHOLE = re.compile(r"-?(0|[1-9][0-9]*)")
_DURATION = re.compile(r"([0-9]+(\.[0-9]+)?(ms|s|m|h))+")
_QUANTITY = re.compile(r"([0-9]+(\.[0-9]*)?|\.[0-9]+)(m|k|[KMGTPE]i?|[eE][0-9]+)?")
_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_SUBDOMAIN = re.compile(
    r"(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"
)
_HOST = re.compile(
    r"(?=.{1,253}$)[A-Za-z0-9]([-A-Za-z0-9]*[A-Za-z0-9])?(\.[A-Za-z0-9]([-A-Za-z0-9]*[A-Za-z0-9])?)*"
)
_HTTP_PATH = re.compile(r"(?!.*//)(?!.*/\.{1,2}(/|$))/[-A-Za-z0-9/._~!$&'()*+,;=:@]*")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_SUB_PATH = re.compile(r"(?!/)(?!.*(^|/)\.\.(/|$))[^\x00-\x1f\\]*")
_ENV_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_LABEL_NAME = r"(?=[^/]{1,63}$)[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?"
_LABEL_KEY = re.compile(rf"((?=[^/]{{1,253}}/)[a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?{_LABEL_NAME}")
_LABEL_VALUE = re.compile(rf"({_LABEL_NAME})?")
_SECRET_KEY = re.compile(r"(?!\.$|\.\.)[-._a-zA-Z0-9]{1,253}")
_FILE = re.compile(r"[a-z0-9][-a-z0-9_.]{0,240}\.yaml")
_VERSION = re.compile(r"[0-9]+\.[0-9]+\.[0-9]+")


class Spec(pydantic.BaseModel):
    """A frozen part of a definition or of the settings; an unknown field is an error.

    Fields are written in camelCase, as Kubernetes and the chart write theirs. Input values never
    appear in error messages: they could be secrets.
    """

    model_config = pydantic.ConfigDict(
        extra="forbid",
        frozen=True,
        alias_generator=to_camel,
        hide_input_in_errors=True,
        protected_namespaces=(),
        # Only the two models at the top are ever validated: their schemas hold all the others.
        defer_build=True,
    )


def _whole(value: Any) -> Any:
    """Unquoted scalars arrive as their source text, so `064` and `1e3` never become a number."""
    if isinstance(value, str):
        if not _WHOLE.fullmatch(value):
            raise ValueError("write a whole number, without quotes, signs or leading zeros")
        return int(value)
    return value


def _truth(value: Any) -> Any:
    if isinstance(value, str):
        if value not in ("true", "false"):
            raise ValueError("write true or false")
        return value == "true"
    return value


def _text(value: Any) -> Any:
    """Numbers and booleans that did not come from YAML text become what a person would write."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    return str(value) if isinstance(value, str) else value


def matching(pattern: re.Pattern[str], what: str) -> pydantic.AfterValidator:
    """Accept only texts that the pattern matches as a whole; `what` says what they are."""

    def check(value: str) -> str:
        if not pattern.fullmatch(value):
            raise ValueError(f"not {what}")
        return value

    return pydantic.AfterValidator(check)


def _cidr(value: str) -> str:
    try:
        network = ipaddress.ip_network(value, strict=False)
    except ValueError:
        raise ValueError("not a network such as 10.20.0.0/24") from None
    if "/" not in value:
        raise ValueError(f"write the prefix length too, such as {network}")
    if str(network) != value.lower():
        raise ValueError(f"host bits are set; the network is {network}")
    return str(network)


def _version(value: str) -> str:
    if not _VERSION.fullmatch(value):
        raise ValueError("not a release such as 3.2.2: three numbers, no suffix")
    return value


def _peer_port(value: Any) -> Any:
    number, slash, protocol = str(value).partition("/")
    if isinstance(value, bool) or not _WHOLE.fullmatch(number) or not 1 <= int(number) <= 65_535:
        raise ValueError("not a port such as 443 or 8125/UDP")
    if slash and protocol not in ("TCP", "UDP", "SCTP"):
        raise ValueError("a port's protocol is TCP, UDP or SCTP")
    return f"{number}/{protocol}" if slash and protocol != "TCP" else int(number)


Int = Annotated[int, pydantic.BeforeValidator(_whole), pydantic.Field(strict=True)]
Count = Annotated[Int, pydantic.Field(ge=0, le=10_000)]
Positive = Annotated[Int, pydantic.Field(ge=1)]
Seconds = Annotated[Int, pydantic.Field(ge=0, le=7 * 86_400)]
Port = Annotated[Int, pydantic.Field(ge=1, le=65_535)]
PeerPort = Annotated[
    int | str,
    pydantic.BeforeValidator(_peer_port),
    pydantic.WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 1, "maximum": 65_535},
                {"type": "string", "pattern": r"^[1-9][0-9]{0,4}(/(TCP|UDP|SCTP))?$"},
            ]
        }
    ),
]
"""A port, of TCP where no protocol follows: 443 or 8125/UDP."""
Bool = Annotated[bool, pydantic.BeforeValidator(_truth), pydantic.Field(strict=True)]
# An unquoted 3.10 is text here, and an editor's YAML parser takes it for a number.
Text = Annotated[
    str,
    pydantic.BeforeValidator(_text),
    pydantic.WithJsonSchema({"type": ["string", "number", "boolean"]}),
]
Line = Annotated[Text, matching(re.compile(r"[^\x00-\x1f\x7f]+"), "a single line of text")]
Duration = Annotated[Text, matching(_DURATION, "a duration such as 30s, 5m or 24h")]
Quantity = Annotated[Text, matching(_QUANTITY, "a Kubernetes quantity such as 500m, 2 or 4Gi")]
Label = Annotated[
    Text,
    matching(_LABEL, "a DNS label: lower-case letters, digits and -, at most 63, none at an end"),
]
Name = Annotated[
    Text, matching(_SUBDOMAIN, "a Kubernetes name: lower-case letters, digits, - and .")
]
Host = Annotated[Text, matching(_HOST, "a host name or an IPv4 address, without scheme and port")]
Hostname = Annotated[Text, matching(_SUBDOMAIN, "a host name in lower case, without * and port")]
HttpPath = Annotated[Text, matching(_HTTP_PATH, "a path that begins with /, without // and ..")]
Digest = Annotated[Text, matching(_DIGEST, "a digest: sha256: and 64 hexadecimal digits")]
SubPath = Annotated[Text, matching(_SUB_PATH, "a relative path below the repository, without ..")]
FileName = Annotated[
    Text, matching(_FILE, "a file name such as team-config.yaml, without a folder")
]
EnvName = Annotated[Text, matching(_ENV_NAME, "an environment variable's name")]
LabelKey = Annotated[
    Text,
    matching(_LABEL_KEY, "a label's name: name or domain/name, the name of at most 63 characters"),
]
LabelValue = Annotated[
    Text,
    matching(
        _LABEL_VALUE,
        "a label's value: at most 63 letters, digits, -, _ and ., a letter or digit at each end",
    ),
]
SecretKey = Annotated[Text, matching(_SECRET_KEY, "a Secret's key: letters, digits, -, _ and .")]
Version = Annotated[Text, pydantic.AfterValidator(_version)]
Cidr = Annotated[Text, pydantic.AfterValidator(_cidr)]


def seconds_of(duration: str) -> float:
    """The seconds in a duration such as `1h30m` or `500ms`."""
    units = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
    parts = re.findall(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h)", duration)
    return sum(float(number) * units[unit] for number, unit in parts)
