import contextlib
import dataclasses
import io
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from generator.core import http
from generator.core.http_policy import FetchError, Policy, Trouble, is_loopback, shown
from tests.fakes.chart_server import Answer, serving
from tests.loopback import endless

POLICY = Policy(max_bytes=1000)


@pytest.fixture
def server():
    with serving() as running:
        yield running


@pytest.fixture
def persistent():
    """A server that keeps connections open and counts them; it sends `/slow` drop by drop."""
    connections, sent = [], []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self):
            super().setup()
            connections.append(self.client_address)

        def do_GET(self):
            body = b"x" * (40 if self.path != "/moved" else 20_000_000)
            self.send_response(200 if self.path != "/moved" else 302)
            self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            step = 1 if self.path == "/slow" else 100
            with contextlib.suppress(OSError):  # the client hangs up
                for start in range(0, len(body), step):
                    self.wfile.write(body[start : start + step])
                    sent.append(step)
                    time.sleep(0.2 if self.path == "/slow" else 0)

        def log_message(self, *args):
            pass

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=httpd.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{httpd.server_port}", connections, sent
    finally:
        httpd.shutdown()
        thread.join()
        httpd.server_close()


def refusal(url, policy=POLICY, **options):
    with pytest.raises(FetchError) as caught:
        http.get(url, policy, **options)
    return caught.value


def test_one_client_keeps_its_connection(persistent):
    url, connections, _ = persistent
    with http.Client(POLICY) as client:
        bodies = [client.request("GET", f"{url}/a").body for _ in range(3)]
    assert bodies == [b"x" * 40] * 3
    assert len(connections) == 1


def test_a_server_that_sends_drop_by_drop_is_cut_off_in_time(persistent):
    url, _, sent = persistent
    error = refusal(f"{url}/slow", Policy(max_bytes=1000, total_seconds=0.2))
    assert (error.trouble, error.status) == (Trouble.SLOW, 200)
    assert "takes too long" in error.message
    assert len(sent) < 40, "the server had more to send"


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("first", "again"),
    [
        pytest.param(b"", b"HTTP/1.1 100 Continue\r\n\r\n", id="interim-answers"),
        pytest.param(b"HTTP/1.1 200 OK\r\n", b"x", id="a-header"),
        pytest.param(CHUNKED, b"0", id="the-size-of-a-chunk"),
        pytest.param(CHUNKED + b"0\r\n", b"x: y\r\n", id="trailers"),
        pytest.param(
            CHUNKED.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n0\r\n"),
            b"x: y\r\n",
            id="the-last-trailers",
        ),
        pytest.param(CHUNKED, b"1\r\nx\r\n", id="chunks"),
    ],
)
def test_a_server_that_answers_endlessly_is_cut_off_in_time(first, again):
    with endless(first, again) as url:
        began = time.monotonic()
        error = refusal(url, Policy(max_bytes=10_000, total_seconds=0.3))
        assert time.monotonic() - began < 2
        assert error.trouble is Trouble.SLOW and "takes too long" in error.message


def test_a_silent_server_may_have_got_the_request(server):
    server.answers["/a"] = lambda headers: time.sleep(0.5) or b"late"
    error = refusal(f"{server.url}/a", Policy(max_bytes=10, read_seconds=0.1))
    assert error.trouble is Trouble.BROKEN


def test_a_port_where_nobody_listens_got_nothing():
    with serving() as gone:
        url = gone.url
    assert refusal(f"{url}/a").trouble is Trouble.UNREACHABLE


def test_the_page_of_a_failure_is_cut_instead_of_refused(server):
    server.answers["/a"] = Answer(b"x" * 5000, status=500)
    answer = http.get(f"{server.url}/a", POLICY)
    assert (answer.status, len(answer.body)) == (500, 1000)


def test_a_redirect_is_an_answer_where_none_is_followed(server):
    server.answers["/a"] = Answer(status=302, headers={"Location": "/b"})
    assert http.get(f"{server.url}/a", POLICY).status == 302
    assert server.paths() == ["/a"]


def test_the_body_of_a_redirect_is_not_read_to_its_end(persistent):
    url, _, sent = persistent
    assert len(http.get(f"{url}/moved", POLICY).body) == 1000
    assert sum(sent) < 20_000_000


def test_a_bundle_in_the_environment_does_not_replace_the_authority_file(
    server, tmp_path, monkeypatch
):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "none.pem"))
    server.answers["/a"] = b"x"
    own = tmp_path / "own.pem"
    own.write_text("")
    assert http.get(f"{server.url}/a", Policy(max_bytes=10, ca_file=own)).body == b"x"


def test_loopback_is_reached_past_every_proxy(server, monkeypatch):
    for name in ("http_proxy", "all_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    server.answers["/a"] = b"x"
    assert http.get(f"{server.url}/a", POLICY).body == b"x"


@pytest.mark.parametrize("url", ["https://[::1", "https://forge.example.com:99999/x", "x", ""])
def test_what_is_no_url_is_refused_in_words(url):
    assert "must be https" in refusal(url).message


def test_a_redirect_to_what_is_no_url_is_refused_in_words(server):
    server.answers["/a"] = Answer(status=302, headers={"Location": "https://[::1"})
    error = refusal(f"{server.url}/a", Policy(max_bytes=10, redirects=1))
    assert error.trouble is Trouble.FORBIDDEN


def test_an_error_keeps_neither_the_headers_nor_what_carried_them():
    with serving() as gone:
        url = gone.url
    error = refusal(f"{url}/a?token=canary", headers={"Authorization": "canary"})
    assert "canary" not in error.message + error.hint
    assert (error.__cause__, error.__context__) == (None, None)


@pytest.mark.parametrize(
    ("policy", "host", "plain"),
    [
        (POLICY, "127.0.0.1:8080", True),
        (POLICY, "localhost", True),
        (POLICY, "[::1]:80", True),
        (POLICY, "airflow.example.com", False),
        (
            Policy(max_bytes=1, plain_hosts=frozenset({"airflow.example.com"})),
            "airflow.example.com",
            True,
        ),
        (Policy(max_bytes=1, plain_hosts=None), "airflow.example.com", True),
    ],
)
def test_plain_http_is_for_loopback_and_the_hosts_that_the_policy_names(policy, host, plain):
    assert policy.speaks_plain(host) is plain


def test_a_name_that_begins_like_a_loopback_address_is_none():
    assert not is_loopback("127.0.0.1.example.com")
    assert shown("https://[::1") == "the URL"


def test_a_file_gets_the_body_of_the_last_success_alone(server):
    server.answers["/moved"] = Answer(b"moved away", 302, {"Location": "/there"})
    server.answers["/there"] = b"a body"
    server.answers["/refused"] = Answer(b"refused", 403)
    sink = io.BytesIO(b"what an earlier try left there")
    with http.Client(dataclasses.replace(POLICY, redirects=1)) as client:
        assert client.request("GET", f"{server.url}/moved", into=sink).body == b""
        assert sink.getvalue() == b"a body"
        assert client.request("GET", f"{server.url}/refused", into=sink).body == b"refused"
        assert sink.getvalue() == b"a body"
        server.answers["/there"] = b"x" * 2000
        with pytest.raises(FetchError, match="too large"):
            client.request("GET", f"{server.url}/there", into=sink)
