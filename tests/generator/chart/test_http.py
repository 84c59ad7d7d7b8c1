import dataclasses
import datetime
import ipaddress

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from generator.chart.http import POLICY, Client, Credentials
from generator.core.errors import UserError
from generator.core.http_policy import FetchError, shown
from tests.fakes.chart_server import Answer, serving


@pytest.fixture
def server():
    with serving() as running:
        yield running


@pytest.fixture
def slept():
    return []


@pytest.fixture
def client(slept):
    return Client(sleep=slept.append)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "loopback")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False
        )
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path


def bounded(**policy):
    return Client(dataclasses.replace(POLICY, **policy))


def refusal(client, url, **options):
    with pytest.raises(FetchError) as caught:
        client.get(url, **{"max_bytes": 1000, **options})
    return caught.value


def test_a_file_is_fetched(server, client):
    server.answers["/a"] = b"content"
    assert client.get(f"{server.url}/a", max_bytes=100).body == b"content"


def test_a_custom_authority_is_trusted_and_an_unknown_one_is_not(certificate, client):
    with serving(certificate) as server:
        server.answers["/a"] = b"over tls"
        trusting = bounded(ca_file=certificate)
        assert trusting.get(f"{server.url}/a", max_bytes=100).body == b"over tls"
        error = refusal(client, f"{server.url}/a")
    assert "not trusted" in error.message
    assert "certificate authority" in error.hint


def test_an_authority_file_that_is_missing_is_told(certificate, tmp_path):
    missing = tmp_path / "none.pem"
    with (
        serving(certificate) as server,
        pytest.raises(UserError, match="certificate authority file not found") as caught,
    ):
        bounded(ca_file=missing).get(f"{server.url}/a", max_bytes=100)
    assert caught.value.path == str(missing)


@pytest.mark.parametrize("url", ["http://example.com/x", "ftp://example.com", "file:///etc/passwd"])
def test_plain_http_and_other_schemes_are_refused_without_a_request(client, url):
    assert "http" in refusal(client, url).message


def test_credentials_inside_a_url_are_refused_and_not_repeated(client):
    error = refusal(client, "https://ann:hunter2@example.com/x?token=hunter3")
    assert "must not hold credentials" in error.message
    assert "hunter" not in error.message + error.hint


def test_a_host_that_is_not_allowed_is_refused_at_every_hop(server, client):
    with serving() as other:
        server.answers["/a"] = Answer(status=302, headers={"Location": f"{other.url}/b"})
        other.answers["/b"] = b"secret"
        error = refusal(bounded(allowed_hosts=frozenset({server.host})), f"{server.url}/a")
        assert "not on the list of allowed hosts" in error.message
        assert other.asked == []
        assert client.get(f"{server.url}/a", max_bytes=100).body == b"secret"


def test_credentials_go_to_their_own_host_alone(server, client):
    with serving() as other:
        server.answers["/a"] = Answer(status=307, headers={"Location": f"{other.url}/b"})
        other.answers["/b"] = b"x"
        client.get(
            f"{server.url}/a",
            max_bytes=100,
            credentials=Credentials("ann", "pass"),
            headers={"X-Token": "t"},
        )
        assert server.asked[0][1]["authorization"] == "Basic YW5uOnBhc3M="
        assert "authorization" not in other.asked[0][1]
        assert "x-token" not in other.asked[0][1]


def test_netrc_is_never_consulted(server, client, tmp_path, monkeypatch):
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine 127.0.0.1 login ann password hunter2\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    server.answers["/a"] = b"x"
    client.get(f"{server.url}/a", max_bytes=100)
    assert "authorization" not in server.asked[0][1]


def test_a_circle_of_redirects_ends(server, client):
    server.answers["/a"] = Answer(status=302, headers={"Location": "/a"})
    assert "more than 5 redirects" in refusal(client, f"{server.url}/a").message
    assert len(server.asked) == 6


def test_a_redirect_from_https_to_http_is_refused(certificate):
    with serving() as plain, serving(certificate) as server:
        server.answers["/a"] = Answer(status=302, headers={"Location": f"{plain.url}/b"})
        error = refusal(bounded(ca_file=certificate), f"{server.url}/a")
        assert "not https" in error.message
        assert plain.asked == []


def test_an_answer_that_is_too_large_is_cut_off(server, client):
    server.answers["/a"] = bytes(2000)
    assert "the limit is 1000 bytes" in refusal(client, f"{server.url}/a").message


def test_an_overloaded_server_is_asked_again_more_and_more_slowly(server, client, slept):
    server.answers["/a"] = [Answer(status=503), Answer(status=500), b"at last"]
    assert client.get(f"{server.url}/a", max_bytes=100).body == b"at last"
    assert slept == [0.5, 1.0]


def test_a_server_may_say_how_long_to_wait_within_reason(server, client, slept):
    server.answers["/a"] = [
        Answer(status=429, headers={"Retry-After": "3"}),
        Answer(status=429, headers={"Retry-After": "86400"}),
        b"ok",
    ]
    client.get(f"{server.url}/a", max_bytes=100)
    assert slept == [3.0, 10.0]


def test_patience_ends(server, client, slept):
    server.answers["/a"] = Answer(status=503)
    error = refusal(client, f"{server.url}/a")
    assert (error.status, len(slept)) == (503, 3)


def test_an_answer_that_breaks_off_is_tried_again(server, client, slept):
    server.answers["/a"] = [Answer(b"hal", cut=True), b"half and half"]
    assert client.get(f"{server.url}/a", max_bytes=100).body == b"half and half"
    assert len(slept) == 1


@pytest.mark.parametrize(("status", "hint"), [(404, "version"), (401, "credentials")])
def test_a_refusal_is_not_tried_again_and_says_what_to_do(server, client, slept, status, hint):
    server.answers["/a?token=hunter2"] = Answer(b"<html>secret</html>", status=status)
    error = refusal(client, f"{server.url}/a?token=hunter2")
    assert error.status == status
    assert hint in error.hint
    assert "hunter2" not in error.message
    assert slept == []


def test_a_server_that_is_down_is_an_error_for_people(client, slept):
    with serving() as gone:
        url = gone.url
    error = refusal(client, f"{url}/a")
    assert "cannot connect" in error.message
    assert len(slept) == 3


def test_what_is_shown_of_a_url_holds_no_secret():
    assert shown("https://a:b@h.example:8443/p/x.tgz?sig=1#f") == "https://h.example:8443/p/x.tgz"
