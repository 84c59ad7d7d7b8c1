"""The metrics that a running Airflow really sends: the data of generator/airflow/metrics.json.

`python -m tools.airflow_metrics` runs Airflow's scheduler, DAG processor, triggerer, API server and
a Celery worker on PostgreSQL and Redis, with DAGs that succeed, fail, wait, die and do not parse.
Each component sends its StatsD lines, or with `--otel` its OTLP requests, to a port of its own, so
that the data names the sender. `capture` gives the lines themselves, which tests send through a
real statsd_exporter.
"""

import argparse
import collections
import contextlib
import dataclasses
import gzip
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
import venv
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import yaml

from tests import postgresql
from tests.loopback import free_port
from tools.airflow_facts import CACHE

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / "generator/airflow/metrics.json"
# Packages as they were soon after the release: newer ones break older Airflow.
RELEASES = {"3.1.8": "2026-03-14", "3.2.2": "2026-06-08", "3.3.2": "2026-09-18"}
_DECLARES = "3.2.2"  # the first that says so in a file; names of before are among its own
COMPONENTS = {
    "scheduler": ("scheduler",),
    "dag-processor": ("dag-processor",),
    "triggerer": ("triggerer",),
    "api-server": ("api-server",),
    "worker": ("celery", "worker", "--concurrency", "1"),
}
_TEMPLATE = "airflow/_shared/observability/metrics/metrics_template.yaml"
_OTEL = {
    "AIRFLOW__METRICS__STATSD_ON": "False",
    "AIRFLOW__METRICS__OTEL_ON": "True",
    "AIRFLOW__METRICS__OTEL_HOST": "127.0.0.1",
    "AIRFLOW__METRICS__OTEL_INTERVAL_MILLISECONDS": "5000",
}
_TYPES = {"c": "counter", "g": "gauge", "ms": "timer"}
_DAGS = """
import datetime, os, signal, time
from airflow.providers.standard.sensors.time_delta import TimeDeltaSensor
from airflow.sdk import Asset, dag, task, task_group

USUAL = {"start_date": datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc),
         "catchup": False, "schedule": datetime.timedelta(seconds=20)}

@dag(**USUAL)
def works():
    @task(outlets=[Asset("made")])
    def one(): time.sleep(1)
    @task(executor="CeleryExecutor")
    def by_celery(): time.sleep(1)
    @task_group
    def group():
        @task
        def inner(): pass
        inner()
    one() >> by_celery() >> group()
    TimeDeltaSensor(task_id="waits", delta=datetime.timedelta(seconds=2), deferrable=True)

@dag(**USUAL)
def fails():
    @task
    def one(): raise ValueError("as wanted")
    one()

@dag(**USUAL)
def dies():
    @task(executor="CeleryExecutor")
    def one(): os.kill(os.getppid(), signal.SIGKILL); os._exit(1)
    one()

@dag(start_date=USUAL["start_date"], schedule=[Asset("made")])
def by_asset():
    @task
    def one(): pass
    one()

works(); fails(); dies(); by_asset()
"""


@dataclasses.dataclass
class Capture:
    """What was sent: StatsD lines in their order, each with the component that sent it; or OTLP
    metrics, each as component, kind, name and names of attributes."""

    version: str
    lines: list[tuple[str, str]] = dataclasses.field(default_factory=list)
    metrics: set[tuple[str, str, str, tuple[str, ...]]] = dataclasses.field(default_factory=set)

    def otel(self, declared):
        """Name → kind, senders, and names of attributes; the variable parts of a name as above."""
        patterns = _patterns(declared)
        found = {}
        for component, kind, name, attributes in sorted(self.metrics):
            about = found.setdefault(
                _template(name.removeprefix("airflow."), patterns),
                {"kind": kind, "attributes": set(), "senders": set()},
            )
            about["attributes"] |= set(attributes)
            about["senders"].add(component)
        return {
            name: {key: sorted(part) if isinstance(part, set) else part
                   for key, part in about.items()}
            for name, about in sorted(found.items())
        }  # fmt: skip

    def summary(self, declared):
        """Type → name → senders; the variable parts of a name as the release's template says."""
        patterns = _patterns(declared)
        sent = collections.defaultdict(lambda: collections.defaultdict(set))
        for component, line in self.lines:
            name, _, rest = line.rpartition(":")
            kind = _TYPES.get(rest.split("|")[1])
            if kind:
                sent[kind][_template(name.removeprefix("airflow."), patterns)].add(component)
        return {
            kind: {name: sorted(names[name]) for name in sorted(names)}
            for kind, names in sorted(sent.items())
        }


def main():
    """Capture every release and write the data; `--lines DIR` also keeps what was sent."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--seconds", type=int, default=150)
    parser.add_argument("--release", action="append", choices=list(RELEASES))
    parser.add_argument("--lines", type=Path)
    parser.add_argument("--otel", action="store_true")
    chosen = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))
    data = json.loads(DATA.read_text("utf-8")) if DATA.exists() else {"sent": {}, "labelled": {}}
    for version in chosen.release or RELEASES:
        place = environment(version)
        declared = templates(place)
        captured = capture(version, place, chosen.seconds, otel=chosen.otel)
        if chosen.otel:
            data.setdefault("otel", {})[version] = captured.otel(declared)
            continue
        data["sent"][version] = captured.summary(declared)
        data["labelled"] |= {item["legacy_name"]: item["name"] for item in declared if _split(item)}
        if chosen.lines:
            text = "".join(f"{who}\t{line}\n" for who, line in captured.lines)
            (chosen.lines / f"{version}.txt").write_text(text, "utf-8")
    DATA.write_text(json.dumps(data, indent=1, sort_keys=True) + "\n", "utf-8")


def environment(version):
    """A virtual environment with the release; made once, kept in the cache."""
    place = CACHE / f"running-{version}"
    if not (place / "complete").exists():
        shutil.rmtree(place, ignore_errors=True)
        venv.create(place, with_pip=False)
        subprocess.run(
            [Path(sys.executable).parent / "uv", "pip", "install", "--quiet",
             "--exclude-newer", RELEASES[version], f"apache-airflow-core[otel,statsd]=={version}",
             "apache-airflow-providers-standard", "apache-airflow-providers-celery", "redis",
             "psycopg2-binary", "asyncpg"],
            env={**os.environ, "VIRTUAL_ENV": str(place)}, check=True)  # fmt: skip
        (place / "complete").touch()
    return place


def templates(place):
    """The metrics that the release declares; those of a later one where it does not."""
    found = [*place.glob(f"lib/python*/site-packages/{_TEMPLATE}")]
    if not found:
        return templates(environment(_DECLARES))
    (path,) = found
    return yaml.safe_load(path.read_text("utf-8"))["metrics"]


def _split(item):
    """Whether a metric is sent twice: once with labels in its name, once bare."""
    return item["legacy_name"] not in ("-", item["name"])


def _patterns(declared):
    """What a name with variable parts looks like, the longest template first."""
    names = {item[key] for item in declared for key in ("name", "legacy_name")}
    found = [(re.compile(re.escape(name)), name) for name in names if "{" not in name]
    for name in sorted((name for name in names if "{" in name), key=len, reverse=True):
        parts = re.split(r"\{\w+\}", name)
        found.append((re.compile("(.+)".join(map(re.escape, parts))), name))
    return found


def _template(name, patterns):
    return next((text for pattern, text in patterns if pattern.fullmatch(name)), name)


def capture(version, place, seconds, *, otel=False):
    """Run the release's components for so long; what they sent as StatsD lines, or over OTLP."""
    result = Capture(version)
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gen-env-metrics-")))
        (folder / "dags").mkdir()
        (folder / "dags/captured.py").write_text(_DAGS, "utf-8")
        (folder / "dags/broken.py").write_text("import not_there  # airflow DAG\n", "utf-8")
        server = stack.enter_context(postgresql.server())
        database = stack.enter_context(postgresql.fresh_database(server, "airflow"))
        broker = stack.enter_context(_redis())
        settings = _settings(place, folder, database, broker)
        airflow = [str(place / "bin/airflow")]
        subprocess.run([*airflow, "db", "migrate"], env=settings, check=True, capture_output=True)
        for name, command in COMPONENTS.items():
            if otel:
                port = stack.enter_context(_collector(name, result.metrics))
                own = {**settings, **_OTEL, "AIRFLOW__METRICS__OTEL_PORT": str(port)}
            else:
                port = stack.enter_context(_receiver(name, result.lines))
                own = {**settings, "AIRFLOW__METRICS__STATSD_PORT": str(port)}
            stack.enter_context(_process([*airflow, *command], own, folder / f"{name}.log"))
        _wait(settings["AIRFLOW__API__PORT"])
        time.sleep(seconds)
        if kept := os.environ.get("GEN_ENV_METRICS_LOGS"):
            shutil.copytree(folder, f"{kept}/{version}", dirs_exist_ok=True)
    return result


def _settings(place, folder, database, broker):
    port = free_port()
    options = {
        "CORE__DAGS_FOLDER": folder / "dags",
        "CORE__LOAD_EXAMPLES": False,
        "CORE__EXECUTOR": "LocalExecutor,CeleryExecutor",
        "CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{port}/execution/",
        "CORE__DAGS_ARE_PAUSED_AT_CREATION": False,
        "CORE__PARALLELISM": 2,
        "API__PORT": port,
        "API__HOST": "127.0.0.1",
        "API__WORKERS": 1,
        "CORE__MIN_SERIALIZED_DAG_UPDATE_INTERVAL": 5,
        "API_AUTH__JWT_SECRET": "k" * 64,
        "DATABASE__SQL_ALCHEMY_CONN": database.replace("postgresql://", "postgresql+psycopg2://"),
        "CELERY__BROKER_URL": broker,
        "CELERY__RESULT_BACKEND": database.replace("postgresql://", "db+postgresql://"),
        "LOGGING__WORKER_LOG_SERVER_PORT": free_port(),
        "LOGGING__TRIGGER_LOG_SERVER_PORT": free_port(),
        "METRICS__STATSD_ON": True,
        "METRICS__STATSD_HOST": "127.0.0.1",
        "DAG_PROCESSOR__REFRESH_INTERVAL": 10,
        "DAG_PROCESSOR__PRINT_STATS_INTERVAL": 5,
        "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": 15,
        "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": 5,
        "SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": 10,
        "SCHEDULER__ENABLE_HEALTH_CHECK": False,
    }
    return {
        "PATH": f"{place / 'bin'}:{os.environ['PATH']}",
        "HOME": str(folder),
        "AIRFLOW_HOME": str(folder),
        "C_FORCE_ROOT": "1",
        **{f"AIRFLOW__{name}": str(value) for name, value in options.items()},
    }


def _wait(port):
    """Until the API server answers; without it no task runs."""
    url = f"http://127.0.0.1:{port}/api/v2/monitor/health"
    for _ in range(300):
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=5):
            return
        time.sleep(1)
    sys.exit("the API server did not start within five minutes")


@contextlib.contextmanager
def _redis():
    port = free_port()
    quiet = ["--save", "", "--appendonly", "no", "--bind", "127.0.0.1"]
    with _process(["redis-server", "--port", str(port), *quiet], os.environ, os.devnull):
        yield f"redis://127.0.0.1:{port}/0"


@contextlib.contextmanager
def _process(command, settings, log):
    """A process with a session of its own, which ends with all of its children."""
    with Path(log).open("wb") as output:
        process = subprocess.Popen(
            command, env=settings, stdout=output, stderr=output, start_new_session=True
        )
        try:
            yield process
        finally:
            for number in (signal.SIGTERM, signal.SIGKILL):
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, number)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(10)


@contextlib.contextmanager
def _receiver(component, lines):
    """A UDP port on the loopback; what it receives is added to the lines."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(0.5)
        ended = threading.Event()

        def receive():
            while not ended.is_set():
                with contextlib.suppress(TimeoutError):
                    text = receiver.recv(65_535).decode("utf-8", "replace")
                    lines.extend((component, line) for line in text.splitlines() if line)

        thread = threading.Thread(target=receive)
        thread.start()
        try:
            yield receiver.getsockname()[1]
        finally:
            ended.set()
            thread.join()


@contextlib.contextmanager
def _collector(component, found):
    """A port that takes OTLP over HTTP; the metrics of each request are added to those found."""
    from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            request = metrics_service_pb2.ExportMetricsServiceRequest.FromString(body)
            for resource in request.resource_metrics:
                for metric in (item for scope in resource.scope_metrics for item in scope.metrics):
                    kind = metric.WhichOneof("data")
                    for point in getattr(metric, kind).data_points:
                        names = tuple(sorted(item.key for item in point.attributes))
                        found.add((component, kind, metric.name, names))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.1,))
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


if __name__ == "__main__":
    main()
