"""airflow.cfg from a definition: which option carries what, in the Airflow that is asked for.

Every function takes the environment and returns section → option → value, all strings: the chart
turns numbers into floats. An option that this Airflow does not have is left out. The names come
from `config_templates/config.yml` of apache-airflow(-core) 2.11.0 and 3.2.2 and from the code that
reads them; the docstrings name the place.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from typing import Any

from generator.model.dags import Bundle
from generator.model.environment import Environment
from generator.model.telemetry import NODE, Metrics, RemoteLogging
from generator.release import authorities
from generator.release.collector import collector

Sections = dict[str, dict[str, str]]

_BUNDLES = {
    "git": "airflow.providers.git.bundles.git.GitDagBundle",
    "local": "airflow.dag_processing.bundles.local.LocalDagBundle",
}


def api_server(environment: Environment) -> Sections:
    """Processes of the API server (the webserver of Airflow 2), their renewal, and the proxy.

    Rolling renewal exists in `[api]` since 3.2.0, and only with `server_type = gunicorn`
    (`cli/commands/api_server_command.py`), which needs the package gunicorn in the image; in 3.0
    and 3.1 there is none. `[webserver]` of 2.x has it for gunicorn, which it always uses.
    `enable_proxy_fix` moved from `[webserver]` to the FAB provider's `[fab]`.
    """
    component = environment.api_server
    section = "api" if environment.airflow_3 else "webserver"
    options: dict[str, str] = {}
    if component.workers is not None:
        options["workers"] = str(component.workers)
    refresh = component.worker_refresh
    if refresh is not None and (environment.airflow_since(3, 2) or not environment.airflow_3):
        if environment.airflow_3 and refresh.interval:
            options["server_type"] = "gunicorn"
        options["worker_refresh_interval"] = str(refresh.interval)
        options["worker_refresh_batch_size"] = str(refresh.batch_size)
    proxy = "fab" if environment.airflow_3 else "webserver"
    return _joined({section: options}, {proxy: {"enable_proxy_fix": str(component.proxy_headers)}})


def triggerer(environment: Environment) -> Sections:
    """Triggers per pod: `[triggerer] capacity`, called `default_capacity` before 3.0."""
    option = "capacity" if environment.airflow_3 else "default_capacity"
    return {"triggerer": {option: str(environment.triggerer.capacity)}}


def metrics(environment: Environment) -> Sections:
    """Switches of StatsD and OpenTelemetry; the chart fills them in for its own receivers.

    StatsD wins when both are on (`observability/metrics/stats_utils.py`), so it is switched off.
    Where OpenTelemetry sends to is an option up to 3.1 and `collector_env` from 3.2.0 on.
    """
    chosen = environment.metrics
    if chosen.type == "none":
        return {"metrics": {"statsd_on": "False", "otel_on": "False"}}
    if chosen.agent is not None:
        return {"metrics": _agent(chosen)}
    if chosen.type == "statsd" or chosen.endpoint is None:
        return {}
    return {
        "metrics": {
            "statsd_on": "False",
            "otel_on": "True",
            **_collector_options(environment, chosen.endpoint),
        }
    }


def _agent(chosen: Metrics) -> dict[str, str]:
    """StatsD of an agent of yours; its host is a variable where each node has one."""
    assert chosen.agent is not None
    host, port = chosen.agent
    place = {} if not port else {"statsd_port": str(port)}
    if port and host != NODE:
        place["statsd_host"] = host
    datadog = {"statsd_datadog_enabled": "True"} if chosen.datadog else {}
    return {"statsd_on": "True", "otel_on": "False", **place, **datadog}


def agent_env(environment: Environment) -> dict[str, str]:
    """The socket of DogStatsD, which its client takes before host and port (datadog/dogstatsd)."""
    agent = environment.metrics.agent
    return {"DD_DOGSTATSD_URL": agent[0]} if agent and not agent[1] else {}


def node_env(environment: Environment) -> str:
    """The address of the pod's node where metrics go to the agent there: YAML for `extraEnv`."""
    agent = environment.metrics.agent
    if agent is None or agent[0] != NODE:
        return ""
    return (
        "- name: AIRFLOW__METRICS__STATSD_HOST\n"
        "  valueFrom:\n"
        "    fieldRef:\n"
        "      fieldPath: status.hostIP\n"
    )


def tracing(environment: Environment) -> Sections:
    """`[traces] otel_on` (since 2.10) and, before 3.2.0, the collector of yours."""
    chosen = environment.tracing
    if not chosen.enabled or chosen.endpoint is None:
        return {}
    return {"traces": {"otel_on": "True", **_collector_options(environment, chosen.endpoint)}}


def collector_env(environment: Environment) -> dict[str, str]:
    """Environment of all Airflow containers for a collector of yours, in Airflow 3.2 and newer.

    3.2.0 deprecated `otel_host` and its like for OpenTelemetry's own variables. Metrics know the
    protocol from a variable (`_shared/observability/common.py`), traces from the exporter's name
    (`_shared/observability/traces`), where `otlp` would mean gRPC, whatever the port. Port 4317
    means gRPC, every other one HTTP.
    """
    if not environment.airflow_since(3, 2):
        return {}
    found: dict[str, str] = {}
    if environment.metrics.type == "otel" and environment.metrics.endpoint is not None:
        target = collector(environment.metrics.endpoint)
        found["OTEL_EXPORTER_OTLP_METRICS_ENDPOINT"] = target.url("metrics")
        found["OTEL_EXPORTER_OTLP_METRICS_PROTOCOL"] = "grpc" if target.grpc else "http/protobuf"
    if environment.tracing.enabled and environment.tracing.endpoint is not None:
        target = collector(environment.tracing.endpoint)
        found["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"] = target.url("traces")
        found["OTEL_TRACES_EXPORTER"] = "otlp_proto_grpc" if target.grpc else "otlp_proto_http"
    if environment.trusts("https") and any(value.startswith("https") for value in found.values()):
        # gRPC reads no other variable; HTTP takes that of requests.
        found["OTEL_EXPORTER_OTLP_CERTIFICATE"] = authorities.FILE
    own = environment.metrics.type == "otel" and environment.metrics.endpoint is None
    own = own or (environment.tracing.enabled and environment.tracing.endpoint is None)
    # With a collector of its own the chart names the service itself, in every container.
    return {**found, "OTEL_SERVICE_NAME": "airflow"} if found and not own else found


def collector_headers(environment: Environment) -> dict[str, str]:
    """Variable → Secret with the headers for a collector of yours; the SDK reads them itself.

    Airflow 2 gives the SDK headers of its own, so that it reads none (`headers` of exporters).
    """
    chosen = {
        "METRICS": environment.metrics.headers_secret_name,
        "TRACES": environment.tracing.headers_secret_name if environment.tracing.enabled else None,
    }
    return {f"OTEL_EXPORTER_OTLP_{signal}_HEADERS": name for signal, name in chosen.items() if name}


def logging(environment: Environment) -> Sections:
    """Log level and, for remote logs, where they go; the chart adds a search engine's host.

    From `config_templates/airflow_local_settings.py`: the URL's scheme chooses the object store;
    a search engine is chosen by `[elasticsearch|opensearch] host` while the folder is empty.
    """
    level: Sections = {"logging": {"logging_level": environment.logging.level}}
    remote = environment.logging.remote
    if remote is None:
        return level
    if remote.type in ("elasticsearch", "opensearch"):
        return _joined(level, _search_engine(environment, remote))
    options = {
        "remote_logging": "True",
        "remote_base_log_folder": remote.url or "",
        "delete_local_logs": str(remote.delete_local),
    }
    if remote.connection_id is not None:
        options["remote_log_conn_id"] = remote.connection_id
    return _joined(level, {"logging": options})


def secrets_backend(environment: Environment) -> Sections:
    """`[secrets] backend` and its arguments as one line of JSON."""
    chosen = environment.secrets_backend
    if chosen is None:
        return {}
    options = {"backend": chosen.backend}
    if chosen.kwargs:
        options["backend_kwargs"] = _json(chosen.kwargs)
    return {"secrets": options}


def connection_check_env(environment: Environment) -> dict[str, str]:
    """Variables of the official image's entrypoint; 0 attempts leave the check out."""
    check = environment.airflow.connection_check
    return {
        "CONNECTION_CHECK_MAX_COUNT": str(check.max_count),
        "CONNECTION_CHECK_SLEEP_TIME": str(check.sleep),
    }


def dag_bundles(environment: Environment) -> list[dict[str, Any]]:
    """The entries of `[dag_processor] dag_bundle_config_list`, or none before Airflow 3.

    An entry is name, classpath and kwargs (`dag_processing/bundles/manager.py`). Every bundle
    takes `refresh_interval`. `repo_url` overrides the connection's host, so that the connection
    carries nothing but credentials (git provider, `bundles/git.py` and `hooks/git.py`).
    """
    if not environment.airflow_3:
        return []
    bundles = environment.dags.bundles or ()
    ids = bundle_connections(bundles)
    return [
        {
            "name": bundle.name,
            "classpath": bundle.classpath or _BUNDLES[bundle.type],
            "kwargs": _bundle_arguments(bundle, ids.get(bundle.name)),
        }
        for bundle in bundles
    ]


def bundle_connections(bundles: Iterable[Bundle]) -> dict[str, str]:
    """Bundle's name → connection id, for the git bundles that have a Secret.

    The id's upper-case form is part of an environment variable's name (`connection_variable`),
    so only letters, digits and _ are left; names that then coincide get a part of their hash.
    """
    names = [b.name for b in bundles if b.type == "git" and b.secret_name is not None]
    plain = {name: "git_" + re.sub(r"[^a-z0-9]", "_", name.lower()) for name in names}
    taken = list(plain.values())
    return {
        name: slug if taken.count(slug) == 1 else f"{slug}_{_digest(name)}"
        for name, slug in plain.items()
    }


def connection_variable(connection_id: str) -> str:
    """The environment variable that holds the connection (`secrets/environment_variables.py`)."""
    return f"AIRFLOW_CONN_{connection_id.upper()}"


def _collector_options(environment: Environment, endpoint: str) -> dict[str, str]:
    if environment.airflow_since(3, 2):
        return {}
    target = collector(endpoint)
    return {
        "otel_host": target.host,
        "otel_port": str(target.port),
        "otel_ssl_active": str(target.tls),
    }


def _search_engine(environment: Environment, remote: RemoteLogging) -> Sections:
    """Logs reach the engine from the task itself in Airflow 3; 2.x can only print them as JSON.

    2.x cannot start with OpenSearch at all. 3.2.2 cannot without an explicit port, since the
    provider's default is empty text, and it takes no port and no credentials from the URL.
    Both clients bring authorities of their own and read no variable: arguments of theirs.
    """
    file = {"ca_certs": authorities.FILE} if environment.trusts("https") else {}
    trust = {f"{remote.type}_configs": file}
    if not environment.airflow_3:
        printed = {"write_stdout": "True", "json_format": "True"}
        return _joined(trust, {"elasticsearch": printed}) if remote.type == "elasticsearch" else {}
    keep = _joined(trust, {"logging": {"delete_local_logs": str(remote.delete_local)}})
    if remote.type == "elasticsearch":
        return _joined(keep, {"elasticsearch": {"write_to_es": "True", "json_format": "True"}})
    options = {"write_to_os": "True", "json_format": "True", "port": "9200"}
    return _joined(keep, {"opensearch": options})


def _bundle_arguments(bundle: Bundle, connection_id: str | None) -> dict[str, Any]:
    common: dict[str, Any] = {"refresh_interval": bundle.refresh_interval}
    match bundle.type:
        case "custom":
            return {**common, **bundle.kwargs}
        case "local":
            return {**common, "path": bundle.path}
        case "git":
            arguments = {**common, "repo_url": bundle.repository, "tracking_ref": bundle.ref}
            if bundle.sub_path:
                arguments["subdir"] = bundle.sub_path
            if connection_id is not None:
                arguments["git_conn_id"] = connection_id
            return arguments


def _joined(*parts: Sections) -> Sections:
    found: Sections = {}
    for part in parts:
        for section, options in part.items():
            if options:
                found[section] = {**found.get(section, {}), **options}
    return found


def _json(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]
