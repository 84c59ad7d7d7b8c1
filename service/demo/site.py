"""The forge's addresses: its API, git over HTTP, and a page for each pull request."""

from __future__ import annotations

import hmac
import os
import re
import subprocess
from typing import Any

from flask import Blueprint, Flask, Response, abort, redirect, render_template, request
from werkzeug.wrappers import Response as Answer

from generator.core.http_policy import is_loopback
from service.demo.forge import BOT, PERSON, REPOSITORY, Forge

_SHA = re.compile(r"[0-9a-f]{40}")
_REPO = f"/repos/{REPOSITORY}"


def application(forge: Forge) -> Flask:
    """The whole site."""
    app = Flask("service.demo", static_folder=None)
    app.register_blueprint(_api(forge), url_prefix="/api/v1")
    app.register_blueprint(_pages(forge))

    @app.before_request
    def here_only() -> None:
        # A page elsewhere may point its own name at this machine.
        if not is_loopback(request.host.rpartition(":")[0].strip("[]")):
            abort(403)

    return app


def _api(forge: Forge) -> Blueprint:
    api = Blueprint("api", __name__)

    @api.before_request
    def known() -> None:
        given = request.headers.get("Authorization", "")
        if not hmac.compare_digest(given.encode(), f"token {forge.token}".encode()):
            abort(401)

    @api.get("/user")
    def user() -> dict[str, Any]:
        return {"login": BOT, "id": 1}

    @api.get(f"{_REPO}/pulls")
    def pulls() -> list[dict[str, Any]]:
        first = request.args.get("page", "1") == "1"
        return [pull for pull in forge.pulls.values() if first and not pull["merged"]]

    @api.post(f"{_REPO}/pulls")
    def create() -> tuple[dict[str, Any], int]:
        data = request.get_json()
        return forge.open_pull(data["head"], data["title"], data.get("body", ""), BOT), 201

    @api.route(f"{_REPO}/pulls/<int:number>", methods=["GET", "PATCH"])
    def pull(number: int) -> dict[str, Any]:
        found = forge.pulls.get(number) or abort(404)
        data = request.get_json() if request.method == "PATCH" else {}
        found |= {key: data[key] for key in ("title", "body") if key in data}
        return found

    @api.get(f"{_REPO}/commits/<sha>/pull")
    def merged(sha: str) -> dict[str, Any]:
        found = (pull for pull in forge.pulls.values() if pull["merge_commit_sha"] == sha)
        return next(found, None) or abort(404)

    @api.get(f"{_REPO}/commits/<sha>/statuses")
    def statuses(sha: str) -> list[dict[str, Any]]:
        return forge.statuses_of(sha)

    @api.post(f"{_REPO}/statuses/<sha>")
    def status(sha: str) -> tuple[dict[str, Any], int]:
        return forge.add_status(sha, request.get_json()), 201

    @api.get(f"{_REPO}/issues/<int:number>/comments")
    def comments(number: int) -> list[dict[str, Any]]:
        return forge.comments_of(number)

    @api.post(f"{_REPO}/issues/<int:number>/comments")
    def add(number: int) -> tuple[dict[str, Any], int]:
        return forge.comment(number, BOT, request.get_json()["body"]), 201

    @api.route(f"{_REPO}/issues/comments/<int:identity>", methods=["PATCH", "DELETE"])
    def edit(identity: int) -> Any:
        found = forge.comments.get(identity) or abort(404)
        if request.method == "DELETE":
            del forge.comments[identity]
            return "", 204
        found["body"] = request.get_json()["body"]
        return found

    @api.get(f"{_REPO}/collaborators/<login>/permission")
    def permission(login: str) -> dict[str, Any]:
        return {"permission": "write" if login == PERSON else "none"}

    return api


def _pages(forge: Forge) -> Blueprint:
    pages = Blueprint("pages", __name__, template_folder="templates")

    @pages.get("/")
    def overview() -> str:
        return render_template("forge.html", forge=forge, repository=REPOSITORY)

    @pages.get(f"/{REPOSITORY}/pulls/<int:number>")
    def pull(number: int) -> str:
        found = forge.pulls.get(number) or abort(404)
        sha = found["head"]["sha"]
        diff = "" if found["merged"] else forge.git("diff", f"main...{sha}")
        return render_template(
            "pull.html", pull=found, forge=forge, repository=REPOSITORY, diff=diff
        )

    @pages.get(f"/{REPOSITORY}/commit/<sha>")
    def commit(sha: str) -> Response:
        if not _SHA.fullmatch(sha):
            abort(404)
        shown = forge.git("show", "--end-of-options", sha, check=False)
        return Response(shown or abort(404), mimetype="text/plain")

    @pages.post(f"/{REPOSITORY}/pulls/<int:number>/<verb>")
    def act(number: int, verb: str) -> Answer:
        if request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
            abort(403)
        if number not in forge.pulls:
            abort(404)
        if verb == "merge" and not forge.merge(number):
            abort(Response("This pull request conflicts, or is merged already.\n", 409))
        if verb == "comment":
            forge.comment(number, PERSON, request.form.get("body", "")[:10_000])
        return redirect(f"/{REPOSITORY}/pulls/{number}", 303)

    @pages.route("/<path:path>", methods=["GET", "POST"])
    def git(path: str) -> Response:
        if not path.startswith(f"{REPOSITORY}.git/"):
            abort(404)
        answer = _git_answer(forge, path)
        if request.method == "POST" and path.endswith("git-receive-pack"):
            forge.pushed()
        return answer

    return pages


def _git_answer(forge: Forge, path: str) -> Response:
    """What git's own `http-backend` answers to this request for a path of the repository."""
    body = request.get_data()
    environment = {
        "PATH": os.environ["PATH"],
        "GIT_PROJECT_ROOT": str(forge.root),
        "GIT_HTTP_EXPORT_ALL": "1",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_PROTOCOL": request.headers.get("Git-Protocol", ""),
        "PATH_INFO": f"/{path}",
        "QUERY_STRING": request.query_string.decode(),
        "REQUEST_METHOD": request.method,
        "REMOTE_USER": "gen-env",
        "CONTENT_TYPE": request.headers.get("Content-Type", ""),
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_CONTENT_ENCODING": request.headers.get("Content-Encoding", ""),
    }
    done = subprocess.run(
        ["git", "http-backend"], input=body, env=environment, capture_output=True, check=False
    )
    head, _, content = done.stdout.partition(b"\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if ": " in line)
    return Response(content, int(headers.pop("Status", "200").split()[0]), headers)
