"""A stand-in for GitHub, GitLab and Gitea on loopback: one store behind three languages.

It keeps what is written, checks what the real ones check (lengths, duplicates, repeated states,
rights, tokens), lists in pages, and fails on demand before or after doing what was asked. With
`judges` every exchange is held against the forges' published descriptions of their APIs.
"""

import contextlib
import dataclasses
import functools
import logging
import re
import threading
from urllib.parse import urlencode

from flask import Flask, Response, g, jsonify, request
from werkzeug.exceptions import HTTPException
from werkzeug.local import LocalProxy
from werkzeug.serving import WSGIRequestHandler, make_server

from generator.forge.github_app import EVENTS, PERMISSIONS

REPOSITORY = "payments/airflow-gitops"
BOT, ALICE, MALLORY = 501, 502, 503
TOKEN = "ghs_botbotbotbotbotbotbot1234"
SHA = "a" * 40
OTHER_SHA = "b" * 40
_STORE = "gen-env.forge-store"


@dataclasses.dataclass
class Fault:
    """What goes wrong with matching requests, `times` times; `after` acts first, then fails.

    With `hang` there is no answer before that event is set.
    """

    status: int
    method: str = ".*"
    path: str = ".*"
    times: int = 1
    headers: dict = dataclasses.field(default_factory=dict)
    body: object = None
    after: bool = False
    hang: threading.Event | None = None


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

    url = "https://forge.example"

    def __init__(self):
        self.repository = REPOSITORY
        self.repository_id = 7
        self.users = {BOT: "gen-env-bot", ALICE: "alice", MALLORY: "mallory"}
        self.rights = {BOT: "admin", ALICE: "write", MALLORY: "read"}
        self.tokens = {TOKEN: BOT}
        self.expired = set()
        self.branches = {"main"}
        self.commits = {SHA, OTHER_SHA}
        self.pulls, self.comments, self.statuses, self.issues = {}, {}, [], {}
        self.deployments, self.check_runs = [], []
        self.page_size, self.links_lead_home = 100, False
        self.faults, self.seen, self.interruptions = [], [], []
        self.last_id = 1000
        self.app_key, self.app_slug = None, "gen-env"
        self.app_permissions, self.app_events = PERMISSIONS, EVENTS
        self.clock = 0.0
        # Whoever has a real git behind the forge says what a branch's head is and merges there.
        self.head_of = lambda branch: "f" * 40
        self.merge = lambda pull: f"{pull['number']:040x}"
        self.changed = lambda pull, action: None
        # Published descriptions by path prefix, and what they do not allow of what was exchanged.
        self.judges, self.violations = {}, []
        self.lock = threading.Lock()

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

    def add_issue(self, author, title, body):
        number = self.next_id()
        self.issues[number] = {"number": number, "author": author, "title": title,
                               "body": body, "state": "open"}  # fmt: skip
        return self.issues[number]

    def open_issues(self):
        """Newest first, as the forges list them."""
        return [item for item in reversed(self.issues.values()) if item["state"] == "open"]

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

    def base_sha(self, pull):
        return self.head_of(pull["base"])

    def edit_pull(self, pull, data):
        """Title, body and state, as far as they are given; tells what happened."""
        pull |= {key: data[key] for key in ("title", "body") if data.get(key) is not None}
        state = data.get("state", pull["state"])
        if not pull["merged"] and state != pull["state"]:
            pull["state"] = state
            self.changed(pull, "closed" if state == "closed" else "reopened")

    def merge_pull(self, pull):
        """Merge for good; the commit on the base branch."""
        sha = self.merge(pull)
        self.commits.add(sha)
        pull |= {"state": "closed", "merged": True, "merge_sha": sha}
        self.changed(pull, "closed")
        return sha

    def add_user(self, login):
        number = 900 + len(self.users)
        self.users[number] = login
        return number

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
    """One page of the items; the Link header may name a host nobody should go to with a token."""
    per_page = min(int(request.args.get(size, default)), store.page_size)
    page = int(request.args.get("page", 1))
    response = jsonify(items[(page - 1) * per_page : page * per_page])
    if page * per_page < len(items):
        query = urlencode({**request.args.to_dict(), "page": page + 1})
        place = (
            f"{store.url}{request.environ['RAW_URI'].partition('?')[0]}"
            if store.links_lead_home
            else "https://elsewhere.invalid/"
        )
        following, last = (f"{place}?{query}", place)
        response.headers["Link"] = f'<{following}>; rel="next", <{last}>; rel="last"'
    return response


def _fits(fault):
    right = re.fullmatch(fault.method, request.method) and re.search(fault.path, request.path)
    return bool(right) and fault.times > 0


def _hang(store):
    for fault in store.faults:
        if fault.hang and _fits(fault):
            fault.times -= 1
            fault.hang.wait(120)
            return


def _fault(store, *, after):
    for fault in store.faults:
        if fault.after is after and not fault.hang and _fits(fault):
            fault.times -= 1
            body = {"message": "fault on demand"} if fault.body is None else fault.body
            response = Response(body) if isinstance(body, str | bytes) else jsonify(body)
            response.status_code = fault.status
            response.headers.update(fault.headers)
            return response
    return None


def application(store):
    """The three languages below `/api/v3`, `/api/v4` and `/api/v1`, as the real ones have them."""

    def called(environ, start_response):
        environ[_STORE] = store
        return _routes()(environ, start_response)

    return _projects_by_id(called, store)


@functools.cache
def _routes():
    """The routes, made once: each request brings the store that it is about."""
    from tests.fakes import forge_gitea as fake_forge_gitea
    from tests.fakes import forge_github as fake_forge_github
    from tests.fakes import forge_gitlab as fake_forge_gitlab

    app = Flask("fake-forge")
    app.json.sort_keys = False
    store = LocalProxy(lambda: request.environ[_STORE])

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
        _hang(store)
        store.lock.acquire()
        store.interrupt()
        fault = _fault(store, after=False)
        g.faulty = fault is not None
        return fault

    @app.after_request
    def after(response):
        if fault := _fault(store, after=True):
            return fault
        judge = next((store.judges[p] for p in store.judges if request.path.startswith(p)), None)
        if judge and not g.get("faulty"):
            store.violations += judge.faults(request, response)
        return response

    @app.teardown_request
    def release(error):
        store.lock.release()

    app.register_blueprint(fake_forge_github.blueprint(store), url_prefix="/api/v3")
    app.register_blueprint(fake_forge_gitlab.blueprint(store), url_prefix="/api/v4")
    app.register_blueprint(fake_forge_gitea.blueprint(store), url_prefix="/api/v1")
    return app


def _projects_by_id(served, store):
    """GitLab's projects have a path and a number; routes are made for the path alone."""

    def called(environ, start_response):
        short = f"/api/v4/projects/{store.repository_id}"
        path = environ["PATH_INFO"]
        if path == short or path.startswith(f"{short}/"):
            environ["PATH_INFO"] = path.replace(short, f"/api/v4/projects/{store.repository}", 1)
        return served(environ, start_response)

    return called


class _Silent(WSGIRequestHandler):
    def log(self, *args, **kwargs):
        pass


@contextlib.contextmanager
def listening():
    """A server on loopback: `serving` puts one store after the other behind its address."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("127.0.0.1", 0, None, threaded=True, request_handler=_Silent)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextlib.contextmanager
def serving(store, server=None):
    """Serve the store on loopback, on a server of its own or this one; gives its base URL."""
    with contextlib.nullcontext(server) if server else listening() as server:
        server.app = application(store)
        store.url = f"http://127.0.0.1:{server.server_port}"
        yield store.url
