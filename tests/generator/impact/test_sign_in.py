import pytest

from tests.generator.impact.builders import airflow_cfg, config, found

FAB = "[core]\nauth_manager = airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager\n"
SIMPLE = "[core]\nauth_manager = a.simple_auth_manager.SimpleAuthManager\n"


def python(text):
    return config({"webserver_config.py": text}, "web")


MAPPING = "AUTH_ROLES_MAPPING = {'admins': ['Admin'], 'engineers': ['%s']}\n"


@pytest.mark.parametrize(
    ("base", "head", "severity", "words"),
    [
        (airflow_cfg(FAB), airflow_cfg(SIMPLE), "warning", "FabAuthManager → SimpleAuthManager"),
        (
            airflow_cfg(SIMPLE),
            airflow_cfg(f"{SIMPLE}simple_auth_manager_all_admins = True\n"),
            "error",
            "whoever reaches Airflow is its administrator",
        ),
        (
            airflow_cfg(f"{SIMPLE}simple_auth_manager_users = bob:viewer\n"),
            airflow_cfg(f"{SIMPLE}simple_auth_manager_users = bob:admin\n"),
            "warning",
            "other users or roles",
        ),
        (
            airflow_cfg("[api]\nauth_backends = airflow.api.auth.backend.session\n"),
            airflow_cfg("[api]\nauth_backends = airflow.api.auth.backend.default\n"),
            "error",
            "requires no account",
        ),
        (python(MAPPING % "Op"), python(MAPPING % "Admin"), "warning", "engineers: Op → Admin"),
        (python("X = 1\n"), python("AUTH_ROLE_PUBLIC = 'Viewer'\n"), "error", "not signed in"),
        (
            python("AUTH_USER_REGISTRATION_ROLE = 'Public'\n"),
            python("AUTH_USER_REGISTRATION_ROLE = 'Admin'\n"),
            "error",
            "every new user has the role Admin",
        ),
        (python("AUTH_TYPE = AUTH_OAUTH\n"), python("AUTH_TYPE = AUTH_DB\n"), "warning", "AUTH_DB"),
        (airflow_cfg(""), python("AUTH_ROLE_PUBLIC = 'Admin'\n"), "error", "not signed in"),
        (python("AUTH_TYPE = 1\n"), python("no python (\n"), "warning", "cannot be seen"),
        (python("AUTH_TYPE = 1\n"), airflow_cfg(""), "warning", "no longer rendered"),
    ],
)
def test_who_may_sign_in_and_as_what_is_told(base, head, severity, words):
    (item,) = found([base], [head], "sign-in")
    assert item.severity == severity and words in item.message


@pytest.mark.parametrize(
    ("base", "head"),
    [
        (python("CLIENT = 'c4n4ry-1'\n"), python("CLIENT = 'c4n4ry-2'\n")),
        (python(MAPPING % "Op"), python("# A remark.\n" + MAPPING % "Op")),
        (airflow_cfg("[core]\nx = 1\n"), airflow_cfg(SIMPLE)),
    ],
)
def test_what_changes_nothing_of_it_is_no_finding(base, head):
    assert found([base], [head], "sign-in") == []
