"""A server on loopback whose answers a test spells out."""

import contextlib
import dataclasses
import hashlib
import http.server
import json
import ssl
import threading


@dataclasses.dataclass
class Answer:
    """What to send for a path; `cut` announces more bytes than it sends."""

    body: bytes = b""
    status: int = 200
    headers: dict = dataclasses.field(default_factory=dict)
    cut: bool = False


@dataclasses.dataclass
class Server:
    """The running server: its address, what it answers, and what it was asked."""

    url: str
    host: str
    answers: dict = dataclasses.field(default_factory=dict)
    asked: list = dataclasses.field(default_factory=list)

    def paths(self):
        return [path for path, _ in self.asked]


def registry(path, tag, content, layer):
    """Answers of an OCI registry in which `path` holds, under a tag, an artifact of one layer."""
    blobs = {"config": (b"{}", "application/vnd.cncf.helm.config.v1+json"), "": (content, layer)}
    parts = {name: _part(*blob) for name, blob in blobs.items()}
    about = {"schemaVersion": 2, "mediaType": _MANIFEST, "config": parts["config"]}
    manifest = json.dumps({**about, "layers": [parts[""]]}).encode()
    digest = _part(manifest, _MANIFEST)["digest"]
    headers = {"Content-Type": _MANIFEST, "Docker-Content-Digest": digest}
    found = {
        f"/v2/{path}/manifests/{it}": Answer(manifest, headers=headers) for it in (tag, digest)
    }
    for name, (blob, _) in blobs.items():
        found[f"/v2/{path}/blobs/{parts[name]['digest']}"] = blob
    return {"/v2/": b"{}", **found}


_MANIFEST = "application/vnd.oci.image.manifest.v1+json"


def _part(content, kind):
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    return {"mediaType": kind, "digest": digest, "size": len(content)}


@contextlib.contextmanager
def serving(certificate=None):
    """Serve `answers`: path → Answer, bytes, a list of them (one each time), or a callable."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_HEAD(self):
            self.do_GET()

        def do_GET(self):
            headers = {name.lower(): value for name, value in self.headers.items()}
            server.asked.append((self.path, headers))
            found = server.answers.get(self.path, Answer(status=404))
            if isinstance(found, list):
                found = found.pop(0) if len(found) > 1 else found[0]
            if callable(found):
                found = found(headers)
            answer = Answer(found) if isinstance(found, bytes) else found
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body) + 100 * answer.cut))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(answer.body)
            self.close_connection = True

        def log_message(self, *args):
            pass

    httpd = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    httpd.daemon_threads = False
    scheme = "http"
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        httpd.socket = context.wrap_socket(httpd.socket, server_side=True)
        httpd.handle_error = lambda *args: None  # a client that refuses our certificate
        scheme = "https"
    host = f"127.0.0.1:{httpd.server_port}"
    server = Server(f"{scheme}://{host}", host)
    thread = threading.Thread(target=httpd.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield server
    finally:
        httpd.shutdown()
        thread.join()
        httpd.server_close()
