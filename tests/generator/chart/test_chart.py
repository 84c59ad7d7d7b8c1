import hashlib
import json
import re

import pytest

from generator.chart.archive import pack
from generator.chart.chart import ChartError, ChartFault, open_chart
from tests.generator.chart.samples import CHART, FILES, archive_of, tar_of, write


def fault_of(path, **options):
    with pytest.raises(ChartError) as caught:
        open_chart(path, **options)
    assert caught.value.path == str(path)
    return caught.value


def test_a_chart_says_what_it_is(tmp_path):
    path = write(tmp_path)
    chart = open_chart(path)
    assert (chart.name, chart.version, chart.app_version) == ("airflow", "1.22.0", "3.2.2")
    assert chart.kube_version == ">=1.30.0-0"
    assert chart.digest == "sha256:" + hashlib.sha256(path.read_bytes()).hexdigest()
    assert [(d.name, d.condition) for d in chart.dependencies] == [
        ("postgresql", "postgresql.enabled")
    ]


def test_a_chart_gives_its_values_schema_and_crds(tmp_path):
    chart = open_chart(write(tmp_path))
    assert chart.values()["scheduler"] == {"replicas": 1}
    assert chart.schema() == json.loads(FILES["values.schema.json"])
    assert chart.crds() == ("crds/widgets.yaml",)


def test_default_values_are_read_as_helm_reads_them(tmp_path):
    text = FILES["values.yaml"] + "odd: [y, 017, 1e3, 2024-01-01]\n"
    chart = open_chart(write(tmp_path, {"values.yaml": text}))
    assert chart.values()["odd"] == [True, 15, 1000, "2024-01-01"]


def test_values_that_are_handed_out_cannot_change_the_chart(tmp_path):
    chart = open_chart(write(tmp_path))
    chart.values().clear()
    assert chart.values()


def test_a_missing_file_is_told_from_an_unreadable_one(tmp_path):
    assert fault_of(tmp_path / "none.tgz").fault is ChartFault.MISSING
    assert fault_of(tmp_path).fault is ChartFault.UNREADABLE


def test_what_is_no_archive_is_told_from_an_archive_that_is_no_chart(tmp_path):
    path = tmp_path / "x.tgz"
    path.write_bytes(b"<html>404</html>")
    assert fault_of(path).fault is ChartFault.NOT_ARCHIVE
    path.write_bytes(tar_of(("thing/README.md", b"")))
    assert fault_of(path).fault is ChartFault.NOT_CHART
    path.write_bytes(tar_of(("thing/../../README.md", b"")))
    assert fault_of(path).fault is ChartFault.UNSAFE


@pytest.mark.parametrize(
    "text", ["name: airflow\n", "version: 1.0.0\n", "[]", "a: b: c", "name: a\nversion: latest\n"]
)
def test_a_broken_chart_yaml_is_no_chart(tmp_path, text):
    assert fault_of(write(tmp_path, {"Chart.yaml": text})).fault is ChartFault.NOT_CHART


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ("airflow: {}\nweb: {}\nexternalDatabase: {}\n", "user community"),
        ("global: {}\ncommonLabels: {}\nweb: {}\nworker: {}\n", "Bitnami"),
        ("airflowVersion: 1\nexecutor: x\nimages: {}\ndata: {}\nscheduler: {}\n", "lack.* workers"),
    ],
)
def test_another_chart_named_airflow_is_refused_and_named(tmp_path, values, words):
    path = write(tmp_path, {"values.yaml": values})
    error = fault_of(path)
    assert error.fault is ChartFault.NOT_AIRFLOW
    assert re.search(words, error.message)
    assert open_chart(path, official=False).name == "airflow"


def test_a_chart_of_another_name_is_refused_and_named(tmp_path):
    path = write(tmp_path, {"Chart.yaml": CHART.replace("name: airflow", "name: nginx")})
    error = fault_of(path)
    assert (error.fault, "`nginx`" in error.message) == (ChartFault.NOT_AIRFLOW, True)


def test_a_dependency_that_is_not_in_the_archive_is_named(tmp_path):
    files = {path: text for path, text in FILES.items() if not path.startswith("charts/")}
    path = tmp_path / "airflow.tgz"
    path.write_bytes(archive_of(files))
    error = fault_of(path)
    assert error.fault is ChartFault.DEPENDENCY
    assert "postgresql" in error.message


def test_a_dependency_may_be_vendored_as_an_archive(tmp_path):
    inner = pack("postgresql", {"Chart.yaml": b"name: postgresql\nversion: 13.2.24\n"})
    files = {p: t.encode() for p, t in FILES.items() if not p.startswith("charts/")}
    path = tmp_path / "airflow.tgz"
    path.write_bytes(pack("airflow", {**files, "charts/postgresql-13.2.24.tgz": inner}))
    assert open_chart(path).version == "1.22.0"
    path.write_bytes(pack("airflow", {**files, "charts/postgresql-13.2.24.tgz": b"broken"}))
    assert fault_of(path).fault is ChartFault.DEPENDENCY


def test_a_kubernetes_version_out_of_range_is_refused(tmp_path):
    chart = open_chart(write(tmp_path))
    chart.check_kubernetes("1.34.2-gke.1")
    with pytest.raises(ChartError, match=r"needs Kubernetes >=1\.30\.0-0, not 1\.29\.4"):
        chart.check_kubernetes("1.29.4")


def test_a_chart_without_a_range_takes_every_kubernetes(tmp_path):
    text = CHART.replace('kubeVersion: ">=1.30.0-0"\n', "")
    open_chart(write(tmp_path, {"Chart.yaml": text})).check_kubernetes("1.1.0")


def test_a_range_that_is_none_is_refused(tmp_path):
    chart = open_chart(write(tmp_path, {"Chart.yaml": CHART.replace(">=1.30.0-0", "new")}))
    with pytest.raises(ChartError, match="not a version range"):
        chart.check_kubernetes("1.34.2")


def test_an_archive_that_the_lock_does_not_name_is_refused(tmp_path):
    chart = open_chart(write(tmp_path))
    chart.expect("1.22.0", chart.digest)
    with pytest.raises(ChartError, match="the lock says sha256:00"):
        chart.expect("1.22.0", "sha256:" + "0" * 64)
    with pytest.raises(ChartError, match=r"the lock says 1\.21\.0"):
        chart.expect("1.21.0", chart.digest)


@pytest.mark.parametrize("name", ["values.yaml", "values.schema.json"])
def test_a_file_of_the_chart_that_is_not_utf8_is_an_error(tmp_path, name):
    files = {path: text.encode() for path, text in FILES.items()}
    path = tmp_path / "airflow.tgz"
    path.write_bytes(pack("airflow", {**files, name: b"\xff\xfe"}))
    with pytest.raises(ChartError, match=name):
        chart = open_chart(path, official=False)
        chart.values()
        chart.schema()


def test_a_schema_that_is_not_json_is_an_error(tmp_path):
    with pytest.raises(ChartError, match="not JSON"):
        open_chart(write(tmp_path, {"values.schema.json": "{"})).schema()
