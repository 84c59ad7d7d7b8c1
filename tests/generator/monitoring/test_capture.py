"""Dashboards and alerts on a real Prometheus, filled by what a running Airflow sends."""

import contextlib
import json
import os
import re
import socket
import subprocess
import time
import urllib.parse
import urllib.request
from pathlib import Path

import pytest
import yaml

from generator.airflow import statsd_mapping
from generator.monitoring import alerts, dashboard
from tests.cluster import programs
from tests.loopback import free_port
from tests.repositories import PRODUCTION, changed, release
from tools import airflow_metrics

pytestmark = pytest.mark.nightly
WATCHED = changed(PRODUCTION, ("serviceMonitor: true}", "serviceMonitor: true, alerts: {}}"))


def watched(version):
    return release(changed(WATCHED, ("version: 3.2.2", f"version: {version}")))


LINES = os.environ.get("GEN_ENV_METRICS_LINES")
"""A folder that `tools.airflow_metrics --lines` filled, in place of a capture."""


@pytest.fixture(scope="module", params=list(airflow_metrics.RELEASES))
def version(request):
    return request.param


@pytest.fixture(scope="module")
def query(version, tmp_path_factory):
    """Asks a Prometheus that scraped the exporter while it got the lines of a release."""
    needed = ("statsd_exporter", "prometheus", "redis-server")
    if missing := [name for name in needed if programs.find(name) is None]:
        pytest.skip(f"needs {', '.join(missing)} (make cluster-tools; Debian)")
    folder = tmp_path_factory.mktemp("prometheus")
    lines = sent(version)
    udp, web, port = free_port(), free_port(), free_port()
    mapping = {"mappings": statsd_mapping.mappings(), "defaults": {"ttl": "15m"}}
    labels = {"namespace": "airflow", "service": "airflow-statsd"}
    targets = [{"targets": [f"127.0.0.1:{web}"], "labels": labels}]
    jobs = [{"job_name": "airflow", "scrape_interval": "1s", "static_configs": targets}]
    (folder / "mapping.yaml").write_text(yaml.safe_dump(mapping), "utf-8")
    (folder / "prometheus.yaml").write_text(yaml.safe_dump({"scrape_configs": jobs}), "utf-8")
    exporter = [programs.find("statsd_exporter"), f"--statsd.mapping-config={folder}/mapping.yaml",
                f"--statsd.listen-udp=127.0.0.1:{udp}", "--statsd.listen-tcp=",
                f"--web.listen-address=127.0.0.1:{web}"]  # fmt: skip
    address = f"127.0.0.1:{port}"
    server = ["prometheus", f"--config.file={folder}/prometheus.yaml",
              f"--storage.tsdb.path={folder}/data", f"--web.listen-address={address}"]  # fmt: skip
    url = f"http://{address}"
    with (
        running(exporter, folder / "exporter.log", f"http://127.0.0.1:{web}/metrics"),
        running(server, folder / "prometheus.log", f"{url}/-/ready"),
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender,
    ):
        for _ in range(2):
            for place, line in enumerate(lines):
                sender.sendto(line.encode(), ("127.0.0.1", udp))
                if place % 20 == 0:
                    time.sleep(0.01)
            time.sleep(5)
        yield lambda expression: ask(url, expression)


def sent(version):
    if LINES:
        text = Path(LINES, f"{version}.txt").read_text("utf-8")
        return [line.partition("\t")[2] for line in text.splitlines()]
    place = airflow_metrics.environment(version)
    return [line for _, line in airflow_metrics.capture(version, place, 150).lines]


@contextlib.contextmanager
def running(command, log, url):
    with log.open("wb") as output, subprocess.Popen(command, stdout=output, stderr=output) as own:
        try:
            for _ in range(100):
                with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=2):
                    break
                time.sleep(0.2)
            else:
                pytest.fail(log.read_text())
            yield
        finally:
            own.terminate()


def ask(url, expression):
    words = urllib.parse.urlencode({"query": expression})
    with urllib.request.urlopen(f"{url}/api/v1/query?{words}", timeout=10) as answer:
        return json.load(answer)["data"]["result"]


def test_no_panel_is_empty(query, version):
    shown = [item for item in dashboard.panels(watched(version)) if "pgbouncer" not in item[2]]
    assert len(shown) > 10
    assert [title for title, _, expression, _ in shown if not query(expression)] == []


def test_every_series_of_an_alert_is_there(query, version):
    texts = [item.expression for item in alerts.alerts(watched(version))]
    series = {name for text in texts for name in re.findall(r"airflow_\w+\{[^}]*\}", text)}
    assert series
    assert [name for name in sorted(series) if not query(name)] == []


def test_no_series_stands_beside_a_labelled_one_of_the_same_name(query):
    total = query('count by (__name__) ({pool="default_pool"})')
    names = {item["metric"]["__name__"] for item in total}
    assert names
    assert [name for name in sorted(names) if query(f'{name}{{pool=""}}')] == []
