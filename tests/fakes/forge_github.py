"""GitHub's language (REST, 2022-11-28) of the stand-in forge."""

import datetime

import jwt
from flask import Blueprint, g, request

from tests.fakes import forge as fake_forge
from tests.fakes import forge_github_shapes as shapes
from tests.fakes.forge import REPOSITORY, paged
from tests.fakes.forge_github_shapes import comment, pull, user

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


class Refusal(fake_forge.Refusal):
    """GitHub's refusals say where they are documented."""

    def __init__(self, status, body, headers=None):
        super().__init__(status, {**body, "documentation_url": "https://docs.example/"}, headers)


def invalid(error):
    """GitHub's 422."""
    told = {"resource": "PullRequest", "code": "custom", **error}
    return Refusal(422, {"message": "Validation Failed", "errors": [told]})


def blueprint(store):
    api = Blueprint("github", __name__)
    repo = f"/repos/{REPOSITORY}"

    @api.before_request
    def authenticate():
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        if request.path.startswith("/api/v3/app") or request.path.endswith("/installation"):
            return app_only(token)
        if (
            token in store.expired
            or token not in store.tokens
            or kind.lower() not in ("bearer", "token")
        ):
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
        return shapes.app(store)

    @api.get(f"{repo}/installation")
    def installation():
        return shapes.installation(store, INSTALLATION)

    @api.post("/app/installations/<int:number>/access_tokens")
    def access_token(number):
        if number != INSTALLATION:
            raise Refusal(404, {"message": "Not Found"})
        token = f"ghs_installation{store.next_id()}"
        bot = store.user_id(f"{store.app_slug}[bot]")
        store.tokens[token] = bot
        until = datetime.datetime.fromtimestamp(store.clock + 3600, datetime.UTC)
        ends = until.strftime("%Y-%m-%dT%H:%M:%SZ")
        return {"token": token, "expires_at": ends, "repository_selection": "selected"}, 201

    @api.get("/user")
    def whoami():
        if store.users[g.user].endswith("[bot]"):
            raise Refusal(403, {"message": "Resource not accessible by integration"})
        return shapes.profile(store, g.user)

    @api.get("/users/<login>")
    def by_login(login):
        if store.user_id(login) is None:
            raise Refusal(404, {"message": "Not Found"})
        return shapes.profile(store, store.user_id(login))

    @api.get(repo)
    def get_repository():
        return shapes.whole_repository(store)

    @api.get(f"{repo}/pulls")
    def pulls():
        found = list(store.pulls.values())
        if request.args.get("state", "open") != "all":
            found = [p for p in found if p["state"] == request.args.get("state", "open")]
        if "head" in request.args:
            found = [p for p in found if f"payments:{p['head']}" == request.args["head"]]
        if "base" in request.args:
            found = [p for p in found if p["base"] == request.args["base"]]
        return paged(store, [pull(store, data, listed=True) for data in reversed(found)])

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
        data = request.get_json()
        if data.get("state", "open") not in ("open", "closed"):
            raise invalid({"message": "state is not included in the list"})
        store.edit_pull(one(number), data)
        return pull(store, one(number))

    @api.put(f"{repo}/pulls/<int:number>/merge")
    def merge_pull(number):
        if one(number)["state"] != "open":
            raise Refusal(405, {"message": "Pull Request is not mergeable"})
        wanted = (request.get_json(silent=True) or {}).get("sha", one(number)["sha"])
        if wanted != one(number)["sha"]:
            raise Refusal(409, {"message": "Head branch was modified. Review and try the merge."})
        sha = store.merge_pull(one(number))
        return {"sha": sha, "merged": True, "message": "Pull Request successfully merged"}

    @api.get(f"{repo}/commits/<sha>/pulls")
    def pulls_of(sha):
        found = [p for p in store.pulls.values() if sha in (p["sha"], p["merge_sha"])]
        return paged(store, [pull(store, data, listed=True) for data in found])

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

    @api.get(f"{repo}/issues")
    def issues():
        assert request.args["state"] == "open"
        # A pull request is an issue here, which only this field tells.
        pulls = [data for data in store.pulls.values() if data["state"] == "open"]
        found = [shapes.own_issue(store, data) for data in store.open_issues()]
        return paged(store, [*found, *(shapes.issue(store, data) for data in pulls)])

    @api.post(f"{repo}/issues")
    def create_issue():
        data = request.get_json()
        return shapes.own_issue(store, store.add_issue(g.user, data["title"], data["body"])), 201

    @api.patch(f"{repo}/issues/<int:number>")
    def edit_issue(number):
        store.issues[number] |= request.get_json()
        return shapes.own_issue(store, store.issues[number])

    @api.get(f"{repo}/collaborators/<login>/permission")
    def permission(login):
        number = store.user_id(login)
        if number is None:
            raise Refusal(404, {"message": f"{login} is not a user"})
        right = store.rights.get(number, "none")
        shown = {**user(store, number), "role_name": right}
        return {"permission": right, "role_name": right, "user": shown}

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
        store.statuses.append(made)
        return shapes.status(store, made), 201

    @api.get(f"{repo}/commits/<sha>")
    def get_commit(sha):
        if sha not in store.commits:
            raise invalid({"message": f"No commit found for SHA: {sha}"})
        return shapes.commit(store, sha)

    @api.get(f"{repo}/commits/<sha>/status")
    def combined_status(sha):
        found = [data for data in store.statuses if data["sha"] == sha]
        return shapes.combined(store, sha, found)

    # The shorter address is an old one, which is still answered and not described any more.
    @api.get(f"{repo}/statuses/<sha>")
    @api.get(f"{repo}/commits/<sha>/statuses")
    def statuses(sha):
        return paged(
            store,
            [shapes.status(store, data) for data in reversed(store.statuses) if data["sha"] == sha],
        )

    @api.get(f"{repo}/commits/<sha>/check-runs")
    def check_runs(sha):
        runs = [run for run in store.check_runs if run["head_sha"] == sha]
        if "check_name" in request.args:
            runs = [run for run in runs if run["name"] == request.args["check_name"]]
        return {"total_count": len(runs), "check_runs": [shown(run) for run in runs]}

    def shown(run):
        return shapes.check_run(store, run)

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

    @api.get(f"{repo}/check-runs/<int:number>/annotations")
    def annotations(number):
        run = next(run for run in store.check_runs if run["id"] == number)
        found = run["output"].get("annotations") or []
        return paged(store, [shapes.annotation(store, run, data) for data in found])


def deployment_routes(store, api, repo):
    def shown(data):
        return shapes.deployment(store, data)

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
        made = {"id": store.next_id(), "sha": data["ref"], "statuses": [], "task": "deploy"}
        made |= {"creator": g.user, **data}
        store.deployments.append(made)
        return shown(made), 201

    def one(number):
        return next(data for data in store.deployments if data["id"] == number)

    @api.get(f"{repo}/deployments/<int:number>/statuses")
    def deployment_statuses(number):
        found = [
            shapes.deployment_status(store, one(number), data) for data in one(number)["statuses"]
        ]
        return paged(store, list(reversed(found)))

    @api.post(f"{repo}/deployments/<int:number>/statuses")
    def create_deployment_status(number):
        data = request.get_json()
        if data.get("state") not in DEPLOYMENT_STATES or len(data.get("description") or "") > 140:
            raise invalid({"message": "state or description is invalid"})
        made = {"id": store.next_id(), "log_url": "", "description": "", "creator": g.user, **data}
        one(number)["statuses"].append(made)
        return shapes.deployment_status(store, one(number), made), 201
