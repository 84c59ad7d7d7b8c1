"""The service's own processes beside a real Gitea: people, a repository, a webhook, a cluster."""

import contextlib
import dataclasses
import json
import subprocess
import sys
import time
from pathlib import Path

from generator.actions import verify as verify_action
from tests import repositories
from tests.cluster import gitea
from tests.fakes.apiserver import FakeApiServer
from tests.loopback import free_port
from tests.service import scene
from tests.service.follow_up.test_verify import beating, healthy
from tests.standin_chart import stand_in_archive

REPOSITORY = "team/airflow"
RIGHTS = {"bot": "admin", "wanda": "write", "walter": "write", "rita": "read"}
STRANGER = "mallory"
HOOK, API = "canary-hook-secret-7f3a9c15", "canary-api-token-b82e4d60"
EVENTS = (
    "pull_request_only",
    "pull_request_sync",
    "pull_request_label",
    "pull_request_comment",
    "push",
)
"""What docs/service.md names, in the words of Gitea's API, and no more."""
REQUIRED = ("gen-env/check", "gen-env/gates")
FINAL = {"success", "failure", "error"}
STAGING = "environments/staging/environment.yaml"
PRODUCTION = "environments/production/environment.yaml"
PROMOTION = "promotion: {paths: {main: [staging, production]}, automatic: true}\n"
_INGRESS = "ingress: {host: airflow.staging.example.com, tls: {clusterIssuer: letsencrypt}}\n"
_IMAGE = "tag: 3.2.2-r1}"
ANSWERS = "### gen-env: answer to a command\n"


@dataclasses.dataclass
class Loop:
    """What a test needs of it all; `times` is how long each thing took, by its name."""

    server: gitea.Gitea
    repo: repositories.Repo
    cluster: FakeApiServer
    config: Path
    port: int
    log: Path
    environment: dict
    processes: dict = dataclasses.field(default_factory=dict)
    times: dict = dataclasses.field(default_factory=dict)

    # What people do.

    def call(self, method, path, body=None, *, user="root"):
        return self.server.call(method, f"/repos/{REPOSITORY}{path}", body, user=user)

    def branch(self, name):
        self.repo.git("fetch", "--quiet", self.address("wanda"), "main")
        self.repo.git("switch", "--quiet", "--force-create", name, "FETCH_HEAD")

    def address(self, user, repository=REPOSITORY):
        host = self.server.url.removeprefix("http://")
        return f"http://{user}:{gitea.PASSWORD}@{host}/{repository}.git"

    def commit(self, message, *, generate=True):
        if generate:
            done = self.repo.run("generate")
            assert done.code == 0, done.said
        self.repo.commit(message)

    def push(self, branch, *, user="wanda", repository=REPOSITORY, force=False):
        """Push what is checked out; the commit."""
        mark = "+" if force else ""
        place = f"{mark}HEAD:refs/heads/{branch}"
        self.repo.git("push", "--quiet", self.address(user, repository), place)
        return self.repo.git("rev-parse", "HEAD")

    def open(self, branch, *, user="wanda", fork=""):
        head = f"{fork}:{branch}" if fork else branch
        body = {"head": head, "base": "main", "title": f"Change {branch}"}
        return self.call("POST", "/pulls", body, user=user)["number"]

    def change(self, branch, *pairs, path=STAGING, generate=True):
        """A pull request of wanda's that replaces texts; its number and its head."""
        self.branch(branch)
        for old, new in pairs:
            self.repo.edit(path, old, new)
        self.commit(branch, generate=generate)
        sha = self.push(branch)
        return self.open(branch), sha

    def say(self, number, text, user):
        return self.call("POST", f"/issues/{number}/comments", {"body": text}, user=user)["id"]

    def merge(self, number, user="wanda"):
        self.call("POST", f"/pulls/{number}/merge", {"Do": "merge"}, user=user)
        return self.pull(number)["merge_commit_sha"]

    def deploy(self, environment, sha):
        """The cluster becomes what that commit promises."""
        self.repo.git("fetch", "--quiet", self.address("wanda"), "main")
        options = verify_action.Options(environment, sha, 60.0)
        found = verify_action.subject(self.repo.root, options)
        endpoint = found.expected.endpoint
        self.cluster.put(*healthy(found))
        place = (f"{endpoint.service}:{endpoint.port}", endpoint.path)
        self.cluster.services[place] = beating()

    # What Gitea tells.

    def pull(self, number):
        return self.call("GET", f"/pulls/{number}")

    def status(self, sha, context="gen-env/check"):
        """State and description of the newest of that context; nothing where there is none."""
        found = self.call("GET", f"/commits/{sha}/statuses?limit=50")
        newest = max(
            (s for s in found if s["context"] == context), key=lambda s: s["id"], default={}
        )
        assert not newest or newest["creator"]["login"] == "bot"
        return newest.get("status", ""), newest.get("description", "")

    def comments(self, number):
        """The bodies of the bot's comments: its report, and its answers to commands."""
        found = self.call("GET", f"/issues/{number}/comments")
        bodies = [item["body"] for item in found if item["user"]["login"] == "bot"]
        answers = [body.partition(ANSWERS)[2].strip() for body in bodies if ANSWERS in body]
        return [body for body in bodies if ANSWERS not in body], answers

    def wait(self, what, name, seconds=180.0):
        """Until it is so; how long that took is kept under the name."""
        began = time.monotonic()
        found = scene.wait_for(what, seconds, 0.2)
        assert found, f"{name}\n{self.log.read_text()[-6000:]}"
        self.times[name] = time.monotonic() - began
        return found

    def judged(self, number, sha, name):
        """State, description and report once the check of this head is over."""
        self.wait(lambda: self.status(sha)[0] in FINAL, name)
        reports, _ = self.comments(number)
        return (*self.status(sha), reports)

    def answered(self, number, name, part):
        """The one comment with answers, once it has that part."""

        def look():
            answers = self.comments(number)[1]
            return answers if part in "".join(answers) else None

        [answer] = self.wait(look, name)
        return answer

    def checks(self, number):
        """The service's own list of the checks of a pull request, over by now or not."""
        headers = {"Authorization": f"Bearer {API}"}
        status, data = scene.request(self.port, "GET", "/api/v1/checks?limit=200", headers=headers)
        assert status == 200, data
        runs = json.loads(data)["checks"]
        return [run for run in runs if (run["kind"], run["number"]) == ("check", number)]

    # The service.

    def start(self, role):
        self.processes[role] = scene.start(role, self.config, self.log, **self.environment)

    def doctor(self):
        words = [sys.executable, "-m", "service.cli.main", "doctor", "--config", self.config]
        environ = scene.environment(**self.environment)
        return subprocess.run(words, capture_output=True, text=True, env=environ)

    def stop(self, role):
        scene.kill(self.processes.pop(role), hard=False)


@contextlib.contextmanager
def running(folder):
    """Gitea, the service and a played cluster, with the generated repository as main."""
    with gitea.running(folder / "gitea") as server, FakeApiServer() as cluster:
        repo = _repository(folder / "work", server)
        _people(server)
        server.call("POST", "/orgs/team/repos", {"name": "airflow", "default_branch": "main"})
        for name, right in RIGHTS.items():
            place = f"/repos/{REPOSITORY}/collaborators/{name}"
            server.call("PUT", place, {"permission": right})
        config, port = _settings(folder / "service", server, cluster)
        environment = {
            "GEN_ENV_SERVICE_CHECK": "",
            "GEN_ENV_OFFLINE": "1",
            "GEN_ENV_CHART_CACHE": str(folder / "charts"),
        }
        loop = Loop(server, repo, cluster, config, port, folder / "service.log", environment)
        loop.push("main")
        _webhook(server, port)
        protection = {"rule_name": "main", "enable_status_check": True, "enable_push": False,
                      "status_check_contexts": list(REQUIRED)}  # fmt: skip
        loop.call("POST", "/branch_protections", protection)
        try:
            for role in ("web", "worker"):
                loop.start(role)
            loop.wait(scene.answers(port, "/readyz"), "the service is ready")
            yield loop
        finally:
            for role in list(loop.processes):
                loop.stop(role)


def _repository(root, server):
    address = ("https://git.example.com/airflow.git", f"{server.url}/{REPOSITORY}.git")
    settings = repositories.changed(repositories.SETTINGS, address) + PROMOTION
    digest = f'digest: "sha256:{"1b2c3d4e" * 8}"'
    staging = repositories.changed(
        repositories.STAGING, (_INGRESS, ""), (_IMAGE, f"tag: 3.2.2-r1, {digest}}}")
    )
    files = {"staging": staging, "production": repositories.PRODUCTION}
    repo = repositories.repository(root, settings=settings, **files)
    done = repo.run("generate")
    assert done.code == 0, done.said
    for name in files:
        repo.seal(name)
    done = repo.run("generate")
    assert done.code == 0, done.said
    return repo.init()


def _people(server):
    for name in (*RIGHTS, STRANGER):
        server.add_user(name)
    server.call("POST", "/orgs", {"username": "team"})


def _webhook(server, port):
    place = {"url": f"http://127.0.0.1:{port}/webhooks/gitea", "content_type": "json",
             "secret": HOOK}  # fmt: skip
    hook = {"type": "gitea", "active": True, "events": list(EVENTS), "config": place}
    server.call("POST", f"/repos/{REPOSITORY}/hooks", hook)


def _settings(folder, server, cluster):
    folder.mkdir()
    token = server.token("bot", gitea.RIGHTS)
    for name, value in (("hook", HOOK), ("token", token), ("api", API)):
        (folder / name).write_text(value + "\n")
    access = {"context": "fake", "kubeconfig": cluster.kubeconfig(folder)}
    port = free_port()
    settings = {
        "dataDir": "data",
        "listen": f"127.0.0.1:{port}",
        "pollSeconds": 0,
        "apiToken": {"file": "api"},
        "limits": {"leaseSeconds": 4, "settleSeconds": 1, "retrySeconds": 1},
        "connections": [
            {
                "name": "gitea",
                "forge": "gitea",
                "url": server.url,
                "repositories": [REPOSITORY],
                "webhookSecrets": [{"file": "hook"}],
                "token": {"file": "token"},
                "verification": {
                    "clusters": {"main": access},
                    "timeoutSeconds": 300,
                    "driftHour": 0,
                },
            }
        ],
    }
    config = folder / "settings.yaml"
    config.write_text(json.dumps(settings))
    return config, port


def archive(folder):
    """A chart cache with the stand-in chart."""
    folder.mkdir(parents=True)
    stand_in_archive(folder)
