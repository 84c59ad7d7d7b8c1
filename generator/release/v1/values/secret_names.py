"""Names of the Secrets that features need, and the keys that the chart reads from them."""

from __future__ import annotations

from generator.model.entrance import MoreHost
from generator.model.environment import Environment


def name(environment: Environment, written: str | None, suffix: str) -> str:
    """The Secret's name as written, or `<release>-<suffix>`."""
    return written or f"{environment.release}-{suffix}"


def database(environment: Environment) -> str:
    """The metadata database's URI."""
    return name(environment, environment.database.secret_name, "database")


def result_backend(environment: Environment) -> str:
    """Celery's result backend."""
    written = environment.database.result_backend_secret_name
    return name(environment, written, "result-backend")


def broker(environment: Environment) -> str:
    """Celery's broker URL."""
    return name(environment, environment.broker.secret_name, "broker-url")


def redis_password(environment: Environment) -> str:
    """Password of the chart's Redis."""
    return name(environment, environment.broker.password_secret_name, "redis-password")


def postgresql(environment: Environment) -> str:
    """Password of the chart's PostgreSQL."""
    return f"{environment.release}-postgresql-password"


def git(environment: Environment) -> str:
    """git-sync's ssh key or user and token."""
    sync = environment.dags.git_sync
    return name(environment, sync.secret_name if sync else None, "git")


def logs(environment: Environment) -> str:
    """URL of Elasticsearch or OpenSearch."""
    remote = environment.logging.remote
    return name(environment, remote.secret_name if remote else None, "logs")


def admin(environment: Environment) -> str:
    """Password of the first user."""
    user = environment.auth.default_user
    return name(environment, user.secret_name if user else None, "admin")


def tls_of(environment: Environment, item: MoreHost) -> str:
    """Certificate of a further host: cert-manager takes one name of a Secret once."""
    first = tls(environment)
    issuer = environment.ingress and environment.ingress.tls
    issued = issuer and (issuer.cluster_issuer or issuer.issuer)
    return item.secret_name or (f"{first}-{item.host.lower()}" if issued else first)


def all_tls(environment: Environment) -> tuple[str, ...]:
    """Certificates of all hosts of the ingress, none without TLS."""
    ingress = environment.ingress
    if ingress is None or ingress.tls is None:
        return ()
    return (tls(environment), *(tls_of(environment, item) for item in ingress.more_hosts))


def tls(environment: Environment) -> str:
    """Certificate of the ingress."""
    secret = environment.ingress.tls if environment.ingress else None
    return name(environment, secret.secret_name if secret else None, "tls")
