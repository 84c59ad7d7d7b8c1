"""Git over HTTP on loopback: `git http-backend` behind the smallest server, as a forge has it."""

import base64
import contextlib
import http.server
import os
import re
import subprocess
import threading


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.0"

    def do_GET(self):
        server = self.server.forge
        server.seen.append((self.command, self.path, self.headers.get("Authorization")))
        if server.status:
            self.send_error(server.status)
            return
        if not server.lets_in(self.headers.get("Authorization") or ""):
            self.send_response(401)
            self.send_header("WWW-Authenticate", "Basic realm=git")
            self.end_headers()
            return
        self._backend(server)
        if self.command == "POST" and self.path.endswith("git-receive-pack"):
            server.pushed()

    do_POST = do_GET

    def _body(self):
        if "chunked" not in (self.headers.get("Transfer-Encoding") or ""):
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        return body

    def _backend(self, server):
        path, _, query = self.path.partition("?")
        body = self._body()
        environment = {
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": str(server.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_PROTOCOL": self.headers.get("Git-Protocol") or "",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REQUEST_METHOD": self.command,
            "REMOTE_USER": "somebody",
            "CONTENT_TYPE": self.headers.get("Content-Type") or "",
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding") or "",
        }
        done = subprocess.run(
            ["git", "http-backend"], input=body, env=environment, capture_output=True, check=False
        )
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        found = re.search(rb"(?mi)^status:\s*(\d+)", head)
        status = found[1] if found else b"200"
        with contextlib.suppress(BrokenPipeError):
            self.wfile.write(b"HTTP/1.0 " + status + b" x\r\n" + head + b"\r\n\r\n" + content)

    def log_message(self, *_):
        pass


class GitServer:
    """Bare repositories below `root`; `pushed` is called after each push, `status` breaks it."""

    def __init__(self, root):
        self.root, self.url = root, ""
        self.authorization, self.status = "", 0
        self.tokens = None
        self.seen = []
        self.pushed = lambda: None

    def require(self, username, token):
        pair = base64.b64encode(f"{username}:{token}".encode()).decode()
        self.authorization = f"Basic {pair}"

    def accept(self, username, tokens):
        """Let in whoever has one of the tokens, as they are when they are asked for."""
        self.tokens = lambda: [f"{username}:{token}" for token in tokens]

    def lets_in(self, header):
        if self.tokens:
            given = header.removeprefix("Basic ")
            return given in {base64.b64encode(pair.encode()).decode() for pair in self.tokens()}
        return not self.authorization or header == self.authorization


@contextlib.contextmanager
def serving(root):
    """Serve the folder; gives a GitServer with its URL."""
    forge = GitServer(root)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.forge = forge
    forge.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield forge
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
