"""GitLab's language (API v4) of the stand-in forge."""

from urllib.parse import quote

from flask import Blueprint, g, request

from tests.fake_forge import Refusal, paged

LEVELS = {"admin": 50, "write": 30, "read": 20}
STATES = {"pending", "running", "success", "failed", "canceled"}
ACTIVE = {"pending", "running"}
EVENTS = {"pending": "enqueue", "running": "run"}


def user(store, number):
    return {"id": number, "username": store.users[number]}


def merge_request(store, data, *, listed=False):
    state = "merged" if data["merged"] else {"open": "opened"}.get(data["state"], data["state"])
    shown = {
        "iid": data["number"],
        "title": data["title"],
        "description": data["body"] or None,
        "state": state,
        "sha": data["sha"],
        "source_branch": data["head"],
        "target_branch": data["base"],
        "source_project_id": data["head_repository"] or None,
        "target_project_id": store.repository_id,
        "author": user(store, data["author"]),
        "merge_commit_sha": data["merge_sha"],
        "squash_commit_sha": None,
        "merge_status": "unchecked",
        "draft": data["draft"],
        "labels": data["labels"],
        "web_url": f"https://forge.example/{store.repository}/-/merge_requests/{data['number']}",
    }
    if listed:
        return shown
    return {**shown, "diff_refs": {"base_sha": "f" * 40, "head_sha": data["sha"]}}


def blueprint(store):
    api = Blueprint("gitlab", __name__)
    # Flask decodes %2F before it routes, so that the quoted path arrives with its slash; the
    # request's raw URI tells whether it was quoted, which the real GitLab insists on.
    project = f"/projects/{store.repository}"

    @api.before_request
    def authenticate():
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        if token in store.expired:
            body = {
                "error": "invalid_token",
                "error_description": "Token is expired. You can re-auth.",
            }
            raise Refusal(401, body)
        if token not in store.tokens or kind != "Bearer":
            raise Refusal(401, {"message": "401 Unauthorized"})
        g.user = store.tokens[token]
        raw = request.environ["RAW_URI"]
        if "/projects/" in raw and quote(store.repository, safe="") not in raw:
            raise Refusal(404, {"error": "404 Not Found"})
        if store.rights.get(g.user) is None and "/projects/" in request.path:
            raise Refusal(404, {"message": "404 Project Not Found"})
        if store.rights.get(g.user) == "read" and request.method != "GET":
            raise Refusal(403, {"error": "insufficient_scope", "error_description": "needs: api"})

    @api.get("/user")
    def whoami():
        return user(store, g.user)

    @api.get("/users")
    def users():
        number = store.user_id(request.args["username"])
        return paged(store, [user(store, number)] if number else [])

    @api.get(project)
    def get_project():
        return {"id": store.repository_id, "default_branch": "main"}

    @api.get(f"{project}/members/all/<int:number>")
    def member(number):
        if store.rights.get(number) is None:
            raise Refusal(404, {"message": "404 Not found"})
        level = LEVELS[store.rights[number]]
        return {**user(store, number), "access_level": level, "state": "active"}

    @api.get(f"{project}/merge_requests")
    def merge_requests():
        found = list(store.pulls.values())
        if request.args.get("state") == "opened":
            found = [p for p in found if p["state"] == "open"]
        for name, field in (("source_branch", "head"), ("target_branch", "base")):
            if name in request.args:
                found = [p for p in found if p[field] == request.args[name]]
        listed = [merge_request(store, data, listed=True) for data in reversed(found)]
        return paged(store, listed, default=20)

    def one(number):
        if number not in store.pulls:
            raise Refusal(404, {"message": "404 Not found"})
        return store.pulls[number]

    @api.get(f"{project}/merge_requests/<int:number>")
    def get_merge_request(number):
        return merge_request(store, one(number))

    @api.post(f"{project}/merge_requests")
    def create_merge_request():
        data = request.get_json()
        head, base = data["source_branch"], data["target_branch"]
        if head not in store.branches:
            raise Refusal(422, {"message": {"source_branch": ["does not exist"]}})
        if store.open_pull(head, base):
            message = "Another open merge request already exists for this source branch: !1"
            raise Refusal(409, {"message": [message]})
        number = store.add_pull(head=head, base=base, author=g.user)
        store.pulls[number] |= {"title": data["title"], "body": data.get("description", "")}
        return merge_request(store, store.pulls[number]), 201

    @api.put(f"{project}/merge_requests/<int:number>")
    def edit_merge_request(number):
        data = request.get_json()
        one(number).update(title=data["title"], body=data["description"])
        return merge_request(store, one(number))

    @api.get(f"{project}/repository/commits/<sha>/merge_requests")
    def merge_requests_of(sha):
        found = [p for p in store.pulls.values() if sha in (p["sha"], p["merge_sha"])]
        return paged(store, [merge_request(store, data, listed=True) for data in found], default=20)

    note_routes(store, api, project, one)
    commit_routes(store, api, project)
    return api


def note_routes(store, api, project, one):
    def note(data):
        return {
            "id": data["id"],
            "body": data["body"],
            "author": user(store, data["author"]),
            "system": data.get("system", False),
        }

    @api.get(f"{project}/merge_requests/<int:number>/notes")
    def notes(number):
        one(number)
        found = store.comments_of(number)
        if request.args.get("sort", "desc") == "desc":
            found = list(reversed(found))
        return paged(store, [note(data) for data in found], default=20)

    @api.post(f"{project}/merge_requests/<int:number>/notes")
    def create_note(number):
        one(number)
        body = request.get_json()["body"]
        if len(body) > 1_000_000:
            raise Refusal(
                400, {"message": {"note": ["is too long (maximum is 1000000 characters)"]}}
            )
        return note(store.comments[store.add_comment(number, g.user, body)]), 201

    @api.route(
        f"{project}/merge_requests/<int:number>/notes/<int:note_id>", methods=["PUT", "DELETE"]
    )
    def change_note(number, note_id):
        if note_id not in store.comments:
            raise Refusal(404, {"message": "404 Note Not Found"})
        if request.method == "DELETE":
            del store.comments[note_id]
            return "", 204
        store.comments[note_id]["body"] = request.get_json()["body"]
        return note(store.comments[note_id])


def commit_routes(store, api, project):
    def status(data):
        return {
            "id": data["id"],
            "name": data["context"],
            "status": data["state"],
            "description": data["description"],
            "target_url": data["target_url"],
            "author": user(store, data["creator"]),
            "created_at": "2026-06-01T12:00:00.000Z",
            "finished_at": None,
        }

    @api.post(f"{project}/statuses/<sha>")
    def create_status(sha):
        data = request.get_json()
        if sha not in store.commits:
            raise Refusal(404, {"message": "404 Commit Not Found"})
        if data.get("state") not in STATES:
            raise Refusal(400, {"error": "state does not have a valid value"})
        if len(data["name"]) > 255 or len(data.get("description") or "") > 255:
            raise Refusal(
                400, {"message": {"description": ["is too long (maximum is 255 characters)"]}}
            )
        running = [s for s in store.statuses if s["context"] == data["name"] and s["sha"] == sha]
        running = [s for s in running if s["state"] in ACTIVE]
        fields = {"description": data.get("description"), "target_url": data.get("target_url")}
        if running:
            before = running[-1]["state"]
            running[-1].update(fields)
            if data["state"] == before or (before, data["state"]) == ("running", "pending"):
                event = EVENTS[data["state"]]
                text = f"Cannot transition status via :{event} from :{before}"
                reason = f'Status cannot transition via "{event}"'
                raise Refusal(400, {"message": f"{text} (Reason(s): {reason})"})
            running[-1]["state"] = data["state"]
            return status(running[-1]), 201
        made = {"id": store.next_id(), "sha": sha, "creator": g.user, "context": data["name"]}
        store.statuses.append({**made, "state": data["state"], **fields})
        return status(store.statuses[-1]), 201

    @api.get(f"{project}/repository/commits/<sha>/statuses")
    def statuses(sha):
        newest = {s["context"]: s for s in store.statuses if s["sha"] == sha}
        return paged(store, [status(data) for data in newest.values()], default=20)

    @api.get(f"{project}/deployments")
    def deployments():
        found = [d for d in store.deployments if d["environment"] == request.args["environment"]]
        if request.args.get("sort", "asc") == "desc":
            found = list(reversed(found))
        return paged(store, found, default=20)

    @api.post(f"{project}/deployments")
    def create_deployment():
        data = request.get_json()
        if set(data) != {"environment", "sha", "ref", "tag", "status"}:
            raise Refusal(400, {"error": "a parameter is missing or unknown"})
        store.deployments.append({"id": store.next_id(), **data})
        return store.deployments[-1], 201

    @api.put(f"{project}/deployments/<int:number>")
    def edit_deployment(number):
        found = next(data for data in store.deployments if data["id"] == number)
        if found["status"] not in ("created", "running"):
            raise Refusal(400, {"message": {"status": ["Cannot transition status"]}})
        found["status"] = request.get_json()["status"]
        return found
