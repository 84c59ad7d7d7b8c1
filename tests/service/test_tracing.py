"""Traces, sent to a receiver on loopback that reads them as a collector would."""

import contextlib
import http.server
import subprocess
import sys
import threading
import types

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from generator.core.errors import UserError
from generator.forge.transport import Call
from generator.render.cache import Render
from service.telemetry import instrument, logs, tracing
from tests.loopback import free_port
from tests.service import scene


class Receiver:
    """Keeps every span that is posted, with the resource it belongs to."""

    def __init__(self):
        self.spans = []
        self.raw = b""
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                assert self.path == "/v1/traces"
                receiver.take(body)
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *arguments):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def take(self, body):
        self.raw += body
        message = ExportTraceServiceRequest.FromString(body)
        for part in message.resource_spans:
            facts = values(part.resource.attributes)
            for scope in part.scope_spans:
                self.spans += [(span, facts) for span in scope.spans]

    def named(self, name):
        return [span for span, _ in self.spans if span.name == name]

    def close(self):
        self._server.shutdown()
        self._server.server_close()


def values(attributes):
    return {item.key: getattr(item.value, item.value.WhichOneof("value")) for item in attributes}


@pytest.fixture
def receiver():
    made = Receiver()
    yield made
    made.close()


@pytest.fixture
def traced(receiver, monkeypatch):
    """This process traces to the receiver; what it has told is there after `tracing.stop`."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url)
    tracing.configure("test")
    yield receiver
    tracing.stop()


def row(**changes):
    found = {
        "id": "r1", "kind": "check", "connection": "forge", "repository": "team/one", "number": 7,
        "attempts": 1, "queued": 100.0, "started": 103.0, "origin": {},
    }  # fmt: skip
    return types.SimpleNamespace(**{**found, **changes})


@pytest.mark.thorough
def test_a_delivery_leads_through_the_queue_to_the_run_and_its_requests(tmp_path, receiver):
    port = free_port()
    more = {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url, "OTEL_BSP_SCHEDULE_DELAY": "200"}
    with scene.forge() as forge:
        config = scene.write_settings(tmp_path, forge.url, port)
        log = tmp_path / "log.txt"
        process = scene.start("serve", config, log, **more)
        try:
            assert scene.wait_for(scene.answers(port, "/readyz")), log.read_text()
            raw, headers = scene.signed(scene.pull_body("team/one", 3, scene.sha_of(3)), "d-77")
            # A stranger's context is not to be followed.
            headers["traceparent"] = f"00-{'ab' * 16}-{'cd' * 8}-01"
            assert scene.request(port, "POST", "/webhooks/forge", raw, headers)[0] == 202
            assert scene.wait_for(lambda: receiver.named("run check")), log.read_text()
            assert scene.wait_for(lambda: receiver.named("delivery"))
        finally:
            scene.kill(process, hard=False)
    [delivery], [run] = receiver.named("delivery"), receiver.named("run check")
    assert delivery.trace_id.hex() != "ab" * 16 and not delivery.parent_span_id
    assert run.trace_id == delivery.trace_id and run.parent_span_id == delivery.span_id
    requests = [span for span in receiver.named("forge GET") if span.parent_span_id == run.span_id]
    assert requests
    told = values(requests[0].attributes)
    assert told["url.path"].endswith("/repos/team/one/pulls/3")
    assert told["http.response.status_code"] == 200
    facts = values(run.attributes)
    assert (facts["gen_env.delivery"], facts["gen_env.number"]) == ("d-77", 3)
    assert values(delivery.attributes)["gen_env.outcome"] == "queued"
    roles = {about["gen_env.role"] for _, about in receiver.spans}
    assert roles == {"web", "worker"}
    assert {about["service.name"] for _, about in receiver.spans} == {"gen-env-service"}
    for canary in (scene.SECRET, scene.TOKEN, scene.API):
        assert canary.encode() not in receiver.raw


def test_fetches_and_renders_of_other_threads_belong_to_the_run(traced):
    def work(_row):
        told = instrument.of_renders()
        thread = threading.Thread(target=told, args=[Render("airflow", "rendered", 1e9, 2.5)])
        thread.start()
        thread.join()
        with instrument.of_fetch():
            pass
        return "done"

    assert instrument.of_run(row(), work) == "done"
    tracing.stop()
    [run], [render], [fetch] = map(traced.named, ("run check", "render", "git fetch"))
    assert render.parent_span_id == fetch.parent_span_id == run.span_id
    assert render.end_time_unix_nano - render.start_time_unix_nano == pytest.approx(2.5e9)
    assert values(render.attributes) == {"gen_env.release": "airflow", "gen_env.result": "rendered"}
    assert values(run.attributes)["gen_env.waited_seconds"] == 3.0


def test_what_a_run_queues_goes_on_in_its_trace(traced):
    with logs.bound(delivery="d1"), tracing.span("delivery", parent=""):
        origin = logs.origin()
    assert origin["delivery"] == "d1"
    second = instrument.of_run(row(origin=origin), lambda _row: logs.origin())
    instrument.of_run(row(origin=second), lambda _row: None)
    tracing.stop()
    assert second["delivery"] == "d1"
    assert len({span.trace_id for span, _ in traced.spans}) == 1
    assert len(traced.spans) == 3


def test_failures_are_marked_without_their_words(traced):
    def fail(_row):
        told = instrument.of_forge("forge")
        told(Call("POST", "/x", 0, 1e9, 0.1, {}))
        told(Call("POST", "/x", 422, 1e9, 0.1, {}))
        raise RuntimeError("canary-in-an-exception")

    with pytest.raises(RuntimeError):
        instrument.of_run(row(), fail)
    tracing.stop()
    [run] = traced.named("run check")
    assert (run.status.code, run.status.message) == (2, "RuntimeError")
    assert [span.status.code for span in traced.named("forge POST")] == [2, 2]
    assert b"canary" not in traced.raw


def test_the_standard_variables_name_the_service(receiver, monkeypatch):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", f"{receiver.url}/v1/traces")
    monkeypatch.setenv("OTEL_SERVICE_NAME", "ours")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment=test")
    tracing.configure("test")
    with tracing.span("delivery"):
        pass
    tracing.stop()
    [(_, facts)] = receiver.spans
    assert (facts["service.name"], facts["deployment.environment"]) == ("ours", "test")


@pytest.mark.parametrize(
    ("environment", "wanted"),
    [
        ({}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x"}, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://x"}, True),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, True),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x", "OTEL_TRACES_EXPORTER": "none"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x", "OTEL_SDK_DISABLED": "TRUE"}, False),
    ],
)
def test_the_standard_variables_switch_traces_on_and_off(environment, wanted):
    assert tracing.is_wanted(environment) is wanted


def test_another_protocol_is_refused_with_the_reason():
    asked = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}
    with pytest.raises(UserError, match="http/protobuf, not as grpc"):
        tracing.require(asked)


def test_without_the_packages_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    tracing.require({})
    with pytest.raises(UserError, match="not installed") as caught:
        tracing.require({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x"})
    assert "gen-env[otel]" in caught.value.hint


def test_nothing_is_imported_where_nothing_is_traced():
    program = (
        "import sys; from service.telemetry import instrument, logs, tracing\n"
        "tracing.configure('web')\n"
        "with logs.bound(delivery='d'), tracing.span('delivery', parent=''):\n"
        "    assert logs.origin() == {'delivery': 'd'}\n"
        "assert not [name for name in sys.modules if name.startswith('opentelemetry')]\n"
    )
    subprocess.run([sys.executable, "-c", program], env=scene.environment(), check=True)


def test_a_receiver_that_is_away_harms_nothing(monkeypatch):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
    tracing.configure("test")
    with contextlib.suppress(ZeroDivisionError), tracing.span("delivery"):
        raise ZeroDivisionError
    tracing.stop()
