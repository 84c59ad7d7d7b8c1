"""GitHub's language (REST, 2022-11-28) of the stand-in forge."""

import datetime

import jwt
from flask import Blueprint, g, request

from tests.fake_forge import Refusal, paged

STATES = {"error", "failure", "pending", "success"}
DEPLOYMENT_STATES = {"error", "failure", "inactive", "in_progress", "queued", "pending", "success"}
CONCLUSIONS = {
    "success",
    "failure",
    "neutral",
    "cancelled",
    "skipped",
    "timed_out",
    "action_required",
}
INSTALLATION = 77


def invalid(*errors):
    """GitHub's 422."""
    return Refusal(422, {"message": "Validation Failed", "errors": list(errors)})


def user(store, number):
    return {"id": number, "login": store.users[number]} if number in store.users else None


def pull(store, data):
    repository = {"id": store.repository_id, "full_name": store.repository}
    head = data["head_repository"]
    return {
        "number": data["number"],
        "title": data["title"],
        "body": data["body"] or None,
        "state": data["state"],
        "merged": data["merged"],
        "merge_commit_sha": data["merge_sha"] or "e" * 40,
        "mergeable": None,
        "draft": data["draft"],
        "labels": [{"name": name} for name in data["labels"]],
        "user": user(store, data["author"]),
        "html_url": f"https://forge.example/{store.repository}/pull/{data['number']}",
        "head": {
            "ref": data["head"],
            "sha": data["sha"],
            "repo": {**repository, "id": head} if head else None,
        },
        "base": {"ref": data["base"], "sha": "f" * 40, "repo": repository},
    }


def comment(store, data):
    return {
        "id": data["id"],
        "body": data["body"],
        "user": user(store, data["author"]),
        "html_url": f"https://forge.example/comment/{data['id']}",
    }


def blueprint(store):
    api = Blueprint("github", __name__)
    repo = f"/repos/{store.repository}"

    @api.before_request
    def authenticate():
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        if request.path.startswith("/api/v3/app") or request.path.endswith("/installation"):
            return app_only(token)
        if token in store.expired or token not in store.tokens or kind.lower() != "bearer":
            raise Refusal(401, {"message": "Bad credentials"})
        g.user = store.tokens[token]
        if store.rights.get(g.user) is None and "/repos/" in request.path:
            raise Refusal(404, {"message": "Not Found"})
        if store.rights.get(g.user) == "read" and request.method != "GET":
            needed = {"X-Accepted-GitHub-Permissions": "pull_requests=write"}
            raise Refusal(
                403, {"message": "Resource not accessible by personal access token"}, needed
            )

    def app_only(token):
        try:
            options = {"verify_exp": False, "verify_iat": False}
            claims = jwt.decode(token, store.app_key, algorithms=["RS256"], options=options)
        except jwt.PyJWTError:
            raise Refusal(401, {"message": "A JSON web token could not be decoded"}) from None
        if not claims["iat"] <= store.clock <= claims["exp"] <= store.clock + 600:
            raise Refusal(
                401, {"message": "'Expiration time' claim ('exp') is too far in the future"}
            )

    @api.get("/app")
    def app():
        return {"slug": store.app_slug}

    @api.get(f"{repo}/installation")
    def installation():
        return {"id": INSTALLATION}

    @api.post("/app/installations/<int:number>/access_tokens")
    def access_token(number):
        if number != INSTALLATION:
            raise Refusal(404, {"message": "Not Found"})
        token = f"ghs_installation{store.next_id()}"
        bot = store.user_id(f"{store.app_slug}[bot]")
        store.tokens[token] = bot
        until = datetime.datetime.fromtimestamp(store.clock + 3600, datetime.UTC)
        return {"token": token, "expires_at": until.strftime("%Y-%m-%dT%H:%M:%SZ")}, 201

    @api.get("/user")
    def whoami():
        if store.users[g.user].endswith("[bot]"):
            raise Refusal(403, {"message": "Resource not accessible by integration"})
        return user(store, g.user)

    @api.get("/users/<login>")
    def by_login(login):
        if store.user_id(login) is None:
            raise Refusal(404, {"message": "Not Found"})
        return user(store, store.user_id(login))

    @api.get(f"{repo}/pulls")
    def pulls():
        found = list(store.pulls.values())
        if request.args.get("state", "open") != "all":
            found = [p for p in found if p["state"] == request.args.get("state", "open")]
        if "head" in request.args:
            found = [p for p in found if f"payments:{p['head']}" == request.args["head"]]
        if "base" in request.args:
            found = [p for p in found if p["base"] == request.args["base"]]
        return paged(store, [pull(store, data) for data in reversed(found)])

    def one(number):
        if number not in store.pulls:
            raise Refusal(404, {"message": "Not Found"})
        return store.pulls[number]

    @api.get(f"{repo}/pulls/<int:number>")
    def get_pull(number):
        return pull(store, one(number))

    @api.post(f"{repo}/pulls")
    def create_pull():
        data = request.get_json()
        if data["head"] not in store.branches:
            raise invalid({"resource": "PullRequest", "field": "head", "code": "invalid"})
        if store.open_pull(data["head"], data["base"]):
            raise invalid(
                {"message": f"A pull request already exists for payments:{data['head']}."}
            )
        number = store.add_pull(head=data["head"], base=data["base"], author=g.user)
        store.pulls[number] |= {"title": data["title"], "body": data.get("body", "")}
        return pull(store, store.pulls[number]), 201

    @api.patch(f"{repo}/pulls/<int:number>")
    def edit_pull(number):
        allowed = {
            key: value for key, value in request.get_json().items() if key in ("title", "body")
        }
        one(number).update(allowed)
        return pull(store, one(number))

    @api.get(f"{repo}/commits/<sha>/pulls")
    def pulls_of(sha):
        found = [p for p in store.pulls.values() if sha in (p["sha"], p["merge_sha"])]
        return paged(store, [pull(store, data) for data in found])

    @api.get(f"{repo}/issues/<int:number>/comments")
    def comments(number):
        one(number)
        return paged(store, [comment(store, data) for data in store.comments_of(number)])

    @api.post(f"{repo}/issues/<int:number>/comments")
    def create_comment(number):
        one(number)
        body = request.get_json()["body"]
        if len(body) > 65_536:
            raise invalid({"message": "body is too long (maximum is 65536 characters)"})
        return comment(store, store.comments[store.add_comment(number, g.user, body)]), 201

    @api.route(f"{repo}/issues/comments/<int:number>", methods=["PATCH", "DELETE"])
    def change_comment(number):
        if number not in store.comments:
            raise Refusal(404, {"message": "Not Found"})
        if request.method == "DELETE":
            del store.comments[number]
            return "", 204
        store.comments[number]["body"] = request.get_json()["body"]
        return comment(store, store.comments[number])

    @api.get(f"{repo}/collaborators/<login>/permission")
    def permission(login):
        number = store.user_id(login)
        if number is None:
            raise Refusal(404, {"message": f"{login} is not a user"})
        return {"permission": store.rights.get(number, "none"), "user": user(store, number)}

    commit_routes(store, api, repo)
    deployment_routes(store, api, repo)
    return api


def commit_routes(store, api, repo):
    @api.post(f"{repo}/statuses/<sha>")
    def create_status(sha):
        data = request.get_json()
        if sha not in store.commits:
            raise invalid({"message": f"No commit found for SHA: {sha}"})
        if data.get("state") not in STATES:
            raise invalid({"message": "state is not included in the list"})
        if len(data.get("description") or "") > 140:
            raise invalid({"message": "description is too long (maximum is 140 characters)"})
        if len(data.get("context") or "default") > 255:
            raise invalid({"message": "context is too long (maximum is 255 characters)"})
        made = {"id": store.next_id(), "sha": sha, "creator": g.user, **data}
        made.setdefault("target_url", None)
        store.statuses.append(made)
        return status(made), 201

    def status(data):
        return {
            **{key: value for key, value in data.items() if key != "sha"},
            "creator": user(store, data["creator"]),
            "created_at": "2026-06-01T12:00:00Z",
        }

    @api.get(f"{repo}/commits/<sha>/statuses")
    def statuses(sha):
        return paged(
            store, [status(data) for data in reversed(store.statuses) if data["sha"] == sha]
        )

    @api.get(f"{repo}/commits/<sha>/check-runs")
    def check_runs(sha):
        runs = [run for run in store.check_runs if run["head_sha"] == sha]
        if "check_name" in request.args:
            runs = [run for run in runs if run["name"] == request.args["check_name"]]
        return {"total_count": len(runs), "check_runs": [shown(run) for run in runs]}

    def shown(run):
        output = {key: value for key, value in run["output"].items() if key != "annotations"}
        count = len(run["output"].get("annotations") or [])
        return {**run, "output": {**output, "annotations_count": count}}

    def checked(data):
        output = data.get("output") or {}
        if data.get("conclusion") not in CONCLUSIONS | {None}:
            raise invalid({"message": "conclusion is not included in the list"})
        if data.get("status") == "completed" and not data.get("conclusion"):
            raise invalid({"message": "conclusion is missing"})
        if len(output.get("annotations") or []) > 50:
            raise invalid({"message": "Only 50 annotations are allowed per request"})
        for field in ("summary", "text"):
            if len(output.get(field) or "") > 65_535:
                raise invalid({"message": f"{field} exceeds the limit of 65535 characters"})
        return data

    def app_only():
        if not store.users[g.user].endswith("[bot]"):
            raise Refusal(403, {"message": "You must authenticate via a GitHub App."})

    @api.post(f"{repo}/check-runs")
    def create_run():
        app_only()
        run = {"id": store.next_id(), "output": {}, **checked(request.get_json())}
        store.check_runs.append(run)
        return shown(run), 201

    @api.patch(f"{repo}/check-runs/<int:number>")
    def edit_run(number):
        app_only()
        run = next(run for run in store.check_runs if run["id"] == number)
        data = checked(request.get_json())
        before = run["output"].get("annotations") or []
        run.update(data)
        run["output"] = {
            **run["output"],
            "annotations": before + (run["output"].get("annotations") or []),
        }
        return shown(run)


def deployment_routes(store, api, repo):
    def shown(data):
        return {key: value for key, value in data.items() if key != "statuses"}

    @api.get(f"{repo}/deployments")
    def deployments():
        wanted = {
            key: request.args[key] for key in ("sha", "environment", "task") if key in request.args
        }
        found = [
            d for d in store.deployments if all(d[key] == value for key, value in wanted.items())
        ]
        return paged(store, [shown(data) for data in reversed(found)])

    @api.post(f"{repo}/deployments")
    def create_deployment():
        data = request.get_json()
        if data.get("auto_merge", True) or data.get("required_contexts") != []:
            raise Refusal(409, {"message": "Conflict: Commit status checks failed"})
        made = {"id": store.next_id(), "sha": data["ref"], "statuses": [], "task": "deploy", **data}
        store.deployments.append(made)
        return shown(made), 201

    def one(number):
        return next(data for data in store.deployments if data["id"] == number)

    @api.get(f"{repo}/deployments/<int:number>/statuses")
    def deployment_statuses(number):
        return paged(store, list(reversed(one(number)["statuses"])))

    @api.post(f"{repo}/deployments/<int:number>/statuses")
    def create_deployment_status(number):
        data = request.get_json()
        if data.get("state") not in DEPLOYMENT_STATES or len(data.get("description") or "") > 140:
            raise invalid({"message": "state or description is invalid"})
        made = {"id": store.next_id(), "log_url": "", "description": "", **data}
        one(number)["statuses"].append(made)
        return made, 201
