import hashlib
import os

import pytest

from generator.chart.chart import ChartError, ChartFault, open_chart
from generator.chart.http import Client, Credentials
from generator.chart.source import RepositorySource, VendoredSource, pull, versions
from generator.core.http_policy import FetchError
from tests.fakes.chart_server import Answer, serving
from tests.generator.chart.samples import FILES, archive_of

DATA = archive_of(FILES)
DIGEST = hashlib.sha256(DATA).hexdigest()


def index(*entries):
    lines = ["apiVersion: v1", "generated: 2026-06-01T00:00:00Z", "entries:", "  airflow:"]
    for version, url, digest in entries:
        lines += [f"  - version: {version}", "    created: 2026-06-01T00:00:00Z"]
        lines += [f"    urls: [{url}]"]
        lines += [f"    digest: {digest}"] if digest else []
    return "\n".join([*lines, ""]).encode()


@pytest.fixture
def server():
    with serving() as running:
        running.answers["/charts/index.yaml"] = index(
            ("1.9.0", "airflow-1.9.0.tgz", ""),
            ("1.22.0", "airflow-1.22.0.tgz", DIGEST),
            ("2.0.0-rc.1", "airflow-2.tgz", ""),
        )
        running.answers["/charts/airflow-1.22.0.tgz"] = DATA
        yield running


@pytest.fixture
def client():
    return Client(sleep=lambda seconds: None)


@pytest.fixture
def source(server):
    return RepositorySource(f"{server.url}/charts")


def test_a_chart_is_pulled_from_a_repository(source, client):
    assert pull(source, "1.22.0", client) == DATA


def test_a_trailing_slash_of_the_repository_does_not_matter(server, client):
    assert pull(RepositorySource(f"{server.url}/charts/"), "1.22.0", client) == DATA


def test_a_range_takes_the_newest_release_in_it(source, client):
    assert pull(source, "~1.22", client) == DATA
    assert pull(source, ">=1.0.0", client) == DATA


def test_the_archive_may_lie_on_another_host_which_gets_no_credentials(server, source, client):
    with serving() as other:
        server.answers["/charts/index.yaml"] = index(("1.22.0", f"{other.url}/x.tgz", DIGEST))
        other.answers["/x.tgz"] = DATA
        private = RepositorySource(source.url, credentials=Credentials("ann", "pass"))
        assert pull(private, "1.22.0", client) == DATA
        assert "authorization" in server.asked[0][1]
        assert "authorization" not in other.asked[0][1]


def test_a_download_that_is_not_what_the_index_promises_is_refused(server, source, client):
    server.answers["/charts/airflow-1.22.0.tgz"] = DATA + b"\0"
    with pytest.raises(ChartError, match="the source states") as caught:
        pull(source, "1.22.0", client)
    assert caught.value.fault is ChartFault.DIGEST


def test_a_version_that_is_not_there_names_those_that_are(source, client):
    with pytest.raises(FetchError, match=r"version 1\.23\.0 not found") as caught:
        pull(source, "1.23.0", client)
    assert caught.value.hint == "it has 2.0.0-rc.1, 1.22.0, 1.9.0"


def test_an_index_that_is_none_is_told(server, source, client):
    for body in (b"<html>welcome</html>", b"hello: world\n", b"\xff", b""):
        server.answers["/charts/index.yaml"] = body
        with pytest.raises(FetchError, match="not the index of a Helm repository"):
            pull(source, "1.22.0", client)


def test_a_repository_lists_its_versions_newest_first(source, client):
    assert versions(source, client) == ("2.0.0-rc.1", "1.22.0", "1.9.0")


def unpacked(folder, files=FILES):
    for path, text in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
    return folder


def test_an_unpacked_chart_in_the_repository_becomes_an_archive(tmp_path):
    data = pull(VendoredSource(unpacked(tmp_path / "chart")), "1.22.0")
    (tmp_path / "x.tgz").write_bytes(data)
    chart = open_chart(tmp_path / "x.tgz")
    assert {path: content.decode() for path, content in chart.files.items()} == FILES
    for path in (tmp_path / "chart").rglob("*"):
        os.utime(path, (1, 1))
    assert pull(VendoredSource(tmp_path / "chart"), "1.22.0") == data


def test_a_vendored_archive_is_taken_as_it_is(tmp_path):
    path = tmp_path / "airflow-1.22.0.tgz"
    path.write_bytes(DATA)
    assert pull(VendoredSource(path), "1.22.0") == DATA
    assert versions(VendoredSource(path)) == ("1.22.0",)


def test_a_vendored_chart_of_another_version_is_refused(tmp_path):
    with pytest.raises(ChartError, match=r"has version 1\.22\.0, not 1\.21\.0"):
        pull(VendoredSource(unpacked(tmp_path / "chart")), "1.21.0")


def test_a_symbolic_link_in_a_vendored_chart_is_refused(tmp_path):
    folder = unpacked(tmp_path / "chart")
    (folder / "templates/passwd.yaml").symlink_to("/etc/passwd")
    with pytest.raises(ChartError, match="symbolic link"):
        pull(VendoredSource(folder), "1.22.0")
    (tmp_path / "link").symlink_to(folder)
    with pytest.raises(ChartError, match="symbolic link"):
        pull(VendoredSource(tmp_path / "link"), "1.22.0")


def test_a_vendored_chart_that_is_missing_or_none_is_told(tmp_path):
    with pytest.raises(ChartError, match="no chart found here"):
        pull(VendoredSource(tmp_path / "none"), "1.22.0")
    with pytest.raises(ChartError, match=r"no Chart\.yaml"):
        pull(VendoredSource(tmp_path), "1.22.0")


def test_what_helmignore_names_stays_out_of_the_archive(tmp_path):
    folder = unpacked(tmp_path / "chart", {**FILES, ".helmignore": "*.md\n", "x.md": "x"})
    (tmp_path / "x.tgz").write_bytes(pull(VendoredSource(folder), "1.22.0"))
    assert "x.md" not in open_chart(tmp_path / "x.tgz").files


def test_a_repository_behind_a_password_is_read_with_it(server, source, client):
    body = server.answers["/charts/index.yaml"]
    server.answers["/charts/index.yaml"] = lambda headers: (
        body if headers.get("authorization") == "Basic YW5uOnBhc3M=" else Answer(status=401)
    )
    private = RepositorySource(source.url, credentials=Credentials("ann", "pass"))
    assert pull(private, "1.22.0", client) == DATA
    with pytest.raises(FetchError, match="401"):
        pull(source, "1.22.0", client)
    assert "pass" not in repr(private)
