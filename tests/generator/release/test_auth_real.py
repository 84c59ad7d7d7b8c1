"""Sign-in at a real Airflow, through a real redirect flow or a real directory.

Runs where GEN_ENV_AIRFLOW_PYTHON names an interpreter with Airflow, the FAB provider and Authlib
(LDAP: python-ldap too, and slapd on this machine).
"""

import os
import re
import shutil
import urllib.parse
from pathlib import Path

import pytest
import requests

from generator.model.auth import Auth
from generator.release.v1 import webserver_config
from tests.fakes import oidc_provider
from tests.generator.release import authority, directory
from tests.generator.release.airflow_server import Airflow

PYTHON = os.environ.get("GEN_ENV_AIRFLOW_PYTHON", "")
pytestmark = [
    pytest.mark.nightly,
    pytest.mark.skipif(
        not PYTHON, reason="set GEN_ENV_AIRFLOW_PYTHON to an interpreter with Airflow and its FAB"
    ),
]


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    return authority.write(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def provider(certificates):
    _, certificate, key = certificates
    with oidc_provider.serve(certificate, key) as running:
        yield running


def started(home, ways, secrets):
    definition = Auth.model_validate(ways)
    airflow = Airflow(PYTHON, home, secrets)
    airflow.configure(webserver_config.webserver_config(definition, airflow_3=airflow.airflow_3))
    return airflow.serve()


@pytest.fixture(scope="module")
def oidc(provider, certificates, tmp_path_factory):
    secrets = {
        webserver_config.OIDC_SECRET_VARIABLE: oidc_provider.SECRET,
        "REQUESTS_CA_BUNDLE": str(certificates[0]),
    }
    ways = {
        "issuer": provider.issuer,
        "clientId": oidc_provider.CLIENT,
        "roles": {"admins {{of}} 'ours'": "Admin", "operators": "Op"},
        "defaultRole": "Viewer",
    }
    with started(tmp_path_factory.mktemp("oidc"), {"oidc": ways}, secrets) as airflow:
        yield airflow


@pytest.fixture
def flow(oidc, provider, certificates):
    """Signs in like a browser; `change` may spoil the address the provider sends people back to."""
    provider.userinfo, provider.tamper = {}, {}

    def sign_in(person, change=lambda address: address):
        provider.person = person
        browser = requests.Session()
        prefix = "/auth" if oidc.airflow_3 else ""
        start = browser.get(
            f"{oidc.url}{prefix}/login/{webserver_config.PROVIDER}",
            timeout=30,
            allow_redirects=False,
        )
        assert start.headers["Location"].startswith(f"{provider.issuer}/authorize"), start.text
        back = browser.get(
            start.headers["Location"],
            timeout=30,
            allow_redirects=False,
            verify=str(certificates[0]),
        )
        browser.get(change(back.headers["Location"]), timeout=30)
        return browser

    return sign_in


def person(name, *groups):
    return {
        "sub": f"id-{name}",
        "preferred_username": name,
        "email": f"{name}@example.com",
        "given_name": name.title(),
        "family_name": "Example",
        **({"groups": list(groups)} if groups else {}),
    }


def test_a_group_gives_its_role_and_nothing_else(oidc, flow):
    browser = flow(person("ada", "staff", "admins {{of}} 'ours'"))
    assert oidc.roles("ada") == ["Admin"]
    assert oidc.signed_in(browser)


def test_no_group_gives_the_default_role(oidc, flow):
    browser = flow(person("bob", "staff"))
    assert oidc.roles("bob") == ["Viewer"]
    assert oidc.signed_in(browser)


def test_no_groups_claim_at_all_gives_the_default_role(oidc, flow):
    flow(person("carl"))
    assert oidc.roles("carl") == ["Viewer"]


def test_roles_follow_the_groups_at_the_next_sign_in(oidc, flow):
    flow(person("dora", "operators"))
    assert oidc.roles("dora") == ["Op"]
    flow(person("dora"))
    assert oidc.roles("dora") == ["Viewer"]


def test_groups_may_come_from_the_userinfo_endpoint(oidc, flow, provider):
    provider.userinfo = {"groups": ["operators"]}
    flow(person("erin"))
    assert oidc.roles("erin") == ["Op"]


def test_userinfo_of_somebody_else_is_refused(oidc, flow, provider):
    provider.userinfo = {"sub": "id-mallory", "groups": ["operators"]}
    assert not oidc.signed_in(flow(person("fred")))
    assert oidc.roles("fred") is None


def test_a_foreign_state_is_refused(oidc, flow):
    def foreign(address):
        return re.sub(r"state=[^&]*", "state=eyJhbGciOiJIUzI1NiJ9.e30.x", address)

    assert not oidc.signed_in(flow(person("gina", "operators"), foreign))
    assert oidc.roles("gina") is None


@pytest.mark.parametrize(
    "tamper",
    [
        {"aud": "another-client"},
        {"aud": "another-client", "azp": oidc_provider.CLIENT},
        {"iss": "https://evil.example.com"},
        {"nonce": "replayed"},
        {"exp": 1_000_000_000},
    ],
    ids=" ".join,
)
def test_a_token_that_is_not_ours_is_refused(oidc, flow, provider, tamper):
    provider.tamper = tamper
    assert not oidc.signed_in(flow(person("hank", "operators")))
    assert oidc.roles("hank") is None


def test_somebody_without_a_name_is_refused(oidc, flow):
    nameless = {**person("ivy", "operators"), "preferred_username": None}
    assert not oidc.signed_in(flow(nameless))


def test_behind_a_tls_proxy_people_are_sent_back_to_https(oidc):
    below, provider = "/auth" if oidc.airflow_3 else "", webserver_config.PROVIDER
    path = f"{below}/login/{provider}"
    forwarded = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "airflow.example.com"}
    answer = requests.get(
        oidc.url + path, headers=forwarded, timeout=30, allow_redirects=False
    ).headers["Location"]
    (target,) = urllib.parse.parse_qs(urllib.parse.urlsplit(answer).query)["redirect_uri"]
    assert target == f"https://airflow.example.com{below}/oauth-authorized/{provider}"


@pytest.fixture(scope="module")
def people(certificates, tmp_path_factory):
    slapd = shutil.which("slapd", path=f"{os.environ['PATH']}:/usr/sbin")
    if slapd is None or not Path("/usr/lib/ldap/memberof.la").exists():
        pytest.skip("install Debian's slapd to try LDAP")
    folder = tmp_path_factory.mktemp("slapd")
    with directory.serve(slapd, folder, *certificates) as addresses:
        yield addresses


@pytest.fixture(scope="module", params=["StartTLS", "TLS"])
def ldap(request, people, certificates, tmp_path_factory):
    secrets = {
        webserver_config.LDAP_SECRET_VARIABLE: directory.BIND_PASSWORD,
        webserver_config.LDAP_CA_VARIABLE: str(certificates[0]),
    }
    ways = {
        "server": people[request.param == "TLS"],
        "base": f"ou=people,{directory.BASE}",
        "bindUser": directory.BIND_USER,
        "roles": {directory.ADMINS: "Admin"},
        "defaultRole": "Viewer",
    }
    with started(tmp_path_factory.mktemp("ldap"), {"ldap": ways}, secrets) as airflow:
        yield airflow


def enter(airflow, username, password):
    browser = requests.Session()
    page = f"{airflow.url}{'/auth' if airflow.airflow_3 else ''}/login/"
    form = browser.get(page, timeout=30).text
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', form)
    entries = {"username": username, "password": password, "csrf_token": token.group(1)}
    browser.post(page, data=entries, timeout=30)
    return browser


def test_a_group_of_the_directory_gives_its_role(ldap):
    assert ldap.signed_in(enter(ldap, "ada", "analytical"))
    assert ldap.roles("ada") == ["Admin"]


def test_nobody_of_these_groups_gets_the_default_role(ldap):
    assert ldap.signed_in(enter(ldap, "bob", "builder"))
    assert ldap.roles("bob") == ["Viewer"]


def test_a_wrong_password_is_refused(ldap):
    assert not ldap.signed_in(enter(ldap, "ada", "wrong"))
