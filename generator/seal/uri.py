"""Connection URIs from their parts: escaped, and with a fingerprint of what is public in them.

Every part is percent-encoded, never with `+`: SQLAlchemy, kombu and Go's pgx (through which KEDA
reads the same URI) all decode that, and Airflow's expansion of `$` finds nothing to expand.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from urllib.parse import quote, unquote, urlsplit

from generator.core.errors import UserError
from generator.redaction.secret import Secret
from generator.release import authorities

_PORTS = {"postgresql": 5432, "mysql": 3306, "redis": 6379, "rediss": 6379, "sentinel": 26379}
_SCHEME = re.compile(r"(db\+)?(postgresql|mysql|rediss?|sentinel)(\+[a-z0-9_]+)?")
_HOST = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?")
_IPV6 = re.compile(r"[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*")
# libpq's list; the chart's `sslmode` takes the same words.
_SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
_FINGERPRINT_DIGITS = 16


@dataclasses.dataclass(frozen=True, slots=True)
class Connection:
    """The parts of one URI; only the password is secret. A port of None means the usual one."""

    scheme: str
    host: str
    database: str
    user: str = ""
    password: Secret | None = None
    port: int | None = None
    query: tuple[tuple[str, str], ...] = ()

    def uri(self) -> Secret:
        """The whole URI; raises UserError for a scheme, host or port that can't be right."""
        self._require_sound()
        query = "&".join(
            f"{quote(key, safe='')}={quote(value, safe='')}" for key, value in self.query
        )
        host = f"[{self.host}]" if ":" in self.host else self.host
        place = f"{host}:{self._port}/{quote(self.database, safe='')}"
        return Secret(f"{self.scheme}://{self._credentials()}{place}{'?' + query if query else ''}")

    def fingerprint(self) -> str:
        """See `fingerprint`: for this connection's scheme, host, port and database."""
        return fingerprint(self.scheme, self.host, self._port, self.database)

    @property
    def _port(self) -> int:
        return self.port or _PORTS.get(_base(self.scheme), 0)

    def _credentials(self) -> str:
        if not self.user and self.password is None:
            return ""
        password = "" if self.password is None else ":" + quote(self.password.text(), safe="")
        return f"{quote(self.user, safe='')}{password}@"

    def _require_sound(self) -> None:
        if not _SCHEME.fullmatch(self.scheme):
            raise UserError(
                f"{self.scheme!r} is not a scheme for a database or a broker",
                hint="postgresql, mysql, redis or rediss; results of Celery take the prefix db+",
            )
        if not (_HOST.fullmatch(self.host) or _IPV6.fullmatch(self.host)):
            raise UserError(f"{self.host[:80]!r} is not a host name or an address")
        if not 1 <= self._port <= 65535:
            raise UserError(f"port {self._port} is not between 1 and 65535")
        if not self.database:
            raise UserError(f"a {self.scheme} URI needs the name of its database")


def database(
    kind: str,
    *,
    host: str,
    name: str,
    user: str,
    password: Secret,
    port: int | None = None,
    sslmode: str = "",
    ca: str = "",
) -> Connection:
    """Airflow's metadata database: `kind` is postgresql or mysql, `sslmode` PostgreSQL's alone.

    `ca` is a file of certificates for MySQL, whose client reads no variable.

    The scheme is exactly `postgresql`: with a driver in it the chart's KEDA trigger can't read it.
    """
    if sslmode and kind != "postgresql":
        raise UserError(f"sslmode is an option of PostgreSQL, not of {kind}")
    if sslmode and sslmode not in _SSL_MODES:
        raise UserError(
            f"{sslmode!r} is not a valid sslmode", hint="one of " + ", ".join(_SSL_MODES)
        )
    query = (("sslmode", sslmode),) if sslmode else (("ssl_ca", ca),) if ca else ()
    return Connection(kind, host, name, user, password, port, query)


def result_backend(metadata: Connection) -> Connection:
    """Celery's result backend in the same database: `db+` before the scheme."""
    return dataclasses.replace(metadata, scheme=f"db+{metadata.scheme}")


def redis(
    *,
    host: str,
    password: Secret | None,
    port: int | None = None,
    database: int = 0,
    user: str = "",
    tls: bool = False,
) -> Connection:
    """Celery's broker: `redis://:password@host:6379/0`."""
    return Connection("rediss" if tls else "redis", host, str(database), user, password, port)


def fingerprint(scheme: str, host: str, port: int | None, database: str) -> str:
    """A short hash of a URI's public parts, equal however the same place is written.

    Driver and Celery's `db+` don't count, a missing port is the usual one, case of the host
    doesn't matter.
    """
    base = _base(scheme)
    place = f"{base}://{host.lower()}:{port or _PORTS.get(base, 0)}/{database}"
    return hashlib.sha256(place.encode()).hexdigest()[:_FINGERPRINT_DIGITS]


def fingerprint_of(value: Secret) -> str | None:
    """The fingerprint of a value that is a database's or broker's URI; None for other values."""
    try:
        text = value.text()
        if text.startswith("sentinel://"):
            return _fingerprint_of_sentinels(text)
        parts = urlsplit(text)
        port, host = parts.port, parts.hostname
    except (UserError, ValueError):
        return None
    if not _SCHEME.fullmatch(parts.scheme) or not host:
        return None
    return fingerprint(parts.scheme, host, port, unquote(parts.path.removeprefix("/")))


def sentinels(
    places: Iterable[tuple[str, int]], *, password: Secret | None, user: str = ""
) -> Secret:
    """Celery's broker behind Redis Sentinels: a URL for each.

    Each ends with the database, or the entrypoint of the official image cannot read the first.
    """
    each = (Connection("sentinel", host, "0", user, password, port) for host, port in places)
    return Secret(";".join(item.uri().text() for item in each))


def sentinels_fingerprint(places: Iterable[tuple[str, int]], database: str) -> str:
    """See `fingerprint`: of the Sentinels, in whatever order, and the database."""
    hosts = ",".join(sorted(f"{host.lower()}:{port}" for host, port in places))
    return hashlib.sha256(f"sentinel://{hosts}/{database}".encode()).hexdigest()[
        :_FINGERPRINT_DIGITS
    ]


def sentinel_kwargs_fingerprint(value: Secret) -> str | None:
    """Of the arguments of connections to Sentinels: TLS, and whether by the company's authorities.

    Files of an image are not told apart: Redis' client has one without being told.
    """
    try:
        given = json.loads(value.text())
    except (UserError, ValueError):
        return None
    if not isinstance(given, dict):
        return None
    public = json.dumps([bool(given.get("ssl")), given.get("ssl_ca_certs") == authorities.FILE])
    return hashlib.sha256(public.encode()).hexdigest()[:_FINGERPRINT_DIGITS]


def _fingerprint_of_sentinels(text: str) -> str | None:
    """Of each URL only host and port, of the last with one the database: no password."""
    parts = [urlsplit(item) for item in text.split(";")]
    if any(part.scheme != "sentinel" or not part.hostname for part in parts):
        return None
    places = [(str(part.hostname), part.port or _PORTS["sentinel"]) for part in parts]
    databases = [part.path.removeprefix("/") for part in parts if part.path]
    return sentinels_fingerprint(places, databases[-1] if databases else "")


def format_fingerprints(found: Mapping[str, str]) -> str:
    """`key=fingerprint` pairs, sorted, joined by commas: what the annotation holds."""
    return ",".join(f"{key}={value}" for key, value in sorted(found.items()))


def parse_fingerprints(text: str) -> dict[str, str]:
    """The opposite of `format_fingerprints`; what has no `=` is left out."""
    pairs = (part.strip().partition("=") for part in text.split(","))
    return {key: value for key, separator, value in pairs if separator}


def _base(scheme: str) -> str:
    return scheme.removeprefix("db+").partition("+")[0]
