"""Gitea's and Forgejo's language (API v1) of the stand-in forge."""

from flask import Blueprint, g, jsonify, request

from tests.fakes.forge import REPOSITORY, Refusal, paged

STATES = {"pending", "success", "error", "failure", "warning"}
MOMENT = "2026-06-01T12:00:00Z"
PAGES = "https://forge.example"


def user(store, number):
    login = store.users[number]
    return {
        "id": number,
        "login": login,
        "login_name": "",
        "full_name": "",
        "email": f"{number}@noreply.forge.example",
        "avatar_url": f"{PAGES}/avatars/{number}",
        "html_url": f"{PAGES}/{login}",
        "is_admin": False,
        "active": True,
        "created": MOMENT,
        "visibility": "public",
    }


def repository(store, number=None):
    name = store.repository if number in (None, store.repository_id) else f"mallory/{number}"
    return {
        "id": number or store.repository_id,
        "name": name.partition("/")[2],
        "full_name": name,
        "private": True,
        "fork": name != store.repository,
        "html_url": f"{PAGES}/{name}",
        "url": f"{store.url}/api/v1/repos/{name}",
        "clone_url": f"{PAGES}/{name}.git",
        "default_branch": "main",
    }


def pull(store, data):
    number = data["number"]
    page = f"{PAGES}/{store.repository}/pulls/{number}"
    head = data["head_repository"]
    shown = {
        "id": 100_000 + number,
        "url": page,
        "number": number,
        "user": user(store, data["author"]),
        "title": data["title"],
        "body": data["body"],
        "labels": [
            {"id": at, "name": name, "color": "ededed"} for at, name in enumerate(data["labels"], 1)
        ],
        "state": data["state"],
        "draft": data["draft"],
        "is_locked": False,
        "comments": len(store.comments_of(number)),
        "html_url": page,
        "diff_url": f"{page}.diff",
        "patch_url": f"{page}.patch",
        "mergeable": data["state"] == "open",
        "merged": data["merged"],
        "base": {
            "label": data["base"],
            "ref": data["base"],
            "sha": store.base_sha(data),
            "repo_id": store.repository_id,
            "repo": repository(store),
        },
        "head": {"label": data["head"], "ref": data["head"], "sha": data["sha"],
                 "repo_id": head or 0, "repo": repository(store, head) if head else None},
        "merge_base": store.base_sha(data),
        "created_at": MOMENT,
        "updated_at": MOMENT,
    }  # fmt: skip
    if data["merged"]:
        shown |= {"merge_commit_sha": data["merge_sha"], "merged_at": MOMENT}
    return shown


def comment(store, data):
    page = f"{PAGES}/{store.repository}/pulls/{data['pull']}"
    return {
        "id": data["id"],
        "html_url": f"{page}#issuecomment-{data['id']}",
        "pull_request_url": page,
        "user": user(store, data["author"]),
        "body": data["body"],
        "created_at": MOMENT,
        "updated_at": MOMENT,
    }


def blueprint(store):
    api = Blueprint("gitea", __name__)
    repo = f"/repos/{REPOSITORY}"

    @api.before_request
    def authenticate():
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        if (
            token in store.expired
            or token not in store.tokens
            or kind.lower() not in ("token", "bearer")
        ):
            raise Refusal(401, {"message": "user does not exist [uid: 0, name: ]"})
        g.user = store.tokens[token]
        if store.rights.get(g.user) is None and "/repos/" in request.path:
            raise Refusal(404, {"message": "The target couldn't be found."})
        if store.rights.get(g.user) == "read" and request.method != "GET":
            message = "token does not have at least one of required scope(s): [write:issue]"
            raise Refusal(403, {"message": message})

    @api.get("/user")
    def whoami():
        return user(store, g.user)

    def shown(data):
        return pull(store, data)

    @api.get(repo)
    def get_repository():
        return repository(store)

    def one(number):
        if number not in store.pulls:
            raise Refusal(404, {"message": "The target couldn't be found."})
        return store.pulls[number]

    @api.get(f"{repo}/pulls")
    def pulls():
        state = request.args.get("state", "open")
        found = [p for p in store.pulls.values() if state in ("all", p["state"])]
        return paged(store, [shown(data) for data in reversed(found)], size="limit")

    @api.get(f"{repo}/pulls/<int:number>")
    def get_pull(number):
        return shown(one(number))

    @api.post(f"{repo}/pulls")
    def create_pull():
        data = request.get_json()
        if data["head"] not in store.branches:
            raise Refusal(404, {"message": "The target couldn't be found."})
        if store.open_pull(data["head"], data["base"]):
            raise Refusal(409, {"message": "pull request already exists for these targets [id: 1]"})
        number = store.add_pull(head=data["head"], base=data["base"], author=g.user)
        store.pulls[number] |= {"title": data["title"], "body": data.get("body", "")}
        return shown(store.pulls[number]), 201

    @api.patch(f"{repo}/pulls/<int:number>")
    def edit_pull(number):
        store.edit_pull(one(number), request.get_json())
        return shown(one(number)), 201

    @api.post(f"{repo}/pulls/<int:number>/merge")
    def merge_pull(number):
        if one(number)["state"] != "open":
            raise Refusal(405, {"message": "Please try again later"})
        # The field's name is written in two ways, depending on the version.
        sent = {key.lower(): value for key, value in request.get_json().items()}
        if sent.get("do") not in ("merge", "rebase", "squash"):
            raise Refusal(422, {"message": "[Do]: Required"})
        store.merge_pull(one(number))
        return "", 200

    @api.get(f"{repo}/commits/<sha>/pull")
    def pull_of(sha):
        for data in store.pulls.values():
            if data["merge_sha"] == sha:
                return shown(data)
        raise Refusal(404, {"message": "The target couldn't be found."})

    @api.get(f"{repo}/issues/<int:number>/comments")
    def comments(number):
        one(number)  # all at once: this list has no pages
        return jsonify([comment(store, data) for data in store.comments_of(number)])

    @api.post(f"{repo}/issues/<int:number>/comments")
    def create_comment(number):
        one(number)
        body = request.get_json()["body"]
        return comment(store, store.comments[store.add_comment(number, g.user, body)]), 201

    @api.route(f"{repo}/issues/comments/<int:number>", methods=["PATCH", "DELETE"])
    def change_comment(number):
        if number not in store.comments:
            raise Refusal(404, {"message": "The target couldn't be found."})
        if request.method == "DELETE":
            del store.comments[number]
            return "", 204
        store.comments[number]["body"] = request.get_json()["body"]
        return comment(store, store.comments[number])

    def issue(data):
        page = f"{PAGES}/{store.repository}/issues/{data['number']}"
        kept = {key: data[key] for key in ("number", "title", "body", "state")}
        return {**kept, "id": 5000 + data["number"], "user": user(store, data["author"]),
                "html_url": page, "created_at": MOMENT, "updated_at": MOMENT}  # fmt: skip

    @api.get(f"{repo}/issues")
    def issues():
        assert request.args["type"] == "issues" and request.args["state"] == "open"
        return paged(store, [issue(data) for data in store.open_issues()], size="limit")

    @api.post(f"{repo}/issues")
    def create_issue():
        data = request.get_json()
        return issue(store.add_issue(g.user, data["title"], data["body"])), 201

    @api.patch(f"{repo}/issues/<int:number>")
    def edit_issue(number):
        store.issues[number] |= request.get_json()
        return issue(store.issues[number]), 201

    @api.post(f"{repo}/statuses/<sha>")
    def create_status(sha):
        data = request.get_json()
        if sha not in store.commits:
            raise Refusal(404, {"message": f"object does not exist [id: {sha}]"})
        if data.get("state") not in STATES:
            raise Refusal(400, {"message": "unknown state"})
        made = {"id": store.next_id(), "sha": sha, "creator": g.user, **data}
        store.statuses.append(made)
        return status(made), 201

    def status(data):
        kept = {key: data.get(key, "") for key in ("id", "context", "description", "target_url")}
        return {
            **kept,
            "status": data["state"],
            "url": f"{store.url}/api/v1{repo}/statuses/{data['sha']}",
            "creator": user(store, data["creator"]),
            "created_at": MOMENT,
            "updated_at": MOMENT,
        }

    @api.get(f"{repo}/commits/<sha>/statuses")
    def statuses(sha):
        found = [status(data) for data in reversed(store.statuses) if data["sha"] == sha]
        return paged(store, found, size="limit")

    @api.get(f"{repo}/collaborators/<login>/permission")
    def permission(login):
        number = store.user_id(login)
        if number != g.user and store.rights.get(g.user) != "admin":
            words = (
                "Only admins can query all permissions, repo admins can query all repo "
                "permissions, collaborators can query only their own"
            )
            raise Refusal(403, {"message": words})
        if number is None:
            raise Refusal(404, {"message": "user does not exist"})
        right = store.rights.get(number, "none")
        return {"permission": right, "role_name": right, "user": user(store, number)}

    return api
