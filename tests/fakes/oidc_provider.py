"""A small OpenID Connect provider on loopback: code flow with PKCE, RS256, userinfo."""

import base64
import contextlib
import hashlib
import http.server
import json
import secrets
import ssl
import threading
import time
import urllib.parse

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

CLIENT = "airflow {{client}}"
SECRET = "s3cr'et\"with:odd%chars"


class Provider:
    """What it answers next is set by the test: `person`, `userinfo`, `tamper`."""

    def __init__(self):
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.issuer = ""
        self.person = {}
        self.userinfo = {}
        self.tamper = {}
        self.asked = {}
        self._codes = {}

    def discovery(self):
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "jwks_uri": f"{self.issuer}/jwks",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
        }

    def jwks(self):
        public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key()))
        return {"keys": [{**public, "kid": "1", "use": "sig", "alg": "RS256"}]}

    def authorize(self, asked):
        """The address that the person is sent back to."""
        self.asked = asked
        code = secrets.token_urlsafe()
        self._codes[code] = asked
        answer = urllib.parse.urlencode({"code": code, "state": asked["state"]})
        return f"{asked['redirect_uri']}?{answer}"

    def token(self, form, authorization):
        """Status and body; every rule that a strict provider has is checked."""
        asked = self._codes.pop(form.get("code"), None)
        if asked is None or form.get("redirect_uri") != asked["redirect_uri"]:
            return 400, {"error": "invalid_grant"}
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if (asked.get("code_challenge_method"), asked["code_challenge"]) != ("S256", challenge):
            return 400, {"error": "invalid_grant"}
        pair = base64.b64decode(authorization.removeprefix("Basic ")).decode().partition(":")
        if (pair[0], pair[2]) != (CLIENT, SECRET):
            return 401, {"error": "invalid_client"}
        return 200, {
            "access_token": "at-" + self.person["sub"],
            "token_type": "Bearer",
            "expires_in": 300,
            "id_token": self._id_token(asked),
        }

    def _id_token(self, asked):
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 300}
        claims |= {"nonce": asked.get("nonce"), **self.person, **self.tamper}
        return jwt.encode(claims, self.key, algorithm="RS256", headers={"kid": "1"})


def _handler(provider):
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            path, _, query = self.path.partition("?")
            if path == "/authorize":
                asked = dict(urllib.parse.parse_qsl(query))
                self.send_response(302)
                self.send_header("Location", provider.authorize(asked))
                self.send_header("Content-Length", "0")
                return self.end_headers()
            if path == "/userinfo":
                known = self.headers["Authorization"] == "Bearer at-" + provider.person["sub"]
                body = {"sub": provider.person["sub"], **provider.userinfo}
                return self._answer(200 if known else 401, body)
            pages = {
                "/.well-known/openid-configuration": provider.discovery,
                "/jwks": provider.jwks,
            }
            return self._answer(200, pages[path]()) if path in pages else self._answer(404, {})

        def do_POST(self):
            text = self.rfile.read(int(self.headers["Content-Length"])).decode()
            form = dict(urllib.parse.parse_qsl(text))
            self._answer(*provider.token(form, self.headers["Authorization"] or ""))

        def _answer(self, status, body):
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            pass

    return Handler


@contextlib.contextmanager
def serve(certificate, key):
    """The provider, answering https on an ephemeral port until the block ends."""
    provider = Provider()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _handler(provider))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    provider.issuer = f"https://localhost:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
