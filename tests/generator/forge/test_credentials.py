import pytest

from generator.core.errors import UserError
from generator.forge.credentials import App, Token, from_environment
from generator.forge.port import ForgeKind
from generator.redaction.secret import Secret


def test_the_own_variable_comes_before_the_forges():
    environment = {"GITHUB_TOKEN": "theirs-1", "GEN_ENV_FORGE_TOKEN": "ours-1"}
    assert from_environment(environment, ForgeKind.GITHUB) == Token(Secret("ours-1"))
    del environment["GEN_ENV_FORGE_TOKEN"]
    assert from_environment(environment, ForgeKind.GITHUB) == Token(Secret("theirs-1"))


def test_another_forges_token_is_not_taken():
    with pytest.raises(UserError, match="no token for gitlab") as caught:
        from_environment({"GITHUB_TOKEN": "canary"}, ForgeKind.GITLAB)
    assert "GITLAB_TOKEN" in caught.value.hint


def test_an_app_is_read_with_its_key(tmp_path):
    key = tmp_path / "app.pem"
    key.write_text("PEM")
    environment = {
        "GEN_ENV_GITHUB_APP_ID": "12",
        "GEN_ENV_GITHUB_APP_KEY_FILE": str(key),
        "GITHUB_TOKEN": "token",
    }
    assert from_environment(environment, ForgeKind.GITHUB) == App("12", Secret("PEM"))
    environment["GEN_ENV_GITHUB_INSTALLATION_ID"] = "34"
    found = from_environment(environment, ForgeKind.GITHUB)
    assert isinstance(found, App)
    assert found.installation_id == "34"
    with pytest.raises(UserError):
        from_environment({"GEN_ENV_GITHUB_APP_ID": "12"}, ForgeKind.GITLAB)


def test_an_app_without_its_key_is_incomplete(tmp_path):
    with pytest.raises(UserError, match="APP_KEY_FILE is not"):
        from_environment({"GEN_ENV_GITHUB_APP_ID": "12"}, ForgeKind.GITHUB)
    environment = {
        "GEN_ENV_GITHUB_APP_ID": "12",
        "GEN_ENV_GITHUB_APP_KEY_FILE": str(tmp_path / "none.pem"),
    }
    with pytest.raises(UserError, match="cannot read the App's private key"):
        from_environment(environment, ForgeKind.GITHUB)


@pytest.mark.parametrize("value", ["canary token", "canary\r\nX: y", "grün-canary"])
def test_what_cannot_be_a_token_is_refused_and_not_quoted(value):
    with pytest.raises(UserError, match="not contain a valid token") as caught:
        from_environment({"GITLAB_TOKEN": value}, ForgeKind.GITLAB)
    assert "canary" not in f"{caught.value.message}{caught.value.hint}"


def test_credentials_do_not_show_themselves():
    assert "canary" not in repr(Token(Secret("canary")))
    assert "canary" not in repr(App("12", Secret("canary")))
