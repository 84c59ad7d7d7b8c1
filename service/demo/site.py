"""The forge's addresses: its API, git over HTTP, and a page for each pull request."""

from __future__ import annotations

import hmac
import re
from typing import Any

from flask import Blueprint, Flask, Response, abort, redirect, render_template, request
from werkzeug.wrappers import Response as Answer

from generator.core.http_policy import is_loopback
from service.demo import git_http
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
        found = [pull for pull in forge.pulls.values() if not pull.merge_sha]
        return [forge.pull_json(pull) for pull in found] if first else []

    @api.post(f"{_REPO}/pulls")
    def create() -> tuple[dict[str, Any], int]:
        data = request.get_json()
        pull = forge.open_pull(data["head"], data["title"], data.get("body", ""), BOT)
        return forge.pull_json(pull), 201

    @api.route(f"{_REPO}/pulls/<int:number>", methods=["GET", "PATCH"])
    def pull(number: int) -> dict[str, Any]:
        found = forge.pulls.get(number) or abort(404)
        data = request.get_json() if request.method == "PATCH" else {}
        found.title, found.body = data.get("title", found.title), data.get("body", found.body)
        return forge.pull_json(found)

    @api.get(f"{_REPO}/commits/<sha>/pull")
    def merged(sha: str) -> dict[str, Any]:
        found = next((pull for pull in forge.pulls.values() if pull.merge_sha == sha), None)
        return forge.pull_json(found or abort(404))

    @api.get(f"{_REPO}/commits/<sha>/statuses")
    def statuses(sha: str) -> list[dict[str, Any]]:
        return [{**item, "status": item["state"]} for item in forge.statuses_of(sha)]

    @api.post(f"{_REPO}/statuses/<sha>")
    def status(sha: str) -> tuple[dict[str, Any], int]:
        return forge.add_status(sha, request.get_json()), 201

    @api.get(f"{_REPO}/issues/<int:number>/comments")
    def comments(number: int) -> list[dict[str, Any]]:
        found = [item for item in forge.comments.values() if item["number"] == number]
        return [forge.comment_json(item) for item in found]

    @api.post(f"{_REPO}/issues/<int:number>/comments")
    def add(number: int) -> tuple[dict[str, Any], int]:
        return forge.comment_json(forge.comment(number, BOT, request.get_json()["body"])), 201

    @api.route(f"{_REPO}/issues/comments/<int:identity>", methods=["PATCH", "DELETE"])
    def edit(identity: int) -> Any:
        found = forge.comments.get(identity) or abort(404)
        if request.method == "DELETE":
            del forge.comments[identity]
            return "", 204
        found["body"] = request.get_json()["body"]
        return forge.comment_json(found)

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
        return render_template(
            "pull.html",
            pull=found,
            repository=REPOSITORY,
            statuses=forge.standing(found.sha),
            merged=forge.standing(found.merge_sha),
            comments=[item for item in forge.comments.values() if item["number"] == number],
            diff=forge.git("diff", f"main...{found.sha}") if not found.merge_sha else "",
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
        answer = git_http.answer(forge.root, request, path)
        if request.method == "POST" and path.endswith("git-receive-pack"):
            forge.pushed()
        return answer

    return pages
