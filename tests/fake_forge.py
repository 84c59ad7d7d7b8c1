"""A stand-in for GitHub, GitLab and Gitea on loopback: one store behind three languages.

It keeps what is written, checks what the real ones check (lengths, duplicates, repeated states,
rights, tokens), lists in pages, and fails on demand before or after doing what was asked.
"""

import contextlib
import dataclasses
import logging
import re
import threading
from urllib.parse import urlencode

from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import HTTPException
from werkzeug.serving import WSGIRequestHandler, make_server

REPOSITORY = "payments/airflow-gitops"
BOT, ALICE, MALLORY = 501, 502, 503
TOKEN = "ghs_botbotbotbotbotbotbot1234"
SHA = "a" * 40
OTHER_SHA = "b" * 40


@dataclasses.dataclass
class Fault:
    """What goes wrong with matching requests, `times` times; `after` acts first, then fails."""

    status: int
    method: str = ".*"
    path: str = ".*"
    times: int = 1
    headers: dict = dataclasses.field(default_factory=dict)
    body: object = None
    after: bool = False


@dataclasses.dataclass
class Seen:
    """One request as it arrived."""

    method: str
    path: str
    query: dict
    headers: dict
    body: object


class Store:
    """What the forge knows: users by id, rights by user, and everything that was written."""

    def __init__(self):
        self.repository = REPOSITORY
        self.repository_id = 7
        self.users = {BOT: "gen-env-bot", ALICE: "alice", MALLORY: "mallory"}
        self.rights = {BOT: "admin", ALICE: "write", MALLORY: "read"}
        self.tokens = {TOKEN: BOT}
        self.expired = set()
        self.branches = {"main"}
        self.commits = {SHA, OTHER_SHA}
        self.pulls, self.comments, self.statuses = {}, {}, []
        self.deployments, self.check_runs = [], []
        self.page_size = 100
        self.faults, self.seen, self.interruptions = [], [], []
        self.last_id = 1000
        self.app_key, self.app_slug = None, "gen-env"
        self.clock = 0.0

    def next_id(self):
        self.last_id += 1
        return self.last_id

    def add_pull(self, *, head="feature", base="main", sha=SHA, author=ALICE, fork=None, **more):
        number = len(self.pulls) + 1
        self.branches.add(head)
        self.commits.add(sha)
        self.pulls[number] = {
            "number": number,
            "title": "Change",
            "body": "",
            "state": "open",
            "merged": False,
            "head": head,
            "base": base,
            "sha": sha,
            "author": author,
            "head_repository": self.repository_id if fork is None else fork,
            "merge_sha": None,
            "draft": False,
            "labels": [],
            **more,
        }
        return number

    def add_comment(self, number, author, body, *, comment_id=None):
        comment_id = comment_id or self.next_id()
        self.comments[comment_id] = {
            "id": comment_id,
            "pull": number,
            "author": author,
            "body": body,
        }
        return comment_id

    def comments_of(self, number):
        return [c for _, c in sorted(self.comments.items()) if c["pull"] == number]

    def open_pull(self, head, base):
        for pull in self.pulls.values():
            own = pull["head_repository"] == self.repository_id
            if own and (pull["state"], pull["head"], pull["base"]) == ("open", head, base):
                return pull
        return None

    def user_id(self, name):
        return next((number for number, login in self.users.items() if login == name), None)

    def fail(self, status, **options):
        self.faults.append(Fault(status, **options))

    def meanwhile(self, method, path, act):
        """Do something just before the next matching request is answered."""
        self.interruptions.append((method, path, act))

    def interrupt(self):
        for entry in list(self.interruptions):
            if entry[0] == request.method and re.search(entry[1], request.path):
                self.interruptions.remove(entry)
                entry[2]()

    def writes(self):
        return [(seen.method, seen.path) for seen in self.seen if seen.method != "GET"]


class Refusal(HTTPException):
    """An answer that ends the request, in the forge's own JSON."""

    def __init__(self, status, body, headers=None):
        super().__init__()
        self.code, self.body, self.extra = status, body, headers or {}

    def get_response(self, *args, **kwargs):
        response = jsonify(self.body)
        response.status_code = self.code
        response.headers.update(self.extra)
        return response


def paged(store, items, *, size="per_page", default=30):
    """One page of the items, with a Link header that names a host nobody should go to."""
    per_page = min(int(request.args.get(size, default)), store.page_size)
    page = int(request.args.get("page", 1))
    response = jsonify(items[(page - 1) * per_page : page * per_page])
    if page * per_page < len(items):
        query = urlencode({**request.args.to_dict(), "page": page + 1})
        following, last = (f"https://elsewhere.invalid/x?{query}", "https://elsewhere.invalid/")
        response.headers["Link"] = f'<{following}>; rel="next", <{last}>; rel="last"'
    return response


def _fault(store, *, after):
    for fault in store.faults:
        fits = re.fullmatch(fault.method, request.method) and re.search(fault.path, request.path)
        if fault.times > 0 and fault.after is after and fits:
            fault.times -= 1
            body = {"message": "fault on demand"} if fault.body is None else fault.body
            response = Response(body) if isinstance(body, str | bytes) else jsonify(body)
            response.status_code = fault.status
            response.headers.update(fault.headers)
            return response
    return None


def application(store):
    """The three languages below `/api/v3`, `/api/v4` and `/api/v1`, as the real ones have them."""
    from tests import fake_forge_gitea, fake_forge_github, fake_forge_gitlab

    app = Flask("fake-forge")
    app.json.sort_keys = False

    @app.before_request
    def before():
        store.seen.append(
            Seen(
                request.method,
                request.path,
                request.args.to_dict(),
                dict(request.headers),
                request.get_json(silent=True),
            )
        )
        store_lock.acquire()
        store.interrupt()
        return _fault(store, after=False)

    @app.after_request
    def after(response):
        return _fault(store, after=True) or response

    @app.teardown_request
    def release(error):
        store_lock.release()

    store_lock = threading.Lock()
    app.register_blueprint(fake_forge_github.blueprint(store), url_prefix="/api/v3")
    app.register_blueprint(fake_forge_gitlab.blueprint(store), url_prefix="/api/v4")
    app.register_blueprint(fake_forge_gitea.blueprint(store), url_prefix="/api/v1")
    return app


class _Silent(WSGIRequestHandler):
    def log(self, *args, **kwargs):
        pass


@contextlib.contextmanager
def serving(store):
    """Serve the store on loopback; gives the base URL of its pages."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("127.0.0.1", 0, application(store), threaded=True, request_handler=_Silent)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
