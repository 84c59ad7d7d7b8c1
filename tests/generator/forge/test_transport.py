import dataclasses
import socket
import ssl
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from generator.core.errors import UserError
from generator.forge import transport as transport_module
from generator.forge.errors import Rejected, Unavailable, message_of
from generator.forge.transport import Transport
from generator.redaction.secret import Secret
from tests.fakes.forge import REPOSITORY, SHA, TOKEN
from tests.generator.forge.forges import Clock, setting
from tests.loopback import endless

PULLS = f"/repos/{REPOSITORY}/pulls"


def authorize():
    return {"Authorization": f"Bearer {TOKEN}"}, Secret(TOKEN)


@pytest.fixture
def world():
    with setting() as made:
        yield made


def transport(url, **options):
    clock = Clock()
    return Transport(url, authorize, sleep=clock.sleep, clock=clock, **options)


@pytest.fixture
def api(world):
    made = transport(f"{world.url}/api/v3")
    yield made
    made.close()


@pytest.mark.parametrize(
    "url",
    [
        "http://forge.example.com/api",
        "ftp://forge.example.com",
        "https://user:canary@forge.example.com",
        "https://forge.example.com/api?x=1",
        "forge.example.com",
        "http://127.0.0.1.example.com",
    ],
)
def test_a_token_goes_to_https_or_loopback_alone(url):
    with pytest.raises(UserError) as caught:
        transport(url)
    assert "canary" not in f"{caught.value.message}{caught.value.place}"


def test_https_is_accepted():
    transport("https://forge.example.com/api/v3/").close()


def test_netrc_does_not_replace_the_token(api, world, tmp_path, monkeypatch):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password else\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    api.get(PULLS)
    assert world.store.seen[0].headers["Authorization"] == f"Bearer {TOKEN}"


def test_a_post_is_not_repeated_when_it_may_have_been_done(api, world):
    world.store.fail(502, method="POST", times=9)
    with pytest.raises(Unavailable) as caught:
        api.send("POST", PULLS, body={})
    assert caught.value.written
    assert len(world.store.seen) == 1


def test_a_post_is_repeated_when_it_surely_was_not_done(api, world):
    number = world.store.add_pull()
    path = f"/repos/{REPOSITORY}/issues/{number}/comments"
    world.store.fail(503, method="POST")
    world.store.fail(429, method="POST", headers={"Retry-After": "1"})
    assert api.send("POST", path, body={"body": "x"}).status == 201
    assert len(world.store.comments) == 1


def test_a_post_that_may_be_done_twice_is_repeated(api, world):
    world.store.fail(502, method="POST", times=2)
    body = {"state": "success", "context": "c"}
    assert (
        api.send("POST", f"/repos/{REPOSITORY}/statuses/{SHA}", body=body, repeatable=True).status
        == 201
    )


def test_a_forge_that_is_not_there_is_unavailable_and_was_not_written_to():
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    client = transport(f"http://127.0.0.1:{port}")
    with pytest.raises(Unavailable, match="cannot reach the forge: http://127") as caught:
        client.send("POST", "/x", body={})
    client.close()
    assert not caught.value.written
    assert caught.value.__context__ is None


@pytest.mark.parametrize("body", ["<html>Log in</html>", "[" * 100_000, '{"half'])
def test_an_answer_that_is_not_json_is_explained(api, world, body):
    world.store.fail(200, body=body)
    with pytest.raises(Unavailable, match="not JSON"):
        api.get(PULLS)


def test_an_error_page_in_html_is_not_quoted(api, world):
    world.store.fail(404, body="<html><b>Nothing here</b></html>")
    with pytest.raises(UserError) as caught:
        api.get(PULLS)
    assert "<" not in caught.value.message


def test_an_answer_that_takes_too_long_may_come_in_time_when_asked_again(monkeypatch):
    policy = dataclasses.replace(transport_module._POLICY, total_seconds=0.2)
    monkeypatch.setattr(transport_module, "_POLICY", policy)
    with endless(b"HTTP/1.1 200 OK\r\n", b"x") as url:
        api = transport(url, attempts=1)
        with pytest.raises(Unavailable, match="takes too long") as caught:
            api.send("POST", "/a", body={})
        assert caught.value.written
        api.close()


def test_an_endless_list_ends(world):
    client = transport(f"{world.url}/api/v3", max_pages=4)
    world.store.page_size = 1
    for _ in range(4):
        world.store.add_pull()
    assert len(list(client.pages(PULLS))) == 4
    world.store.add_pull()
    with pytest.raises(Rejected, match="more than 4 pages"):
        list(client.pages(PULLS))
    client.close()


def test_a_list_that_ignores_the_page_ends():
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Link", '<http://elsewhere.invalid/?page=2>; rel="next"')
            self.send_header("Content-Length", "3")
            self.end_headers()
            self.wfile.write(b"[1]")

        def log_message(self, *args):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    client = transport(f"http://127.0.0.1:{server.server_port}")
    try:
        assert list(client.pages("/x")) == [1]
    finally:
        client.close()
        server.shutdown()
        thread.join()
        server.server_close()


def test_an_own_certificate_authority_is_trusted_and_others_are_not(tmp_path):
    pem = tmp_path / "ca.pem"
    pem.write_bytes(self_signed())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *args):
            pass

    class Server(HTTPServer):
        def handle_error(self, request, client_address):
            pass  # the client that doesn't trust us hangs up

    server = Server(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    url = f"https://127.0.0.1:{server.server_port}"
    trusting, doubting = transport(url, ca=pem), transport(url)
    try:
        assert trusting.get("/x") == {}
        with pytest.raises(Rejected, match="not trusted") as caught:
            doubting.get("/x")
        assert "certificate authority" in caught.value.hint
    finally:
        trusting.close()
        doubting.close()
        server.shutdown()
        thread.join()
        server.server_close()


def self_signed():
    import datetime
    import ipaddress

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "forge")])
    now = datetime.datetime.now(datetime.UTC)
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(address, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return private + made.public_bytes(serialization.Encoding.PEM)


def test_a_missing_authority_file_is_named(tmp_path):
    with pytest.raises(UserError, match="certificate authority file not found"):
        transport("https://forge.example.com", ca=tmp_path / "none.pem")


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"message": "Not Found"}, "Not Found"),
        (
            {"message": "Validation Failed", "errors": [{"field": "head", "code": "invalid"}]},
            "Validation Failed; field head, code invalid",
        ),
        ({"message": {"title": ["is too long", "is odd"]}}, "title is too long, is odd"),
        (
            {"error": "invalid_token", "error_description": "Token is expired."},
            "invalid_token; Token is expired.",
        ),
        ({"message": ["one", "two"]}, "one, two"),
        ({"message": None}, ""),
        ("plain\n words", "plain words"),
        (None, ""),
        (["x"], ""),
    ],
)
def test_the_forges_words_are_found_in_its_answer(data, expected):
    assert message_of(data) == expected


def test_long_words_are_cut():
    assert len(message_of({"message": "x" * 10_000})) == 300


def test_who_watches_is_told_of_every_request_and_of_no_token(world):
    told = []
    client = transport(f"{world.url}/api/v3", watch=told.append)
    world.store.fail(503, headers={"X-RateLimit-Remaining": "7"})
    client.get(PULLS, {"state": "open"})
    client.close()
    assert [(call.method, call.path, call.status) for call in told] == [
        ("GET", PULLS, 503),
        ("GET", PULLS, 200),
    ]
    assert told[0].headers["x-ratelimit-remaining"] == "7"
    assert TOKEN not in repr(told)


def test_a_request_without_an_answer_is_told_with_status_0():
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    told = []
    client = transport(f"http://127.0.0.1:{port}", watch=told.append, attempts=2)
    with pytest.raises(Unavailable):
        client.get("/x")
    client.close()
    assert [call.status for call in told] == [0, 0]
