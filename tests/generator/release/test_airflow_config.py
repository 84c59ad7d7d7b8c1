"""Options of airflow.cfg, for the Airflow that has them."""

import json

import pytest

from generator.model.environment import Environment
from generator.release.collector import collector
from generator.release.v1 import airflow_config


def environment(version="3.2.2", **fields):
    return Environment.model_validate(
        {
            "kind": "Environment",
            "apiVersion": "gen-env.dev/v1",
            "metadata": {"name": "etl"},
            "destination": {"cluster": "in-cluster"},
            "airflow": {"version": version, **fields.pop("airflow", {})},
            "chart": {"version": "1.22.0"},
            "database": {"host": "db.example.com"},
            "dags": {"image": {}},
            **fields,
        }
    )


REFRESH = {"workerRefresh": {"interval": 3600, "batchSize": 2}}


def test_worker_refresh_of_3_2_needs_gunicorn():
    found = airflow_config.api_server(environment(apiServer=REFRESH))
    assert found["api"] == {
        "server_type": "gunicorn",
        "worker_refresh_interval": "3600",
        "worker_refresh_batch_size": "2",
    }


@pytest.mark.parametrize("version", ["3.0.6", "3.1.8"])
def test_api_server_before_3_2_cannot_refresh(version):
    assert "api" not in airflow_config.api_server(environment(version, apiServer=REFRESH))


def test_webserver_of_2_refreshes_under_its_own_section():
    found = airflow_config.api_server(environment("2.11.0", apiServer=REFRESH))
    assert found == {
        "webserver": {
            "worker_refresh_interval": "3600",
            "worker_refresh_batch_size": "2",
            "enable_proxy_fix": "True",
        }
    }


def test_a_refresh_that_never_happens_does_not_change_the_server():
    api = airflow_config.api_server(environment(apiServer={"workerRefresh": {"interval": 0}}))[
        "api"
    ]
    assert "server_type" not in api


@pytest.mark.parametrize(("version", "section"), [("3.2.2", "api"), ("2.11.0", "webserver")])
def test_number_of_processes(version, section):
    found = airflow_config.api_server(environment(version, apiServer={"workers": 3}))
    assert found[section]["workers"] == "3"


@pytest.mark.parametrize(("version", "section"), [("3.2.2", "fab"), ("2.11.0", "webserver")])
def test_forwarded_headers_are_trusted_only_on_request(version, section):
    found = airflow_config.api_server(environment(version, apiServer={"proxyHeaders": False}))
    assert found[section]["enable_proxy_fix"] == "False"


@pytest.mark.parametrize(
    ("version", "option"), [("3.2.2", "capacity"), ("2.11.0", "default_capacity")]
)
def test_triggerer_capacity_changed_its_name(version, option):
    found = airflow_config.triggerer(environment(version, triggerer={"capacity": 50}))
    assert found == {"triggerer": {option: "50"}}


def test_statsd_is_left_to_the_chart():
    assert airflow_config.metrics(environment()) == {}


def test_no_metrics_switches_both_off():
    found = airflow_config.metrics(environment(metrics={"type": "none"}))
    assert found == {"metrics": {"statsd_on": "False", "otel_on": "False"}}


OTEL = {"metrics": {"type": "otel", "endpoint": "otel.example.com:4318"}}


def test_a_collector_of_ours_is_an_option_before_3_2():
    found = airflow_config.metrics(environment("2.11.0", **OTEL))["metrics"]
    assert found == {
        "statsd_on": "False",
        "otel_on": "True",
        "otel_host": "otel.example.com",
        "otel_port": "4318",
        "otel_ssl_active": "False",
    }
    assert airflow_config.collector_env(environment("2.11.0", **OTEL)) == {}


def test_a_collector_of_ours_is_environment_since_3_2():
    assert airflow_config.metrics(environment(**OTEL))["metrics"] == {
        "statsd_on": "False",
        "otel_on": "True",
    }
    assert airflow_config.collector_env(environment(**OTEL)) == {
        "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "http://otel.example.com:4318/v1/metrics",
        "OTEL_EXPORTER_OTLP_METRICS_PROTOCOL": "http/protobuf",
        "OTEL_SERVICE_NAME": "airflow",
    }


def test_traces_name_the_exporter_because_otlp_alone_means_grpc():
    env = environment(tracing={"enabled": True, "endpoint": "otel.example.com:4318"})
    found = airflow_config.collector_env(env)
    assert found["OTEL_TRACES_EXPORTER"] == "otlp_proto_http"
    assert found["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"] == "http://otel.example.com:4318/v1/traces"
    assert airflow_config.tracing(env) == {"traces": {"otel_on": "True"}}


def test_traces_to_the_grpc_port():
    env = environment(tracing={"enabled": True, "endpoint": "https://otel.example.com:4317"})
    found = airflow_config.collector_env(env)
    assert found["OTEL_TRACES_EXPORTER"] == "otlp_proto_grpc"
    assert found["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"] == "https://otel.example.com:4317"


def test_traces_that_are_off_or_the_charts_own_need_nothing():
    off = environment(tracing={"endpoint": "otel.example.com:4318"})
    own = environment(tracing={"enabled": True})
    for env in (off, own):
        assert airflow_config.tracing(env) == {}
        assert airflow_config.collector_env(env) == {}


@pytest.mark.parametrize(
    ("endpoint", "expected"),
    [
        ("collector:4317", ("collector", 4317, False)),
        ("collector", ("collector", 4318, False)),
        ("https://collector:443", ("collector", 443, True)),
        ("[fd00::1]:4318", ("[fd00::1]", 4318, False)),
    ],
)
def test_endpoint_parts(endpoint, expected):
    assert tuple(collector(endpoint)) == expected


def test_log_level_alone():
    found = airflow_config.logging(environment(logging={"level": "WARNING"}))
    assert found == {"logging": {"logging_level": "WARNING"}}


def test_logs_in_an_object_store():
    remote = {"type": "s3", "url": "s3://logs/airflow", "connectionId": "aws_logs"}
    assert airflow_config.logging(environment(logging={"remote": remote}))["logging"] == {
        "logging_level": "INFO",
        "remote_logging": "True",
        "remote_base_log_folder": "s3://logs/airflow",
        "delete_local_logs": "True",
        "remote_log_conn_id": "aws_logs",
    }


def test_logs_with_the_pods_own_identity_name_no_connection():
    remote = {"type": "gcs", "url": "gs://logs/airflow", "deleteLocal": False}
    found = airflow_config.logging(environment(logging={"remote": remote}))["logging"]
    assert "remote_log_conn_id" not in found
    assert found["delete_local_logs"] == "False"


@pytest.mark.parametrize(
    ("engine", "option"), [("elasticsearch", "write_to_es"), ("opensearch", "write_to_os")]
)
def test_search_engines_are_written_to_by_airflow_3(engine, option):
    found = airflow_config.logging(environment(logging={"remote": {"type": engine}}))
    assert found[engine][option] == "True"
    assert "remote_logging" not in found["logging"]


def test_opensearch_needs_a_port_since_its_default_is_no_number():
    env = environment(logging={"remote": {"type": "opensearch"}})
    assert airflow_config.logging(env)["opensearch"]["port"] == "9200"
    two = environment("2.11.0", logging={"remote": {"type": "opensearch"}})
    assert "opensearch" not in airflow_config.logging(two)


def test_airflow_2_can_only_print_logs_for_a_search_engine():
    env = environment("2.11.0", logging={"remote": {"type": "elasticsearch"}})
    assert airflow_config.logging(env)["elasticsearch"] == {
        "write_stdout": "True",
        "json_format": "True",
    }


def test_secrets_backend_arguments_are_one_line_of_json():
    backend = {"backend": "a.b.VaultBackend", "kwargs": {"url": "https://vault", "kv": 2}}
    found = airflow_config.secrets_backend(environment(secretsBackend=backend))["secrets"]
    assert found == {
        "backend": "a.b.VaultBackend",
        "backend_kwargs": '{"kv":2,"url":"https://vault"}',
    }
    assert airflow_config.secrets_backend(environment()) == {}


def test_entrypoint_check():
    env = environment(airflow={"connectionCheck": {"maxCount": 0, "sleep": 7}})
    assert airflow_config.connection_check_env(env) == {
        "CONNECTION_CHECK_MAX_COUNT": "0",
        "CONNECTION_CHECK_SLEEP_TIME": "7",
    }


def bundles(*items, version="3.2.2"):
    return environment(version, dags={"bundles": list(items)})


PRIVATE = {
    "name": "team-a",
    "repository": "git@git.example.com:a/dags.git",
    "subPath": "dags",
    "secretName": "dags-a",
}


def test_git_bundle_with_a_connection():
    (entry,) = airflow_config.dag_bundles(bundles(PRIVATE))
    assert entry == {
        "name": "team-a",
        "classpath": "airflow.providers.git.bundles.git.GitDagBundle",
        "kwargs": {
            "repo_url": "git@git.example.com:a/dags.git",
            "tracking_ref": "main",
            "subdir": "dags",
            "git_conn_id": "git_team_a",
            "refresh_interval": 300,
        },
    }


def test_public_git_bundle_has_no_connection():
    (entry,) = airflow_config.dag_bundles(bundles({"name": "a", "repository": "https://x/y"}))
    assert "git_conn_id" not in entry["kwargs"]


def test_local_and_custom_bundles():
    local, custom = airflow_config.dag_bundles(
        bundles(
            {"name": "baked", "type": "local", "path": "/opt/dags"},
            {"name": "own", "type": "custom", "classpath": "own.Bundle", "kwargs": {"n": 1}},
        )
    )
    assert local["kwargs"] == {"path": "/opt/dags", "refresh_interval": 300}
    assert custom["classpath"] == "own.Bundle"
    assert custom["kwargs"] == {"n": 1, "refresh_interval": 300}


def test_airflow_2_has_no_bundles():
    assert airflow_config.dag_bundles(bundles(PRIVATE, version="2.11.0")) == []


def test_connection_variables_are_names_that_a_shell_keeps():
    (connection,) = airflow_config.bundle_connections(bundles(PRIVATE).dags.bundles).values()
    assert airflow_config.connection_variable(connection) == "AIRFLOW_CONN_GIT_TEAM_A"


def test_bundles_whose_names_coincide_keep_their_own_connections():
    other = {**PRIVATE, "name": "team_a"}
    found = airflow_config.bundle_connections(bundles(PRIVATE, other).dags.bundles)
    assert len(set(found.values())) == 2


def test_every_value_is_text():
    env = environment(
        apiServer={**REFRESH, "workers": 2},
        metrics={"type": "otel", "endpoint": "c:1"},
        tracing={"enabled": True, "endpoint": "c:1"},
        logging={"remote": {"type": "opensearch"}},
        secretsBackend={"backend": "a.B", "kwargs": {"n": 1}},
    )
    parts = [
        airflow_config.api_server(env),
        airflow_config.triggerer(env),
        airflow_config.metrics(env),
        airflow_config.tracing(env),
        airflow_config.logging(env),
        airflow_config.secrets_backend(env),
    ]
    for part in parts:
        for options in part.values():
            assert all(isinstance(value, str) for value in options.values())
    assert json.loads(parts[-1]["secrets"]["backend_kwargs"]) == {"n": 1}
