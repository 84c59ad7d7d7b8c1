import re

import pytest
from click.testing import CliRunner

from service.cli import main as cli
from service.store import tables, tokens
from tests.service import scene
from tests.service.test_api import BEARER, BODY, kill_run, without_token
from tests.service.webapp import application, deliver

PATH = "/api/v1/checks"


@pytest.fixture
def served(tmp_path):
    """The application as it is without `apiToken`, and the command beside it."""
    with application(tmp_path, edit=without_token) as (client, here):
        deliver(client, BODY)

        def command(*arguments):
            config = ("--config", str(tmp_path / "settings.yaml"))
            return CliRunner().invoke(cli.main, ("token", *arguments, *config))

        yield client, here, command


def bearer(text):
    return {"Authorization": f"Bearer {text.strip()}"}


def test_a_token_by_name_opens_the_api_and_is_nowhere_in_the_database(served):
    client, here, command = served
    assert "token create" in client.get(PATH, headers=bearer("x")).json["error"]
    made = command("create", "ci", "--days", "30")
    text = made.stdout.strip()
    assert re.fullmatch(r"genenv_[\w-]{43}", text) and "'ci', viewer, until" in made.stderr
    assert client.get(PATH, headers=bearer(text)).status_code == 200
    assert client.get("/", auth=("any", text)).status_code == 200
    assert client.get("/").status_code == 401  # loopback is not open any more
    with here.engine.connect() as connection:
        [row] = connection.execute(tables.token.select())
    assert text not in repr(row) and text not in command("list").output
    assert "already exists" in str(command("create", "ci").exception)
    assert "invalid name" in str(command("create", "Ci x").exception)


def test_who_reads_cannot_change_and_the_audit_names_the_token_of_who_did(served):
    client, here, command = served
    viewer, operator = (
        bearer(command("create", role, "--role", role).stdout) for role in ("viewer", "operator")
    )
    retry = f"{PATH}/{kill_run(here).id}/retry"
    refused = client.post(retry, headers=viewer)
    assert refused.status_code == 403 and "'viewer' is a viewer's" in refused.json["error"]
    page = client.post(retry.removeprefix("/api/v1").replace("checks", "runs"), headers=viewer)
    assert page.status_code == 403
    assert client.post(retry, headers=operator).status_code == 202
    audit = re.sub(r"<[^>]+>", " ", client.get("/audit", headers=viewer).text)
    assert "token operator retry check" in " ".join(audit.split())


def test_an_expired_and_a_revoked_token_are_refused_with_the_reason(served):
    client, here, command = served
    with here.engine.begin() as connection:
        old = tokens.create(connection, "old", tokens.Role.OPERATOR, 1.0, here.clock())
    text = command("create", "gone").stdout
    assert "revoked" in command("revoke", "gone").output
    assert "before" in command("revoke", "gone").output
    assert "not found" in str(command("revoke", "none").exception)
    for given, reason in ((old, "token 'old' has expired"), (text, "token 'gone' was revoked")):
        answer = client.get(PATH, headers=bearer(given))
        assert (answer.status_code, answer.json["error"]) == (401, reason)
        assert reason in client.get("/", auth=("any", given.strip())).text.replace("&#39;", "'")
    listed = command("list").stdout.splitlines()
    assert [line.split()[:2] for line in listed[:2]] == [["gone", "viewer"], ["old", "operator"]]
    assert "was revoked" in listed[0] and "has expired" in listed[1]
    settings = str(here.settings.data_dir.parent / "settings.yaml")
    assert "expired: 'old'" in CliRunner().invoke(cli.main, ("doctor", "--config", settings)).output


def test_the_token_of_the_settings_is_an_operators_beside_those_by_name(tmp_path):
    with application(tmp_path) as (client, here):
        deliver(client, BODY)
        with here.engine.begin() as connection:
            tokens.create(connection, "other", tokens.Role.VIEWER, 1.0, 2.0)
        retry = f"{PATH}/{kill_run(here).id}/retry"
        assert client.post(retry, headers=BEARER).status_code == 202
        assert "apiToken" in client.get("/audit", headers=BEARER).text


@pytest.mark.thorough
def test_tokens_work_on_postgresql(postgresql):
    engine = tables.engine(postgresql)
    tables.migrate(engine)
    with engine.begin() as connection:
        text = tokens.create(connection, "ci", tokens.Role.VIEWER, 1.0, 2.0)
        assert tokens.find(connection, text).name == "ci"
        assert tokens.find(connection, f"{text}x") is None
        assert tokens.revoke(connection, "ci", 1.5) and not tokens.revoke(connection, "ci", 1.6)
    engine.dispose()


def test_what_is_no_token_opens_nothing(served):
    client, _, command = served
    command("create", "ci")
    for given in ("", scene.API, "genenv_", "é"):
        assert client.get(PATH, headers=bearer(given)).status_code == 401
