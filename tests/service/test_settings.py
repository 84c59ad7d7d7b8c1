import json

import pytest

from generator.core.errors import UserError
from service.settings.forges import installation, opener
from service.settings.resolve import load
from tests.service import scene


@pytest.fixture
def written(tmp_path):
    """A sound file; call with a change to have it written."""

    def write(change=lambda settings: None):
        path = scene.write_settings(tmp_path, "https://git.example.com", 8080)
        settings = json.loads(path.read_text())
        change(settings)
        path.write_text(json.dumps(settings))
        return path

    return write


def fault(path, environment=None):
    with pytest.raises(UserError) as caught:
        load(path, environment or {})
    return caught.value.message


def test_a_sound_file_is_resolved(written, tmp_path):
    settings = load(written(), {})
    [connection] = settings.connections
    assert connection.webhook_secrets[0].text() == scene.SECRET
    assert settings.database_url.text() == f"sqlite:///{tmp_path}/data/service.sqlite"
    assert settings.database_url.text().startswith("sqlite:///")
    assert connection.repository("TEAM/one") == "team/one"
    assert connection.repository("team/three") is None
    assert connection.location("team/one").api_url == "https://git.example.com/api/v1"


def test_no_secret_shows_itself(written):
    shown = repr(load(written(), {}))
    for canary in (scene.SECRET, scene.TOKEN, scene.API):
        assert canary not in shown


def test_the_environment_wins_over_the_file(written):
    password = "postgresql://u:a-password@db.example.com/x"
    given = {
        "GEN_ENV_SERVICE_DATABASE_URL": password,
        "GEN_ENV_SERVICE_LISTEN": "0.0.0.0:99",
        "GEN_ENV_SERVICE_PUBLIC_URL": "https://checks.example.com/",
    }
    settings = load(written(), given)
    assert settings.listen == "0.0.0.0:99"
    assert settings.report_url("x") == "https://checks.example.com/reports/x"
    assert settings.database_url.text() == password and "a-password" not in repr(settings)


def test_several_secrets_may_be_set_for_a_rotation(written):
    def second(settings):
        settings["connections"][0]["webhookSecrets"].append({"env": "NEW"})

    settings = load(written(second), {"NEW": "another secret of decent length"})
    assert len(settings.connections[0].webhook_secrets) == 2


def test_every_fault_of_the_shape_is_told_at_once(written):
    def spoil(settings):
        settings["listen"] = "here"
        settings["pollSeconds"] = -1
        settings["odd"] = 1
        settings["connections"][0]["repositories"] = ["nonsense"]
        settings["connections"][0]["url"] = "http://git.example.com"

    message = fault(written(spoil))
    assert "5 faults" in message
    for word in ("listen", "pollSeconds", "odd", "repositories", "connections[0].url"):
        assert word in message


def test_a_misspelt_setting_is_told_with_its_line_and_the_one_that_is_meant(tmp_path):
    path = tmp_path / "settings.yaml"
    path.write_text(
        "polSeconds: 5\nlimits: {concurency: 2}\nconnections:\n  - name: forge\n"
        "    forge: git\n    webhookSecret: [{file: hook}]\n    repositories: []\n"
        "    verification: {clusters: {main: {contxt: hub}}}\n"
    )
    message = fault(path)
    for words in (
        "line 1: unknown setting polSeconds; did you mean pollSeconds?",
        "line 2: unknown setting limits.concurency; did you mean concurrency?",
        "line 5: connections[0].forge: it must be 'github', 'gitlab', 'gitea' or 'forgejo'",
        "line 6: unknown setting connections[0].webhookSecret; did you mean webhookSecrets?",
        "line 7: connections[0].repositories: give at least one",
        "unknown setting connections[0].verification.clusters.main.contxt; did you mean context?",
    ):
        assert words in message
    assert "Input" not in message and "Extra" not in message


def test_a_value_of_another_kind_is_told_in_words_of_the_file(tmp_path):
    path = tmp_path / "settings.yaml"
    path.write_text(
        "dataDir:\nlimits: 5\npollSeconds: 10m\nproxy: {viewers: all}\napiToken: canary\n"
        "connections:\n  - name: 5\n    app: {id: 5, key: canary}\n  -\n"
    )
    message = fault(path)
    for words in (
        "line 1: dataDir: it must be a path\n",
        "line 2: limits: it must be a mapping\n",
        "line 3: pollSeconds: it must be a number without a unit\n",
        "line 4: proxy.viewers: it must be a list\n",
        "line 5: apiToken: write {file: PATH} or {env: NAME}, never the secret itself\n",
        "line 7: connections[0].name: it must be text; put a number in quotes\n",
        "line 8: connections[0].app.key: write {file: PATH} or",
        "line 9: connections[1]: it must be a mapping",
    ):
        assert words in message
    assert "canary" not in message and "instance" not in message


def test_a_fault_of_a_variable_is_not_told_of_the_file(written):
    path = written(lambda settings: settings.update(listen="127.0.0.1:80"))
    message = fault(path, {"GEN_ENV_SERVICE_LISTEN": "here", "GEN_ENV_SERVICE_API_TOKEN": "canary"})
    assert "\n  listen: write host:port (it comes from GEN_ENV_SERVICE_LISTEN)" in message
    assert "(it comes from GEN_ENV_SERVICE_API_TOKEN)" in message
    assert "line" not in message and "canary" not in message


def test_every_secret_that_cannot_be_had_is_told_at_once(written, tmp_path):
    def spoil(settings):
        settings["apiToken"] = {"env": "NOT_SET"}
        settings["connections"][0]["token"] = {"file": "nowhere"}
        settings["connections"][0]["webhookSecrets"] = [{"file": "short"}]

    (tmp_path / "short").write_text("canary")
    message = fault(written(spoil))
    assert "3 faults" in message and "canary" not in message
    for word in ("NOT_SET", "nowhere", "webhookSecrets[0]: shorter than 16 bytes"):
        assert word in message


def test_a_secret_in_the_wrong_place_is_not_quoted(written):
    def spoil(settings):
        settings["apiToken"] = "canary-in-the-open"
        settings["connections"][0]["token"] = {"value": "canary-in-the-open"}

    assert "canary" not in fault(written(spoil))


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"token": {"file": "token"}, "app": {"id": "1", "key": {"file": "token"}}}, "not both"),
        ({"token": None, "app": {"id": "1", "key": {"file": "token"}}}, "GitHub's"),
        ({"url": ""}, "url"),
        ({"name": "Odd Name"}, "lower-case"),
        ({"repositories": ["a/b", "A/B"]}, "twice"),
        ({"token": {"file": "token", "env": "X"}}, "either"),
    ],
)
def test_what_does_not_go_together_is_refused(written, change, word):
    assert word in fault(written(lambda settings: settings["connections"][0].update(change)))


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"url": "https://"}, "write https://HOST"),
        ({"url": "https://h:99999"}, "write https://HOST"),
        ({"url": "https://[::1"}, "write https://HOST"),
        ({"url": "https://h?x=1"}, "host and path alone"),
        ({"branch": ""}, "short name"),
        ({"branch": "--upload-pack=x"}, "short name"),
        ({"token": {"file": "a\0b"}}, "control character"),
        ({"token": {"file": "~nobody-of-this-name/x"}}, "cannot read"),
    ],
)
def test_what_cannot_be_an_address_a_branch_or_a_path_is_told_at_once(written, change, word):
    assert word in fault(written(lambda settings: settings["connections"][0].update(change)))


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"publicUrl": "https://"}, "write https://HOST"),
        ({"publicUrl": "https://x/<b>"}, "host and path alone"),
        ({"listen": "127.0.0.1:0"}, "host:port"),
        ({"limits": {"retrySeconds": 1e9}}, "less than or equal"),
        ({"limits": {"reportDays": 10**22}}, "less than or equal"),
        ({"limits": {"leaseSeconds": 1e-9}}, "greater than or equal"),
        ({"proxy": {"addresses": ["10.0.0.7/8"]}}, "10.0.0.0/8"),
        ({"proxy": {"addresses": ["10.0.0.7"], "userHeader": ""}}, "letters, digits and hyphens"),
        ({"proxy": {"addresses": ["10.0.0.7"], "userHeader": "G", "groupsHeader": "g"}}, "same"),
        ({"proxy": {"addresses": ["10.0.0.7"], "operators": ["a,b"]}}, "comma"),
    ],
)
def test_values_that_would_fail_or_mean_nothing_later_are_told_at_once(written, change, word):
    assert word in fault(written(lambda settings: settings.update(change)))


def test_a_forge_inside_the_cluster_is_spoken_to_without_tls_where_its_host_is_named(written):
    inside = {"url": "http://gitea.gitea:3000", "plainHttp": ["gitea.gitea:3000"]}
    settings = load(written(lambda found: found["connections"][0].update(inside)), {})
    [connection] = settings.connections
    assert connection.allow_http
    opener()(connection, "team/one")  # no refusal of the address
    for other in (["gitea.gitea:3001"], ["gitea"], []):
        spoilt = {**inside, "plainHttp": other}
        message = fault(written(lambda found, to=spoilt: found["connections"][0].update(to)))
        assert "hosts in plainHttp" in message


@pytest.mark.parametrize("key", ["url", "apiUrl"])
@pytest.mark.parametrize(
    ("address", "word"),
    [
        ("https://bot:canary@git.example.com", "remove the credentials"),
        ("http://127.0.0.1:3000@git.example.com", "remove the credentials"),
        ("http://localhost.example.com", "http:// only on loopback"),
        ("http://127.0.0.1.example.com", "http:// only on loopback"),
    ],
)
def test_a_token_has_no_place_in_an_address_and_goes_over_https(written, key, address, word):
    message = fault(written(lambda settings: settings["connections"][0].update({key: address})))
    assert word in message and "canary" not in message


def test_without_a_file_the_way_is_told():
    with pytest.raises(UserError) as caught:
        load(None, {})
    assert "GEN_ENV_SERVICE_CONFIG" in caught.value.hint


def test_an_app_beside_verification_is_one_installation_for_each_repository(written, tmp_path):
    def change(settings):
        connection = settings["connections"][0]
        del connection["token"]
        connection |= {
            "forge": "github",
            "app": {"id": "1", "key": {"file": "token"}},
            "verification": {"clusters": {"main": {"inCluster": True}}},
        }

    path = written(change)
    [first], [second] = load(path, {}).connections, load(path, {}).connections
    found = installation(first, first.credentials, "team/one")
    assert installation(second, second.credentials, "team/one") is found
    assert installation(first, first.credentials, "team/two") is not found
