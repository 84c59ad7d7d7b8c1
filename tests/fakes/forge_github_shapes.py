"""What the stand-in's GitHub shows: whole objects, with every field that GitHub promises.

`store.url` is where the stand-in answers: links of the API lead there, links for people to
`forge.example`.
"""

import base64

PAGES = "https://forge.example"
MOMENT = "2026-06-01T12:00:00Z"
_USER_LINKS = {
    "followers_url": "/followers",
    "following_url": "/following{/other_user}",
    "gists_url": "/gists{/gist_id}",
    "starred_url": "/starred{/owner}{/repo}",
    "subscriptions_url": "/subscriptions",
    "organizations_url": "/orgs",
    "repos_url": "/repos",
    "events_url": "/events{/privacy}",
    "received_events_url": "/received_events",
}
_REPOSITORY_LINKS = {
    "archive_url": "/{archive_format}{/ref}",
    "assignees_url": "/assignees{/user}",
    "blobs_url": "/git/blobs{/sha}",
    "branches_url": "/branches{/branch}",
    "collaborators_url": "/collaborators{/collaborator}",
    "comments_url": "/comments{/number}",
    "commits_url": "/commits{/sha}",
    "compare_url": "/compare/{base}...{head}",
    "contents_url": "/contents/{+path}",
    "contributors_url": "/contributors",
    "deployments_url": "/deployments",
    "downloads_url": "/downloads",
    "events_url": "/events",
    "forks_url": "/forks",
    "git_commits_url": "/git/commits{/sha}",
    "git_refs_url": "/git/refs{/sha}",
    "git_tags_url": "/git/tags{/sha}",
    "hooks_url": "/hooks",
    "issue_comment_url": "/issues/comments{/number}",
    "issue_events_url": "/issues/events{/number}",
    "issues_url": "/issues{/number}",
    "keys_url": "/keys{/key_id}",
    "labels_url": "/labels{/name}",
    "languages_url": "/languages",
    "merges_url": "/merges",
    "milestones_url": "/milestones{/number}",
    "notifications_url": "/notifications{?since,all,participating}",
    "pulls_url": "/pulls{/number}",
    "releases_url": "/releases{/id}",
    "stargazers_url": "/stargazers",
    "statuses_url": "/statuses/{sha}",
    "subscribers_url": "/subscribers",
    "subscription_url": "/subscription",
    "tags_url": "/tags",
    "teams_url": "/teams",
    "trees_url": "/git/trees{/sha}",
}


def node_id(kind, number):
    return base64.b64encode(f"{kind}{number}".encode()).decode()


def api(store):
    return f"{store.url}/api/v3"


def at(store, data):
    """The API's address of a repository."""
    return f"{api(store)}/repos/{data or store.repository}"


def user(store, number):
    if number not in store.users:
        return None
    login = store.users[number]
    place = f"{api(store)}/users/{login}"
    return {
        "login": login,
        "id": number,
        "node_id": node_id("User", number),
        "avatar_url": f"{PAGES}/avatars/{number}",
        "gravatar_id": "",
        "url": place,
        "html_url": f"{PAGES}/{login}",
        **{name: place + path for name, path in _USER_LINKS.items()},
        "type": "Bot" if login.endswith("[bot]") else "User",
        "site_admin": False,
    }


def profile(store, number):
    """A user with what the page about them holds."""
    empty = ("bio", "blog", "company", "email", "hireable", "location", "name")
    return {
        **user(store, number),
        **dict.fromkeys(empty),
        "blog": "",
        **dict.fromkeys(("followers", "following", "public_gists", "public_repos"), 0),
        "created_at": MOMENT,
        "updated_at": MOMENT,
        "user_view_type": "public",
    }


def owner(store, name):
    login = name.partition("/")[0]
    return user(store, store.user_id(login) or store.add_user(login))


def repository(store, number=None, name=None):
    name = name or store.repository
    place = at(store, name)
    counts = ("forks", "forks_count", "stargazers_count", "watchers", "watchers_count", "size",
              "open_issues", "open_issues_count")  # fmt: skip
    return {
        "id": number or store.repository_id,
        "node_id": node_id("Repository", number or store.repository_id),
        "name": name.partition("/")[2],
        "full_name": name,
        "owner": owner(store, name),
        "private": True,
        "html_url": f"{PAGES}/{name}",
        "description": None,
        "fork": name != store.repository,
        "url": place,
        **{link: place + path for link, path in _REPOSITORY_LINKS.items()},
        "clone_url": f"{PAGES}/{name}.git",
        "git_url": f"git://forge.example/{name}.git",
        "ssh_url": f"git@forge.example:{name}.git",
        "svn_url": f"{PAGES}/{name}",
        "mirror_url": None,
        "homepage": None,
        "language": None,
        "license": None,
        "default_branch": "main",
        "visibility": "private",
        "topics": [],
        **dict.fromkeys(counts, 0),
        **dict.fromkeys(("has_issues", "has_projects", "has_wiki", "has_downloads"), True),
        **dict.fromkeys(("has_pages", "has_discussions", "archived", "disabled"), False),
        **dict.fromkeys(("allow_forking", "is_template"), False),
        "web_commit_signoff_required": False,
        **dict.fromkeys(("created_at", "updated_at", "pushed_at"), MOMENT),
    }


def whole_repository(store):
    """A repository asked for by itself."""
    return {**repository(store), "network_count": 0, "subscribers_count": 0}


def side(store, name, sha, number):
    """Head or base of a pull request; no repository where a fork was deleted."""
    whole = store.repository if number == store.repository_id else f"mallory/{number}"
    shown = repository(store, number, whole) if number else None
    login = whole.partition("/")[0] if number else "ghost"
    return {
        "label": f"{login}:{name}",
        "ref": name,
        "sha": sha,
        "user": owner(store, whole) if number else None,
        "repo": shown,
    }


def label(store, name):
    number = sum(name.encode())
    return {
        "id": number,
        "node_id": node_id("Label", number),
        "url": f"{at(store, None)}/labels/{name}",
        "name": name,
        "description": None,
        "color": "ededed",
        "default": False,
    }


def pull(store, data, *, listed=False):
    number, place = data["number"], at(store, None)
    ended = MOMENT if data["state"] != "open" else None
    self_url, issue = f"{place}/pulls/{number}", f"{place}/issues/{number}"
    links = {
        "self": self_url,
        "html": f"{PAGES}/{store.repository}/pull/{number}",
        "issue": issue,
        "comments": f"{issue}/comments",
        "review_comments": f"{self_url}/comments",
        "review_comment": f"{place}/pulls/comments{{/number}}",
        "commits": f"{self_url}/commits",
        "statuses": f"{place}/statuses/{data['sha']}",
    }
    shown = {
        "url": self_url,
        "id": 100_000 + number,
        "node_id": node_id("PullRequest", number),
        "html_url": links["html"],
        "diff_url": f"{links['html']}.diff",
        "patch_url": f"{links['html']}.patch",
        "issue_url": issue,
        "number": number,
        "state": data["state"],
        "locked": False,
        "title": data["title"],
        "user": user(store, data["author"]),
        "body": data["body"] or None,
        "created_at": MOMENT,
        "updated_at": MOMENT,
        "closed_at": ended,
        "merged_at": ended if data["merged"] else None,
        # Before the merge this is a trial merge, and an old one at times.
        "merge_commit_sha": data["merge_sha"] or "e" * 40,
        "assignee": None,
        "assignees": [],
        "requested_reviewers": [],
        "requested_teams": [],
        "labels": [label(store, name) for name in data["labels"]],
        "milestone": None,
        "draft": data["draft"],
        "commits_url": links["commits"],
        "review_comments_url": links["review_comments"],
        "review_comment_url": links["review_comment"],
        "comments_url": links["comments"],
        "statuses_url": links["statuses"],
        "head": side(store, data["head"], data["sha"], data["head_repository"]),
        "base": side(store, data["base"], store.base_sha(data), store.repository_id),
        "_links": {name: {"href": link} for name, link in links.items()},
        "author_association": "MEMBER",
        "auto_merge": None,
        "active_lock_reason": None,
    }
    return shown if listed else {**shown, **_counted(store, data)}


def _counted(store, data):
    counts = ("review_comments", "additions", "deletions", "changed_files")
    return {
        "merged": data["merged"],
        "mergeable": None,
        "rebaseable": None,
        "mergeable_state": "unknown",
        "merged_by": user(store, data["author"]) if data["merged"] else None,
        "comments": len(store.comments_of(data["number"])),
        "maintainer_can_modify": False,
        "commits": 1,
        **dict.fromkeys(counts, 0),
    }


def comment(store, data):
    issue = f"{at(store, None)}/issues/{data['pull']}"
    page = f"{PAGES}/{store.repository}/pull/{data['pull']}#issuecomment-{data['id']}"
    return {
        "id": data["id"],
        "node_id": node_id("IssueComment", data["id"]),
        "url": f"{at(store, None)}/issues/comments/{data['id']}",
        "html_url": page,
        "issue_url": issue,
        "body": data["body"],
        "user": user(store, data["author"]),
        "created_at": MOMENT,
        "updated_at": MOMENT,
        "author_association": "MEMBER",
        "performed_via_github_app": None,
        "reactions": reactions(f"{issue}/reactions"),
    }


def reactions(place):
    kinds = ("total_count", "+1", "-1", "laugh", "hooray", "confused", "heart", "rocket", "eyes")
    return {"url": place, **dict.fromkeys(kinds, 0)}


def status(store, data):
    return {
        "url": f"{at(store, None)}/statuses/{data['sha']}",
        "avatar_url": None,
        "id": data["id"],
        "node_id": node_id("Status", data["id"]),
        "state": data["state"],
        "description": data.get("description"),
        "target_url": data.get("target_url"),
        "context": data.get("context") or "default",
        "created_at": MOMENT,
        "updated_at": MOMENT,
        "creator": user(store, data["creator"]),
    }


def combined(store, sha, statuses):
    """The newest status of every context, and what they come to."""
    newest = {item.get("context") or "default": item for item in statuses}
    shown = [status(store, item) for item in newest.values()]
    states = {item["state"] for item in shown}
    bad = "failure" if states & {"failure", "error"} else "pending"
    return {
        "state": "success" if states == {"success"} else bad,
        "statuses": [
            {key: value for key, value in item.items() if key != "creator"} for item in shown
        ],
        "sha": sha,
        "total_count": len(shown),
        "repository": repository(store),
        "commit_url": f"{at(store, None)}/commits/{sha}",
        "url": f"{at(store, None)}/commits/{sha}/status",
    }


def commit(store, sha):
    person = {"name": "Alice", "email": "alice@example.com", "date": MOMENT}
    place = f"{at(store, None)}/commits/{sha}"
    tree = {"sha": "d" * 40, "url": f"{at(store, None)}/git/trees/{'d' * 40}"}
    return {
        "url": place,
        "sha": sha,
        "node_id": node_id("Commit", sha),
        "html_url": f"{PAGES}/{store.repository}/commit/{sha}",
        "comments_url": f"{place}/comments",
        "commit": {
            "url": f"{at(store, None)}/git/commits/{sha}",
            "author": person,
            "committer": person,
            "message": "Change",
            "comment_count": 0,
            "tree": tree,
        },
        "author": {},
        "committer": {},
        "parents": [],
    }


def app(store, number=12):
    return {
        "id": number,
        "slug": store.app_slug,
        "node_id": node_id("App", number),
        "owner": owner(store, store.repository),
        "name": store.app_slug,
        "description": None,
        "external_url": f"{PAGES}/{store.app_slug}",
        "html_url": f"{PAGES}/apps/{store.app_slug}",
        "created_at": MOMENT,
        "updated_at": MOMENT,
        "permissions": {"checks": "write", "contents": "write", "metadata": "read"},
        "events": ["pull_request", "check_run"],
    }


def installation(store, number):
    place = f"{api(store)}/app/installations/{number}"
    return {
        "id": number,
        "account": owner(store, store.repository),
        "repository_selection": "selected",
        "access_tokens_url": f"{place}/access_tokens",
        "repositories_url": f"{api(store)}/installation/repositories",
        "html_url": f"{PAGES}/settings/installations/{number}",
        "app_id": 12,
        "app_slug": store.app_slug,
        "target_id": store.user_id(store.repository.partition("/")[0]),
        "target_type": "Organization",
        "permissions": dict(store.app_permissions),
        "events": list(store.app_events),
        "created_at": MOMENT,
        "updated_at": MOMENT,
        "single_file_name": None,
        "suspended_at": None,
        "suspended_by": None,
    }


def check_run(store, run):
    place = f"{at(store, None)}/check-runs/{run['id']}"
    output = run["output"]
    done = run.get("status") == "completed"
    return {
        "id": run["id"],
        "node_id": node_id("CheckRun", run["id"]),
        "name": run["name"],
        "head_sha": run["head_sha"],
        "external_id": run.get("external_id", ""),
        "url": place,
        "html_url": f"{PAGES}/{store.repository}/runs/{run['id']}",
        "details_url": run.get("details_url"),
        "status": run.get("status", "queued"),
        "conclusion": run.get("conclusion"),
        "started_at": MOMENT,
        "completed_at": MOMENT if done else None,
        "output": {
            **{key: output.get(key) for key in ("title", "summary", "text")},
            "annotations_count": len(output.get("annotations") or []),
            "annotations_url": f"{place}/annotations",
        },
        "check_suite": {"id": 5},
        "app": app(store),
        "pull_requests": [],
    }


def annotation(store, run, data):
    return {
        "blob_href": f"{at(store, None)}/contents/{data['path']}?ref={run['head_sha']}",
        **{key: data.get(key) for key in ("start_column", "end_column", "title", "raw_details")},
        **{key: data[key] for key in ("path", "start_line", "end_line", "annotation_level")},
        "message": data["message"],
    }


def deployment(store, data):
    place = f"{at(store, None)}/deployments/{data['id']}"
    return {
        "url": place,
        "id": data["id"],
        "node_id": node_id("Deployment", data["id"]),
        "sha": data["sha"],
        "ref": data["ref"],
        "task": data["task"],
        "payload": {},
        "environment": data["environment"],
        "original_environment": data["environment"],
        "description": data.get("description"),
        "creator": user(store, data["creator"]),
        "created_at": MOMENT,
        "updated_at": MOMENT,
        "statuses_url": f"{place}/statuses",
        "repository_url": at(store, None),
    }


def deployment_status(store, deployed, data):
    place = f"{at(store, None)}/deployments/{deployed['id']}"
    log = data.get("log_url", "")
    return {
        "url": f"{place}/statuses/{data['id']}",
        "id": data["id"],
        "node_id": node_id("DeploymentStatus", data["id"]),
        "state": data["state"],
        "creator": user(store, data["creator"]),
        "description": data.get("description", ""),
        "environment": deployed["environment"],
        "target_url": log,
        "log_url": log,
        "environment_url": data.get("environment_url", ""),
        "created_at": MOMENT,
        "updated_at": MOMENT,
        "deployment_url": place,
        "repository_url": at(store, None),
    }


def issue(store, data):
    """The issue that every pull request is as well."""
    whole = pull(store, data)
    place = whole["issue_url"]
    kept = ("number", "title", "user", "labels", "state", "locked", "assignee", "assignees",
            "milestone", "created_at", "updated_at", "closed_at", "author_association", "body",
            "active_lock_reason", "node_id", "html_url", "comments", "comments_url")  # fmt: skip
    return {
        **{key: whole[key] for key in kept},
        "id": 200_000 + data["number"],
        "url": place,
        "repository_url": at(store, None),
        "labels_url": f"{place}/labels{{/name}}",
        "events_url": f"{place}/events",
        "timeline_url": f"{place}/timeline",
        "reactions": reactions(f"{place}/reactions"),
        "performed_via_github_app": None,
        "state_reason": None,
        "draft": data["draft"],
        "pull_request": {
            key: whole[key] for key in ("url", "html_url", "diff_url", "patch_url", "merged_at")
        },
    }


def own_issue(store, data):
    """An issue that is no pull request: of that, everything that makes it one is gone."""
    number = store.add_pull(author=data["author"])
    whole = issue(store, store.pulls.pop(number))
    place, page = f"{at(store, None)}/issues/", f"{PAGES}/{store.repository}/issues/"
    moved = {
        key: value.replace(f"{place}{number}", f"{place}{data['number']}")
        for key, value in whole.items()
        if isinstance(value, str)
    }
    del whole["pull_request"], whole["draft"]
    kept = {key: data[key] for key in ("number", "title", "body", "state")}
    return {**whole, **{k: moved[k] for k in moved.keys() & whole.keys()}, **kept,
            "id": 300_000 + data["number"], "html_url": f"{page}{data['number']}"}  # fmt: skip
