import contextlib
import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from cryptography.hazmat.primitives import serialization

from generator.core.errors import UserError
from generator.seal import certificate
from tests.generator.seal.keypair import DAY, NOW, elliptic_key, pem, private_key


@contextlib.contextmanager
def serve(status, body, location=None):
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(status)
            if location:
                self.send_header("Location", location)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                self.wfile.write(body)

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1/cert.pem"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_the_fingerprint_is_that_of_the_public_key():
    spki = (
        private_key()
        .public_key()
        .public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    found = certificate.parse(pem())
    assert found.fingerprint == "sha256:" + hashlib.sha256(spki).hexdigest()


def test_a_certificate_signed_anew_over_the_same_key_has_the_same_fingerprint():
    again = certificate.parse(pem(not_after=NOW + 99 * DAY))
    assert again.fingerprint == certificate.parse(pem()).fingerprint
    assert certificate.parse(pem(private_key(1))).fingerprint != again.fingerprint


def test_a_valid_certificate_passes():
    certificate.parse(pem()).require_valid(NOW)


@pytest.mark.parametrize(
    ("moment", "words"),
    [(NOW + 31 * DAY, "expired on 2026-07-01"), (NOW - 2 * DAY, "not valid before")],
)
def test_validity_is_judged_at_the_given_moment(moment, words):
    with pytest.raises(UserError, match=words) as caught:
        certificate.parse(pem(), "certs/prod.pem").require_valid(moment)
    assert caught.value.place == "certs/prod.pem"
    assert caught.value.hint


@pytest.mark.parametrize(
    "data",
    [b"", b"hello", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", b"\xff\0"],
)
def test_what_is_no_certificate_is_refused(data):
    with pytest.raises(UserError, match="not a certificate"):
        certificate.parse(data, "x.pem")


def test_a_key_that_is_not_rsa_is_refused_by_name():
    with pytest.raises(UserError, match="a key of type "):
        certificate.parse(pem(elliptic_key()))


def test_a_short_key_is_refused():
    with pytest.raises(UserError, match="1024 bits"):
        certificate.parse(pem(private_key(0, 1024)))


def test_a_private_key_is_refused_with_a_warning_about_exposure():
    data = private_key().private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    with pytest.raises(UserError, match="private key") as caught:
        certificate.parse(data + pem())
    assert "exposed" in caught.value.hint


def test_the_first_of_several_certificates_counts():
    found = certificate.parse(pem() + pem(private_key(1)))
    assert found.fingerprint == certificate.parse(pem()).fingerprint


def test_a_file_of_the_repository_is_loaded(tmp_path):
    (tmp_path / "certs").mkdir()
    (tmp_path / "certs/prod.pem").write_bytes(pem())
    assert certificate.load("certs/prod.pem", tmp_path).source == "certs/prod.pem"


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(UserError, match="No such file") as caught:
        certificate.load("certs/none.pem", tmp_path)
    assert caught.value.path == "certs/none.pem"


def test_a_path_out_of_the_repository_is_refused_also_through_a_link(tmp_path):
    repository = tmp_path / "repo"
    repository.mkdir()
    (tmp_path / "outside.pem").write_bytes(pem())
    (repository / "link.pem").symlink_to(tmp_path / "outside.pem")
    for source in ("../outside.pem", "link.pem", str(tmp_path / "outside.pem")):
        with pytest.raises(UserError, match="outside the repository"):
            certificate.load(source, repository)


def test_a_certificate_comes_over_http_from_loopback(tmp_path):
    with serve(200, pem()) as url:
        assert certificate.load(url, tmp_path).source == url


def test_answers_that_are_no_certificate_are_explained(tmp_path):
    with serve(404, b"") as url, pytest.raises(UserError, match="answered 404"):
        certificate.load(url, tmp_path)
    with serve(200, b"<html>") as url, pytest.raises(UserError, match="not a certificate"):
        certificate.load(url, tmp_path)
    with serve(200, b"x" * 200_000) as url, pytest.raises(UserError, match="too large"):
        certificate.load(url, tmp_path)


def test_redirects_are_not_followed(tmp_path):
    with (
        serve(200, pem()) as target,
        serve(302, b"", location=target) as url,
        pytest.raises(UserError, match="answered 302"),
    ):
        certificate.load(url, tmp_path)


def test_a_server_that_is_not_there_is_a_users_error(tmp_path):
    with serve(200, b"") as url:
        pass
    with pytest.raises(UserError, match="cannot fetch"):
        certificate.load(url, tmp_path)


@pytest.mark.parametrize(
    "url", ["http://sealing.example.com/cert.pem", "ftp://127.0.0.1/cert.pem", "https:///cert.pem"]
)
def test_only_https_is_trusted_beyond_loopback(url, tmp_path):
    with pytest.raises(UserError, match="must be https"):
        certificate.load(url, tmp_path)


def test_credentials_in_the_url_are_refused_and_not_repeated(tmp_path):
    with pytest.raises(UserError) as caught:
        certificate.load("https://user:canary@example.com/cert.pem", tmp_path)
    assert "canary" not in f"{caught.value.message}{caught.value.place}{caught.value.hint}"
