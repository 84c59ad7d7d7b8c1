"""What Airflow is told of a broker of yours beside its URL: TLS, and Redis Sentinel.

Celery's provider hands `[celery] ssl_*` to kombu as `broker_use_ssl`, for Sentinel too, and
`[celery_broker_transport_options]` as they are (`celery/executors/default_celery.py`); a dict
among these is JSON. Redis' connections to Sentinels take nothing from those to the server.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from generator.model.environment import Environment
from generator.release import authorities

_TRANSPORT, _KWARGS = "celery_broker_transport_options", "sentinel_kwargs"
KWARGS_VARIABLE = f"AIRFLOW__{_TRANSPORT}__{_KWARGS}".upper()
KWARGS_KEY = "sentinel-kwargs"
"""Key of the broker's Secret, where Sentinels ask for a password."""
_SYSTEM = "/etc/ssl/certs/ca-certificates.crt"  # of Debian, and so of the official image


def options(environment: Environment) -> Iterator[tuple[str, str, str, str]]:
    """Section, option, value and field of each option of airflow.cfg."""
    broker = environment.broker
    if not environment.runs("CeleryExecutor"):
        return
    if broker.tls:
        yield "celery", "ssl_active", "True", "broker.tls"
        # Newer providers ask for a client's certificate unless this says otherwise.
        yield "celery", "ssl_mutual_tls", "False", "broker.tls"
        yield "celery", "ssl_cacert", _certificates(environment), "broker.tls"
    if broker.sentinel is not None:
        yield _TRANSPORT, "master_name", broker.sentinel.master_name, "broker.sentinel"
        if broker.tls and not broker.sentinel.password:
            yield _TRANSPORT, _KWARGS, sentinel_kwargs(environment), "broker.sentinel"


def sentinel_kwargs(environment: Environment, **password: str) -> str:
    """The arguments of the connections to Sentinels, as Airflow reads them."""
    tls = {"ssl": True, "ssl_ca_certs": _certificates(environment), "ssl_cert_reqs": "required"}
    return json.dumps({**(tls if environment.broker.tls else {}), **password}, sort_keys=True)


def _certificates(environment: Environment) -> str:
    own = environment.airflow.config.get("celery", {}).get("ssl_cacert")
    return own or (authorities.FILE if environment.trusts("broker") else _SYSTEM)
