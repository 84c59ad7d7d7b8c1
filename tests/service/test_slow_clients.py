"""Clients that send slowly or not at all: nobody else waits for them."""

import contextlib
import socket
import time

import pytest

from service.web.buffered import READ_SECONDS
from tests.loopback import free_port
from tests.service import scene

HALF = {
    "nothing": b"",
    "half a header": b"POST /webhooks/forge HTTP/1.1\r\nHost: x\r\nContent-Le",
    "half a body": b"POST /webhooks/forge HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nabc",
    "half a chunk": b"POST /webhooks/forge HTTP/1.1\r\nHost: x\r\n"
    b"Transfer-Encoding: chunked\r\n\r\nff\r\nabc",
}


@pytest.fixture
def port(tmp_path):
    number = free_port()
    config = scene.write_settings(tmp_path, "http://127.0.0.1:9", number)
    process = scene.start("web", config, tmp_path / "log.txt")
    try:
        assert scene.wait_for(scene.answers(number), every=0.05), (tmp_path / "log.txt").read_text()
        yield number
        process.terminate()
        assert process.wait(60) == 0
        assert "Traceback" not in (tmp_path / "log.txt").read_text()
    finally:
        scene.kill(process)


def opened(stack, port, sent):
    client = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=60))
    client.sendall(sent)
    return client


@pytest.mark.thorough
def test_a_hundred_slow_clients_keep_nobody_waiting(port):
    with contextlib.ExitStack() as stack:
        for sent in HALF.values():
            for _ in range(25):
                opened(stack, port, sent)
        began = time.monotonic()
        assert scene.request(port, "GET", "/healthz")[0] == 200
        raw, headers = scene.signed(scene.pull_body("team/one", 1, scene.sha_of(1)), "d1")
        assert scene.request(port, "POST", "/webhooks/forge", raw, headers)[0] == 202
        # Far below what one of them may take; the machine may be busy.
        assert time.monotonic() - began < READ_SECONDS / 2


def test_a_body_that_is_too_large_is_refused_before_it_has_arrived(port):
    size = 5 * 1024 * 1024
    head = b"POST /webhooks/forge HTTP/1.1\r\nHost: x\r\n"
    with contextlib.ExitStack() as stack:
        client = opened(stack, port, head + b"Content-Length: %d\r\n\r\n" % (size + 1))
        assert b" 413 " in client.recv(100)
        client = opened(stack, port, head + b"Transfer-Encoding: chunked\r\n\r\n")
        with contextlib.suppress(OSError):
            for _ in range(size // 65536 + 2):
                client.sendall(b"10000\r\n" + b"x" * 65536 + b"\r\n")
        assert b" 413 " in client.recv(100)


@pytest.mark.slow
def test_a_client_that_drips_is_cut_off(port):
    with contextlib.ExitStack() as stack:
        client = opened(stack, port, HALF["half a body"])
        end = time.monotonic() + READ_SECONDS + 30
        with pytest.raises(OSError):
            while time.monotonic() < end:
                client.sendall(b"x")
                time.sleep(1)
        assert time.monotonic() < end
