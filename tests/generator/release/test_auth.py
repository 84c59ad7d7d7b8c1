"""The text of webserver_config.py, loaded the way Flask loads it, with stand-ins for FAB."""

import sys
import types

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.model.auth import Auth
from generator.release.v1 import webserver_config

OIDC = {"issuer": "https://id.example.com/realms/a/", "clientId": "airflow"}
LDAP = {"server": "ldap://ldap.example.com", "base": "dc=example", "bindUser": "cn=reader"}


class Remote:
    """What Authlib registers for the provider."""

    client_id = "airflow"

    def __init__(self, metadata, answer):
        self.metadata, self.answer = metadata, answer

    def load_server_metadata(self):
        return self.metadata

    def userinfo(self, token):
        return self.answer


class SecurityManager:
    """FAB's own, as far as the text uses it."""

    auth_ldap_group_field = "memberOf"

    @staticmethod
    def ldap_extract_list(attributes, field):
        return attributes.get(field, [])

    @staticmethod
    def get_roles_from_keys(groups):
        return {"Admin"} if "admins" in groups else set()

    @staticmethod
    def _ldap_calculate_user_roles(_attributes):
        return ["Viewer"]


def module(name, **content):
    made = types.ModuleType(name)
    vars(made).update(content)
    return made


@pytest.fixture(autouse=True)
def installed(monkeypatch):
    path = "airflow.providers.fab.auth_manager.security_manager.override"
    made = module(path, FabAirflowSecurityManagerOverride=SecurityManager)
    parts = path.split(".")
    for count in range(1, len(parts)):
        name = ".".join(parts[:count])
        monkeypatch.setitem(sys.modules, name, module(name))
    monkeypatch.setitem(sys.modules, path, made)
    monkeypatch.setitem(sys.modules, "flask_appbuilder", module("flask_appbuilder"))
    constants = module("flask_appbuilder.const", AUTH_OAUTH=4, AUTH_LDAP=2)
    monkeypatch.setitem(sys.modules, "flask_appbuilder.const", constants)
    monkeypatch.setitem(sys.modules, "ldap", module("ldap"))
    monkeypatch.setitem(sys.modules, "ldap.filter", module("ldap.filter"))
    monkeypatch.setenv(webserver_config.OIDC_SECRET_VARIABLE, "oidc-secret")
    monkeypatch.setenv(webserver_config.LDAP_SECRET_VARIABLE, "bind-secret")
    monkeypatch.delenv(webserver_config.LDAP_CA_VARIABLE, raising=False)


def text(ways, *, airflow_3=True):
    return webserver_config.webserver_config(Auth.model_validate(ways), airflow_3=airflow_3)


def loaded(ways):
    names = {}
    exec(compile(text(ways), "webserver_config.py", "exec"), names)
    return types.SimpleNamespace(**names)


def user(metadata=None, answer=None, claims=None, **fields):
    config = loaded({"oidc": {**OIDC, "roles": {"admins": "Admin"}, **fields}})
    manager = config.SECURITY_MANAGER_CLASS()
    manager.oauth_remotes = {"oidc": Remote(metadata or {}, answer or {})}
    known = {"sub": "1", "aud": "airflow", "preferred_username": "ada", **(claims or {})}
    return manager.get_oauth_user_info("oidc", {"userinfo": known})


def test_provider_of_the_issuer():
    (provider,) = loaded({"oidc": OIDC}).OAUTH_PROVIDERS
    remote = provider["remote_app"]
    issuer = "https://id.example.com/realms/a"
    assert remote["server_metadata_url"] == f"{issuer}/.well-known/openid-configuration"
    assert remote["client_secret"] == "oidc-secret"
    assert remote["client_kwargs"]["code_challenge_method"] == "S256"


def test_openid_is_always_asked_for_and_once():
    (provider,) = loaded({"oidc": {**OIDC, "scopes": ["email", "openid"]}}).OAUTH_PROVIDERS
    assert provider["remote_app"]["client_kwargs"]["scope"] == "openid email"


def test_roles_are_those_of_each_sign_in():
    config = loaded({"oidc": {**OIDC, "roles": {"ops": "Op"}, "defaultRole": "Viewer"}})
    assert config.AUTH_ROLES_MAPPING == {"ops": ["Op"]}
    assert config.AUTH_ROLES_SYNC_AT_LOGIN is True
    assert config.AUTH_USER_REGISTRATION is True
    assert config.AUTH_USER_REGISTRATION_ROLE == "Viewer"


def test_secrets_are_read_where_the_text_is_loaded(monkeypatch):
    for ways in ({"oidc": OIDC}, {"ldap": LDAP}):
        assert "-secret" not in text(ways).replace("client-secret", "")
    monkeypatch.delenv(webserver_config.OIDC_SECRET_VARIABLE)
    with pytest.raises(KeyError, match=webserver_config.OIDC_SECRET_VARIABLE):
        loaded({"oidc": OIDC})


def test_the_default_role_is_only_for_people_of_no_group():
    assert user(claims={"groups": ["admins"]})["first_role"] == "Admin"
    assert user(claims={"groups": ["others"]}, defaultRole="Viewer")["first_role"] == "Viewer"


@pytest.mark.parametrize(
    ("groups", "keys"),
    [("admins", ["admins"]), (["a", {"b": 1}, None, "c"], ["a", "c"]), (None, [])],
)
def test_groups_are_texts_in_a_list(groups, keys):
    assert user(claims={"groups": groups})["role_keys"] == keys


def test_claims_may_be_nested():
    claims = {"realm_access": {"roles": ["admins"]}}
    assert user(claims=claims, groupsClaim="realm_access.roles")["role_keys"] == ["admins"]


def test_a_claim_with_dots_in_its_name_comes_first():
    claims = {"https://a.b/groups": ["admins"], "https://a": {"b/groups": ["x"]}}
    assert user(claims=claims, groupsClaim="https://a.b/groups")["role_keys"] == ["admins"]


def test_missing_claims_come_from_the_userinfo_endpoint():
    endpoint = {"userinfo_endpoint": "https://id.example.com/userinfo"}
    answer = {"sub": "1", "groups": ["admins"], "preferred_username": "other"}
    found = user(endpoint, answer)
    assert found["role_keys"] == ["admins"]
    assert found["username"] == "ada"


def test_a_provider_without_that_endpoint_is_not_asked():
    assert user({}, {"sub": "1", "groups": ["admins"]})["role_keys"] == []


def test_userinfo_of_another_person_is_refused():
    endpoint = {"userinfo_endpoint": "https://id.example.com/userinfo"}
    with pytest.raises(ValueError, match="somebody else"):
        user(endpoint, {"sub": "2", "groups": ["admins"]})


@pytest.mark.parametrize("audience", ["other", ["other"], None])
def test_a_token_for_another_client_is_refused(audience):
    with pytest.raises(ValueError, match="another client"):
        user(claims={"aud": audience})


def test_one_of_several_audiences_is_enough():
    assert user(claims={"aud": ["other", "airflow"]})["username"] == "ada"


def test_an_answer_without_an_id_token_is_refused():
    with pytest.raises(ValueError, match="no ID token"):
        user(claims={"sub": ""})


def test_an_unverified_address_names_nobody():
    claims = {"email": "ada@example.com", "email_verified": False}
    assert user(claims=claims, usernameClaim="email")["username"] is None
    verified = {**claims, "email_verified": True}
    assert user(claims=verified, usernameClaim="email")["username"] == "ada@example.com"


@pytest.mark.parametrize(
    ("server", "start_tls"),
    [("ldap://a", True), ("LDAPS://a", False), ("ldaps://a:636", False)],
)
def test_the_directory_is_asked_through_tls_only(server, start_tls):
    config = loaded({"ldap": {**LDAP, "server": server}})
    assert config.AUTH_LDAP_USE_TLS is start_tls
    assert config.AUTH_LDAP_TLS_DEMAND is True
    assert config.AUTH_LDAP_ALLOW_SELF_SIGNED is False


def test_the_directory_s_own_authority_is_given_by_variable(monkeypatch):
    assert loaded({"ldap": LDAP}).AUTH_LDAP_TLS_CACERTFILE.endswith("ca-certificates.crt")
    monkeypatch.setenv(webserver_config.LDAP_CA_VARIABLE, "/ca/ca.pem")
    assert loaded({"ldap": LDAP}).AUTH_LDAP_TLS_CACERTFILE == "/ca/ca.pem"


def test_directory_search():
    config = loaded({"ldap": {**LDAP, "usernameAttribute": "sAMAccountName"}})
    assert config.AUTH_TYPE == 2
    assert config.AUTH_LDAP_SEARCH == "dc=example"
    assert config.AUTH_LDAP_BIND_USER == "cn=reader"
    assert config.AUTH_LDAP_BIND_PASSWORD == "bind-secret"
    assert config.AUTH_LDAP_UID_FIELD == "sAMAccountName"
    assert config.AUTH_LDAP_GROUP_FIELD == "memberOf"


def test_directory_groups_replace_the_default_role():
    manager = loaded({"ldap": LDAP}).SECURITY_MANAGER_CLASS()
    assert manager._ldap_calculate_user_roles({"memberOf": ["admins"]}) == ["Admin"]
    assert manager._ldap_calculate_user_roles({}) == ["Viewer"]


@given(st.text(), st.text(min_size=1))
def test_no_text_escapes_its_quotes_or_opens_a_template(value, group):
    nasty = f"{value}'\"\\\n{{{{ .Values.x }}}}}}"
    oidc = Auth().model_copy(
        update={
            "oidc": Auth.model_validate({"oidc": OIDC}).oidc.model_copy(
                update={"client_id": nasty, "groups_claim": nasty, "roles": {group: nasty}}
            )
        }
    )
    written = webserver_config.webserver_config(oidc, airflow_3=True)
    assert "{{" not in written
    names = {}
    exec(compile(written, "webserver_config.py", "exec"), names)
    assert names["OAUTH_PROVIDERS"][0]["remote_app"]["client_id"] == nasty
    assert names["GROUPS_CLAIM"] == nasty
    assert names["AUTH_ROLES_MAPPING"] == {group: [nasty]}


def test_same_input_same_text():
    first = text({"oidc": {**OIDC, "roles": {"a": "Op", "b": "User"}}})
    assert text({"oidc": {**OIDC, "roles": {"b": "User", "a": "Op"}}}) == first


@pytest.mark.parametrize("ways", [{}, {"defaultUser": {}}, {"manager": "a.b.Manager"}])
def test_other_ways_need_no_file(ways):
    assert text(ways) is None
    assert webserver_config.secret_env(Auth.model_validate(ways), "airflow") == []


def test_secrets_of_the_api_server():
    oidc, ldap = Auth.model_validate({"oidc": OIDC}), Auth.model_validate({"ldap": LDAP})
    assert webserver_config.secret_env(oidc, "rel") == [
        ("AIRFLOW_OIDC_CLIENT_SECRET", "rel-oidc", "client-secret")
    ]
    assert webserver_config.secret_env(ldap, "rel") == [
        ("AIRFLOW_LDAP_BIND_PASSWORD", "rel-ldap", "bind-password")
    ]
    named = Auth.model_validate({"oidc": {**OIDC, "secretName": "mine"}})
    assert webserver_config.secret_env(named, "rel")[0][1] == "mine"
