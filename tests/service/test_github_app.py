import json
import re
from html.parser import HTMLParser

import pytest
from click.testing import CliRunner

from generator.forge.credentials import App
from generator.forge.github_app import EVENTS, PERMISSIONS
from generator.forge.port import Check, CheckState, DeploymentState, ForgeKind
from service.cli import main as cli
from service.webhook import github
from service.webhook.event import Ignored
from tests.fakes.forge import SHA
from tests.generator.forge.forges import app_key, setting, with_app
from tools import forge_published

# docs.github.com, "Permissions required for GitHub Apps"; reading needs no more than writing has.
NEEDED = {
    r"/repos/[^/]+/[^/]+/pulls": "pull_requests",
    r"/repos/[^/]+/[^/]+/issues": "issues",
    r"/repos/[^/]+/[^/]+/statuses/": "statuses",
    r"/repos/[^/]+/[^/]+/commits/\w+/status": "statuses",
    r"/repos/[^/]+/[^/]+/(commits/\w+/)?check-runs": "checks",
    r"/repos/[^/]+/[^/]+/deployments": "deployments",
    r"/repos/[^/]+/[^/]+/collaborators/": "metadata",
    r"/repos/[^/]+/[^/]+/commits/\w+/pulls": "contents",
}


def run(*arguments):
    return CliRunner().invoke(cli.main, ("github-app-manifest", *arguments))


@pytest.fixture
def world():
    with setting() as made:
        with_app(made)
        yield made


def use_everything(port, number):
    """Every verb of the port, those that write included."""
    port.list_open_prs()
    port.ensure_pr("feature", "main", "title", "text")
    port.prs_of_commit(SHA)
    port.set_status(SHA, "gen-env/gates", CheckState.SUCCESS, "open")
    port.read_statuses(SHA)
    port.report_check(SHA, Check("gen-env/check", CheckState.SUCCESS, "fine"))
    port.upsert_comment(number, "<!-- m -->", "text")
    port.keep_issue("<!-- d -->", "drift", "text")
    port.close_issue("<!-- d -->")
    port.report_deployment("dev", SHA, DeploymentState.SUCCESS, "fine")
    port.read_deployments("dev", SHA)
    port.can_write("alice")


def test_the_permissions_are_those_of_the_requests_that_are_made(world):
    number = world.store.add_pull()
    use_everything(world.port(ForgeKind.GITHUB, App("12", app_key())), number)
    used = {}
    for seen in world.store.seen:
        path = seen.path.removeprefix("/api/v3")
        if path.startswith("/repos/") and not path.endswith("/installation"):
            [name] = {name for form, name in NEEDED.items() if re.match(form, path)}
            used[name] = "write" if seen.method != "GET" else used.get(name, "read")
    # Git pushes trees; merge groups are an event that this permission alone brings.
    used |= {"contents": "write", "merge_queues": "read"}
    assert used == PERMISSIONS


def test_the_events_are_those_that_are_read():
    def is_read(name):
        found = github.event(name, {})
        return not (isinstance(found, Ignored) and found.why.startswith(f"{name} is ignored"))

    assert all(map(is_read, EVENTS))
    published = set(forge_published.octokit() or ()) - {"ping"}
    assert {name for name in published if is_read(name)} <= set(EVENTS)


def test_the_installation_is_held_against_the_same_permissions(world):
    from generator.forge import github_app
    from generator.forge.transport import Transport

    def connect(authorize):
        return Transport(f"{world.url}/api/v3", authorize, sleep=world.clock.sleep)

    repository = world.store.repository
    place = github_app.Installation(App("12", app_key()), repository, connect, world.clock)
    assert place.missing() == []
    world.store.app_permissions = {**PERMISSIONS, "statuses": "read", "metadata": "write"}
    del world.store.app_permissions["merge_queues"]
    world.store.app_events = [name for name in EVENTS if name != "merge_group"]
    assert place.missing() == ["merge_queues: read", "statuses: write", "event merge_group"]


def test_the_manifest_names_the_service_and_keeps_the_code_from_every_server():
    found = json.loads(run("https://gen-env.example.com/", "--connection", "main").output)
    assert found["hook_attributes"]["url"] == "https://gen-env.example.com/webhooks/main"
    assert found["default_permissions"] == PERMISSIONS
    assert found["redirect_url"].startswith("http://127.0.0.1:1/") and not found["public"]
    for address in ("http://gen-env.example.com", "gen-env", "https://a:b@c", "https://"):
        assert "invalid address" in str(run(address).exception)


def test_the_page_gives_github_the_manifest_whatever_the_name():
    class Values(HTMLParser):
        def handle_starttag(self, tag, attrs):
            seen.update({f"{tag} {key}": value for key, value in attrs})

    seen = {}
    name = """x"><script>'"""
    options = ("--form", "--organization", "acme", "--name", name)
    Values().feed(run("https://gen-env.example.com", *options).output)
    assert seen["form action"] == "https://github.com/organizations/acme/settings/apps/new"
    assert json.loads(seen["input value"])["name"] == name
    assert not [key for key in seen if key.startswith("script")]
