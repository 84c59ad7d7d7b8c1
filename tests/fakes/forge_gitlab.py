"""GitLab's language (API v4) of the stand-in forge."""

from urllib.parse import quote

from flask import Blueprint, g, request

from tests.fakes.forge import REPOSITORY, Refusal, paged

LEVELS = {"admin": 50, "write": 30, "read": 20}
STATES = {"pending", "running", "success", "failed", "canceled"}
ACTIVE = {"pending", "running"}
EVENTS = {"pending": "enqueue", "running": "run"}


MOMENT = "2026-06-01T12:00:00.000Z"
PAGES = "https://forge.example"


def user(store, number):
    login = store.users[number]
    return {
        "id": number,
        "username": login,
        "name": login,
        "state": "active",
        "avatar_url": None,
        "web_url": f"{PAGES}/{login}",
    }


def merge_request(store, data, *, listed=False):
    state = "merged" if data["merged"] else {"open": "opened"}.get(data["state"], data["state"])
    shown = {
        "id": 100_000 + data["number"],
        "iid": data["number"],
        "project_id": store.repository_id,
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
        "created_at": MOMENT,
        "updated_at": MOMENT,
        "web_url": f"{PAGES}/{store.repository}/-/merge_requests/{data['number']}",
    }
    if listed:
        return shown
    base = store.base_sha(data)
    refs = {"base_sha": base, "head_sha": data["sha"], "start_sha": base}
    return {**shown, "diff_refs": refs}


def blueprint(store):
    api = Blueprint("gitlab", __name__)
    # Flask decodes %2F before it routes, so that the quoted path arrives with its slash; the
    # request's raw URI tells whether it was quoted, which the real GitLab insists on.
    project = f"/projects/{REPOSITORY}"

    @api.before_request
    def authenticate():
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        if "PRIVATE-TOKEN" in request.headers:
            kind, token = "Bearer", request.headers["PRIVATE-TOKEN"]
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
        named = (quote(store.repository, safe=""), f"/projects/{store.repository_id}")
        if "/projects/" in raw and not any(name in raw for name in named):
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
        return {
            "id": store.repository_id,
            "name": store.repository.rpartition("/")[2],
            "path_with_namespace": store.repository,
            "default_branch": "main",
            "web_url": f"{PAGES}/{store.repository}",
        }

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
        data = dict(request.get_json())
        event = data.pop("state_event", None)
        if event not in (None, "close", "reopen"):
            raise Refusal(400, {"error": "state_event does not have a valid value"})
        if not data and event is None:
            raise Refusal(400, {"error": "title, description, state_event are missing"})
        changes = {"title": data.get("title"), "body": data.get("description")}
        if event:
            changes["state"] = "closed" if event == "close" else "open"
        store.edit_pull(one(number), changes)
        return merge_request(store, one(number))

    @api.put(f"{project}/merge_requests/<int:number>/merge")
    def accept_merge_request(number):
        if one(number)["state"] != "open":
            raise Refusal(405, {"message": "405 Method Not Allowed"})
        wanted = (request.get_json(silent=True) or {}).get("sha", one(number)["sha"])
        if wanted != one(number)["sha"]:
            raise Refusal(409, {"message": "SHA does not match HEAD of source branch"})
        store.merge_pull(one(number))
        return merge_request(store, one(number))

    @api.get(f"{project}/repository/commits/<sha>/merge_requests")
    def merge_requests_of(sha):
        found = [p for p in store.pulls.values() if sha in (p["sha"], p["merge_sha"])]
        return paged(store, [merge_request(store, data, listed=True) for data in found], default=20)

    issue_routes(store, api, project)
    note_routes(store, api, project, one)
    commit_routes(store, api, project)
    return api


def issue_routes(store, api, project):
    def issue(data):
        state = "opened" if data["state"] == "open" else "closed"
        return {"id": 5000 + data["number"], "iid": data["number"], "title": data["title"],
                "description": data["body"], "state": state,
                "author": user(store, data["author"])}  # fmt: skip

    @api.get(f"{project}/issues")
    def issues():
        assert request.args["state"] == "opened"
        return paged(store, [issue(data) for data in store.open_issues()], default=20)

    @api.post(f"{project}/issues")
    def create_issue():
        data = request.get_json()
        return issue(store.add_issue(g.user, data["title"], data["description"])), 201

    @api.put(f"{project}/issues/<int:number>")
    def edit_issue(number):
        data, found = request.get_json(), store.issues[number]
        found |= {"title": data.get("title", found["title"]),
                  "body": data.get("description", found["body"])}  # fmt: skip
        if data.get("state_event") == "close":
            found["state"] = "closed"
        return issue(found)


def note_routes(store, api, project, one):
    def note(data):
        return {
            "id": data["id"],
            "body": data["body"],
            "author": user(store, data["author"]),
            "system": data.get("system", False),
            "created_at": MOMENT,
            "updated_at": MOMENT,
            "noteable_id": 100_000 + data["pull"],
            "noteable_iid": data["pull"],
            "noteable_type": "MergeRequest",
        }

    @api.get(f"{project}/merge_requests/<int:number>/notes/<int:note_id>")
    def get_note(number, note_id):
        if note_id not in store.comments:
            raise Refusal(404, {"message": "404 Note Not Found"})
        return note(store.comments[note_id])

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
            "sha": data["sha"],
            "ref": "main",
            "name": data["context"],
            "status": data["state"],
            "description": data["description"],
            "target_url": data["target_url"],
            "author": user(store, data["creator"]),
            "created_at": MOMENT,
            "started_at": None,
            "finished_at": None,
        }

    @api.get(f"{project}/repository/commits/<sha>")
    def get_commit(sha):
        if sha not in store.commits:
            raise Refusal(404, {"message": "404 Commit Not Found"})
        return {"id": sha, "short_id": sha[:8], "title": "Change", "created_at": MOMENT}

    @api.post(f"{project}/statuses/<sha>")
    def create_status(sha):
        data = request.get_json()
        if sha not in store.commits:
            raise Refusal(404, {"message": "404 Commit Not Found"})
        if data.get("state") not in STATES:
            raise Refusal(400, {"error": "state does not have a valid value"})
        # Clients may call it by either name.
        data["name"] = data.get("name") or data.get("context") or "default"
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
        times = dict.fromkeys(("created_at", "updated_at"), "2026-06-01T12:00:00.000Z")
        made = {"id": store.next_id(), "user": user(store, g.user), "deployable": None}
        store.deployments.append({**made, **times, **data})
        return store.deployments[-1], 201

    @api.put(f"{project}/deployments/<int:number>")
    def edit_deployment(number):
        found = next(data for data in store.deployments if data["id"] == number)
        if found["status"] not in ("created", "running"):
            raise Refusal(400, {"message": {"status": ["Cannot transition status"]}})
        found["status"] = request.get_json()["status"]
        return found
