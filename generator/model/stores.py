"""Where state lives: the metadata database, the broker, the keys."""

import re
from typing import Annotated, Any, Literal, Self

import pydantic

from generator.model import built_in
from generator.model.base import (
    Bool,
    Cidr,
    Host,
    Line,
    Name,
    Port,
    Positive,
    Quantity,
    Spec,
    Text,
    matching,
)
from generator.model.components import Resources
from generator.model.marks import Copied


class PostgreSQL(Spec):
    """PostgreSQL: an external server, or the chart's own in development."""

    type: Literal["postgresql"] = "postgresql"
    """PostgreSQL, the database that Airflow is tested with most."""
    embedded: Bool = False
    """The chart's own PostgreSQL: no backup, no upgrades; development only."""
    host: Annotated[Host | None, Copied.ASK_HOST] = None
    """The server's name. It is not a secret: policies and checks need it."""
    port: Port = 5432
    """TCP port of the server."""
    name: Annotated[Line, Copied.FILL_IN] = "airflow"
    """The database's name."""
    secret_name: Annotated[Name | None, Copied.DERIVE] = None
    """Holds `connection`; `<release>-database` by default."""
    result_backend_secret_name: Annotated[Name | None, Copied.DERIVE] = None
    """Holds Celery's result backend URI; `<release>-result-backend` by default."""
    ssl_mode: Literal["disable", "allow", "prefer", "require", "verify-ca", "verify-full"] = (
        "require"
    )
    """TLS to the server (libpq's sslmode)."""
    cidrs: Annotated[tuple[Cidr, ...], Copied.ASK_NETWORKS] = ()
    """Networks of the server, for network policies."""
    max_connections: Annotated[Positive | None, Copied.FILL_IN] = None
    """Connections that the server grants us; checks add up what the replicas may open."""
    storage: Quantity = "8Gi"
    """Size of the embedded server's volume."""

    @pydantic.model_validator(mode="after")
    def _somewhere(self) -> Self:
        if self.embedded == (self.host is not None):
            raise ValueError("give the server's host, or embedded: true in development")
        return self


class MySQL(Spec):
    """An external MySQL 8 server."""

    type: Literal["mysql"]
    """An external MySQL 8 server."""
    host: Annotated[Host, Copied.ASK_HOST]
    """The server's name. It is not a secret: policies and checks need it."""
    port: Port = 3306
    """TCP port of the server."""
    name: Annotated[Line, Copied.FILL_IN] = "airflow"
    """The database's name."""
    secret_name: Annotated[Name | None, Copied.DERIVE] = None
    """Holds `connection`; `<release>-database` by default."""
    result_backend_secret_name: Annotated[Name | None, Copied.DERIVE] = None
    """Holds Celery's result backend URI; `<release>-result-backend` by default."""
    cidrs: Annotated[tuple[Cidr, ...], Copied.ASK_NETWORKS] = ()
    """Networks of the server, for network policies."""
    max_connections: Annotated[Positive | None, Copied.FILL_IN] = None
    """Connections that the server grants us."""

    @property
    def embedded(self) -> bool:
        """Never: the chart brings PostgreSQL alone."""
        return False


def _refuse_sqlite(value: Any) -> Any:
    if isinstance(value, dict) and value.get("type") == "sqlite":
        raise ValueError(
            "SQLite is a file in one pod: no other pod could open it, and it is lost with that"
            " pod; use type postgresql (embedded: true in development)"
        )
    return value


def _database_type(value: Any) -> Any:
    if isinstance(value, dict):
        return value.get("type", "postgresql")
    return getattr(value, "type", None)


Database = Annotated[
    Annotated[PostgreSQL, pydantic.Tag("postgresql")] | Annotated[MySQL, pydantic.Tag("mysql")],
    pydantic.Discriminator(
        _database_type,
        custom_error_type="database_type",
        custom_error_message="type must be postgresql or mysql",
    ),
    pydantic.BeforeValidator(_refuse_sqlite),
]


_PLACE = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[1-9][0-9]{0,4})?")
_SENTINELS_PORT, _HIGHEST_PORT = 26_379, 65_535


class Sentinel(Spec):
    """Redis Sentinels, which tell which server leads."""

    master_name: Line
    """Name of the group of servers that they watch."""
    hosts: tuple[Annotated[Text, matching(_PLACE, "a host, or host:port")], ...]
    """The Sentinels: host or host:port, 26379 by default."""
    password: Bool = False
    """They ask for a password of their own: `sentinel-kwargs` in the broker's Secret."""

    @property
    def places(self) -> tuple[tuple[str, int], ...]:
        """Host and port of each."""
        parts = (item.partition(":") for item in self.hosts)
        return tuple((host, int(port or _SENTINELS_PORT)) for host, _, port in parts)

    @pydantic.model_validator(mode="after")
    def _some(self) -> Self:
        if not self.hosts or len(set(self.places)) < len(self.hosts):
            raise ValueError("name each Sentinel once, and at least one")
        if any(port > _HIGHEST_PORT for _, port in self.places):
            raise ValueError(f"a port is at most {_HIGHEST_PORT}")
        return self


class Broker(Spec):
    """Celery's message broker."""

    type: Literal["redis"] = "redis"
    """Redis is what the chart and Celery's defaults fit."""
    embedded: Bool = True
    """The chart's own Redis; false for a server of yours."""
    host: Annotated[Host | None, Copied.ASK_HOST] = None
    """An external server's name, for checks and people; the URL itself is in the secret."""
    port: Port = 6379
    """TCP port of the external server, or of each server behind Sentinels."""
    tls: Bool = False
    """TLS to the external server, and to Sentinels: verified by `ca`, else as the image trusts."""
    sentinel: Annotated[Sentinel | None, Copied.FILL_IN] = None
    """In place of `host`."""
    secret_name: Annotated[Name | None, Copied.DERIVE] = None
    """Holds the broker URL as `connection`; `<release>-broker-url` by default."""
    password_secret_name: Annotated[Name | None, Copied.DERIVE] = None
    """Holds the embedded Redis' `password`; `<release>-redis-password` by default."""
    storage: Quantity | None = "1Gi"
    """Size of the embedded Redis' volume; null keeps queued tasks in memory only."""
    resources: Annotated[Resources | None, built_in.SMALL] = None

    @pydantic.model_validator(mode="after")
    def _somewhere(self) -> Self:
        if not self.embedded and self.host is None and self.sentinel is None:
            raise ValueError("give the host of the external broker (its URL stays in the secret)")
        if self.host is not None and self.sentinel is not None:
            raise ValueError("give only one of host and sentinel, which names the server itself")
        for name in ("host", "tls", "sentinel"):
            if self.embedded and getattr(self, name):
                raise ValueError(f"{name} is for an external broker: add embedded: false")
        return self

    @property
    def place(self) -> str:
        """The external server for people: its host, or its Sentinels."""
        return ", ".join(self.sentinel.hosts) if self.sentinel else self.host or ""


class Keys(Spec):
    """Names of the Secrets with Airflow's own keys; each is `<release>-…` by default."""

    fernet_key_secret_name: Name | None = None
    """Holds `fernet-key`, which encrypts connections and variables in the database."""
    api_secret_key_secret_name: Name | None = None
    """Holds `api-secret-key` (Airflow 3)."""
    jwt_secret_name: Name | None = None
    """Holds `jwt-secret`, which signs the tokens of the API (Airflow 3)."""
    webserver_secret_key_secret_name: Name | None = None
    """Holds `webserver-secret-key` (Airflow 2)."""
