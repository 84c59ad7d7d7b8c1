"""A mirror of a hostile repository: fetched over real HTTP from a real git, and kept harmless."""

import base64
import http.server
import os
import subprocess
import threading

import pytest

from generator.core.errors import UserError
from generator.git import diff
from generator.git.mirror import Mirror

TOKEN = "canary-token-7f3a"


def git(root, *arguments, stdin=b""):
    done = subprocess.run(["git", "-C", root, *arguments], capture_output=True, input=stdin)
    assert done.returncode == 0, done.stderr
    return done.stdout.decode().strip()


class Handler(http.server.BaseHTTPRequestHandler):
    """`git http-backend` behind the smallest server, with an optional password and redirect."""

    protocol_version = "HTTP/1.0"

    def do_GET(self):
        self.server.seen.append(self.headers.get("Authorization"))
        if self.server.redirect:
            self.send_response(302)
            self.send_header("Location", self.server.redirect + self.path)
            self.end_headers()
            return
        if self.server.password and self.headers.get("Authorization") != self.server.password:
            self.send_response(401)
            self.send_header("WWW-Authenticate", "Basic realm=git")
            self.end_headers()
            return
        self._backend()

    do_POST = do_GET

    def _backend(self):
        path, _, query = self.path.partition("?")
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        environment = {
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": str(self.server.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_PROTOCOL": self.headers.get("Git-Protocol") or "",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("Content-Type") or "",
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding") or "",
        }
        answer = subprocess.run(
            ["git", "http-backend"], input=body, env=environment, capture_output=True
        ).stdout
        head, _, content = answer.partition(b"\r\n\r\n")
        status = b"200"
        for line in head.split(b"\r\n"):
            if line.lower().startswith(b"status:"):
                status = line.split()[1]
        self.wfile.write(b"HTTP/1.0 " + status + b" x\r\n" + head + b"\r\n\r\n" + content)

    def log_message(self, *_):
        pass


@pytest.fixture
def forge(tmp_path):
    root = tmp_path / "forge"
    root.mkdir()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.root, server.password, server.redirect, server.seen = root, None, None, []
    server.url = f"http://127.0.0.1:{server.server_port}/repo.git"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def work(forge, tmp_path, monkeypatch):
    """A clone of someone who pushes to the forge."""
    config = tmp_path / "gitconfig"
    config.write_text("[user]\nname = Ann\nemail = ann@example.com\n[init]\ndefaultBranch = main\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    git(forge.root, "init", "-q", "--bare", "repo.git")
    git(forge.root / "repo.git", "config", "uploadpack.allowAnySHA1InWant", "true")
    git(tmp_path, "init", "-q", "work")
    root = tmp_path / "work"
    (root / "a").write_text("one\n")
    push(forge, root, "first", "refs/heads/main")
    return root


def push(forge, root, message, ref):
    git(root, "add", "-A")
    git(root, "commit", "-qm", message)
    git(root, "push", "-q", str(forge.root / "repo.git"), f"+HEAD:{ref}")
    return git(root, "rev-parse", "HEAD")


@pytest.fixture
def mirror(tmp_path):
    return Mirror.open(tmp_path / "mirrors" / "repo.git")


def test_base_and_head_are_fetched_read_and_merged(forge, work, mirror):
    base = git(work, "rev-parse", "HEAD")
    (work / "b").write_text("two\n")
    head = push(forge, work, "second", "refs/pull/1/head")
    mirror.fetch(
        forge.url,
        ["+refs/heads/main:refs/w/1/base", "+refs/pull/1/head:refs/w/1/head"],
        allow_http=True,
    )
    assert (mirror.resolve("refs/w/1/base"), mirror.resolve("refs/w/1/head")) == (base, head)
    merged = diff.merge_tree(mirror.git, base, head)
    assert mirror.at(merged.tree).read_tree()[0] == {"a": b"one\n", "b": b"two\n"}
    assert mirror.resolve("refs/w/2/base") is None


def test_a_commit_is_fetched_by_its_id(forge, work, mirror):
    first = git(work, "rev-parse", "HEAD")
    (work / "a").write_text("two\n")
    push(forge, work, "second", "refs/heads/main")
    mirror.fetch(forge.url, [f"+{first}:refs/w/1/base"], allow_http=True)
    assert mirror.at(first).read_file("a") == b"one\n"


def test_refs_of_a_job_are_dropped_and_the_objects_can_be_cleaned(forge, work, mirror):
    mirror.fetch(forge.url, ["+refs/heads/main:refs/w/1/base"], allow_http=True)
    mirror.drop(["refs/w/1/base", "refs/w/never"])
    assert mirror.resolve("refs/w/1/base") is None
    mirror.clean()


def test_the_token_travels_in_a_header_and_is_left_nowhere(forge, work, mirror, monkeypatch):
    pair = base64.b64encode(f"x-access-token:{TOKEN}".encode()).decode()
    forge.password = f"Basic {pair}"
    mirror.fetch(forge.url, ["+refs/heads/main:refs/w/1/base"], TOKEN, allow_http=True)
    assert mirror.resolve("refs/w/1/base")
    kept = [path for path in mirror.gitdir.rglob("*") if path.is_file()]
    assert kept
    for path in kept:
        assert TOKEN.encode() not in path.read_bytes()
        assert pair.encode() not in path.read_bytes()


def test_a_refusal_names_the_address_and_never_the_token(forge, work, mirror):
    forge.password = "Basic other"
    for token in ("", TOKEN):
        with pytest.raises(UserError, match="credentials") as caught:
            mirror.fetch(forge.url, ["+refs/heads/main:refs/w/1/base"], token, allow_http=True)
        assert "/repo.git" in caught.value.message
        assert TOKEN not in caught.value.message
    assert TOKEN not in repr(mirror.git)


def test_a_redirect_is_not_followed_and_gets_no_token(forge, work, mirror):
    other = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    other.root, other.password, other.redirect, other.seen = forge.root, None, None, []
    thread = threading.Thread(target=other.serve_forever, args=(0.01,))
    thread.start()
    try:
        forge.redirect = f"http://127.0.0.1:{other.server_port}"
        with pytest.raises(UserError, match="redirect"):
            mirror.fetch(forge.url, ["+refs/heads/main:refs/w/1/base"], TOKEN, allow_http=True)
    finally:
        other.shutdown()
        thread.join()
        other.server_close()
    assert other.seen == []


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:1/a.git",
        "file:///etc",
        "/srv/git/a.git",
        "ssh://git@example.com/a.git",
        "git@example.com:a.git",
        "ext::sh -c 'touch ran'",
        "--upload-pack=/bin/false",
        "https://ann:pw@example.com/a.git",
        "https:///a.git",
    ],
)
def test_only_https_without_credentials_is_fetched(mirror, url):
    with pytest.raises(UserError) as caught:
        mirror.fetch(url, ["+refs/heads/main:refs/w/1/base"])
    assert "pw" not in caught.value.message


def test_a_refspec_cannot_be_an_option(forge, work, mirror):
    with pytest.raises(UserError, match="invalid refspec"):
        mirror.fetch(forge.url, ["--upload-pack=/bin/false"], allow_http=True)
    for odd in ("--help", "", "-x"):
        with pytest.raises(UserError):
            mirror.resolve(odd)
        with pytest.raises(UserError):
            mirror.at(odd)


def test_what_is_gone_is_said(forge, work, mirror):
    with pytest.raises(UserError, match="branch or pull request not found"):
        mirror.fetch(forge.url, ["+refs/pull/9/head:refs/w/1/head"], allow_http=True)
    with pytest.raises(UserError, match="repository not found"):
        mirror.fetch(forge.url.replace("repo", "none"), ["+HEAD:refs/w/1/head"], allow_http=True)


@pytest.mark.parametrize("name", [b"..", b".git", b".GIT", b"git~1"])
def test_harmful_trees_are_refused_on_the_way_in(forge, work, mirror, name):
    oid = git(work, "hash-object", "-w", "--stdin", stdin=b"x")
    made = git(work, "mktree", stdin=f"100644 blob {oid}\t".encode() + name + b"\n")
    sha = git(work, "commit-tree", made, stdin=b"odd")
    git(work, "push", "-q", str(forge.root / "repo.git"), f"{sha}:refs/pull/1/head")
    with pytest.raises(UserError, match="malformed or harmful"):
        mirror.fetch(forge.url, ["+refs/pull/1/head:refs/w/1/head"], allow_http=True)


def test_a_repository_beyond_the_limit_is_given_up(forge, work, mirror):
    (work / "big").write_bytes(os.urandom(3 << 20))
    push(forge, work, "big", "refs/heads/main")
    with pytest.raises(UserError, match="larger than the limit"):
        mirror.fetch(
            forge.url, ["+refs/heads/main:refs/w/1/base"], allow_http=True, max_bytes=1 << 20
        )


def test_settings_of_the_machine_and_hooks_in_the_mirror_have_no_say(
    forge, work, mirror, monkeypatch, tmp_path
):
    ran = tmp_path / "ran"
    hooks = mirror.gitdir / "hooks"
    hooks.mkdir(exist_ok=True)
    for name in ("reference-transaction", "post-update", "pre-auto-gc"):
        (hooks / name).write_text(f"#!/bin/sh\ntouch {ran}\n")
        (hooks / name).chmod(0o755)
    config = tmp_path / "evil"
    config.write_text(f'[credential]\nhelper = "!touch {ran}"\n[core]\nfsmonitor = touch {ran}\n')
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    monkeypatch.setenv("GIT_ASKPASS", f"touch {ran}")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "nowhere"))
    mirror.fetch(forge.url, ["+refs/heads/main:refs/w/1/base"], allow_http=True)
    forge.password = "Basic other"
    with pytest.raises(UserError):
        mirror.fetch(forge.url, ["+refs/heads/main:refs/w/1/base"], allow_http=True)
    mirror.drop(["refs/w/1/base"])
    assert not ran.exists()


def test_one_process_at_a_time_writes_to_a_mirror(mirror):
    entered = threading.Event()
    leave = threading.Event()

    def hold():
        with mirror.locked():
            entered.set()
            leave.wait(60)

    thread = threading.Thread(target=hold)
    thread.start()
    try:
        assert entered.wait(60)
        with pytest.raises(UserError, match="busy"), mirror.locked(patience=0.1):
            pass
        threading.Timer(0.2, leave.set).start()
        with mirror.locked(patience=60):
            assert leave.is_set()
    finally:
        leave.set()
        thread.join()


def test_fetches_from_many_threads_all_succeed(forge, work, mirror):
    failures = []

    def fetch(number):
        try:
            mirror.fetch(forge.url, [f"+refs/heads/main:refs/w/{number}/base"], allow_http=True)
        except UserError as error:
            failures.append(error)

    threads = [threading.Thread(target=fetch, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert {mirror.resolve(f"refs/w/{number}/base") for number in range(6)} == {
        git(work, "rev-parse", "HEAD")
    }


def test_opening_a_mirror_again_keeps_what_it_holds(forge, work, mirror):
    mirror.fetch(forge.url, ["+refs/heads/main:refs/w/1/base"], allow_http=True)
    assert Mirror.open(mirror.gitdir).resolve("refs/w/1/base") == git(work, "rev-parse", "HEAD")
