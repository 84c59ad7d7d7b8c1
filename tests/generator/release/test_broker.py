"""A broker outside: TLS and Sentinels, from the definition to pods, policies and seals."""

import json
from urllib.parse import urlsplit

import pytest

from generator.actions import seal
from generator.core.problem import Severity
from generator.manifests import network_policies
from generator.redaction.secret import Secret
from generator.seal import derived_values, uri
from tests.repositories import PRODUCTION, built, changed, release

SENTINELS = 'sentinel: {masterName: airflow, hosts: [s1.example.com, "s2.example.com:26380"]'
PEERS = ("    git: [{cidr", "    broker: [{cidr: 10.60.0.0/24}]\n    git: [{cidr")
PASSWORD, VARIABLE = "p@ss;/:x", "AIRFLOW__CELERY_BROKER_TRANSPORT_OPTIONS__SENTINEL_KWARGS"


def with_broker(part):
    return changed(PRODUCTION, ("{storage: 2Gi}", f"{{embedded: false, {part}}}"), PEERS)


TLS = with_broker("host: redis.example.com, tls: true")
PLAIN_SENTINELS = with_broker(SENTINELS + "}")
TLS_SENTINELS = with_broker(f"tls: true, {SENTINELS}}}")
LOCKED_SENTINELS = with_broker(f"tls: true, {SENTINELS}, password: true}}")


def config(text, section):
    return release(text).values["config"].get(section, {})


def need(made):
    return next(item for item in made.needs if "Celery broker" in item.why)


def marks(text):
    made = release(text)
    return derived_values.expected_uri_parts(made, need(made))["connection"]


def test_tls_is_verified_with_the_companys_authorities_or_the_images():
    options = config(TLS, "celery")
    assert (options["ssl_active"], options["ssl_mutual_tls"]) == ("True", "False")
    assert options["ssl_cacert"] == "/etc/ssl/certs/ca-certificates.crt"
    own = config(TLS + "ca: {configMap: company}\n", "celery")
    assert own["ssl_cacert"] == "/etc/company-ca/ca.crt"
    other = config(TLS + "ca: {configMap: company, for: [database]}\n", "celery")
    assert other["ssl_cacert"] == options["ssl_cacert"]
    assert "ssl_active" not in config(with_broker("host: redis.example.com"), "celery")


def test_sentinels_are_named_with_what_their_connections_need():
    section = "celery_broker_transport_options"
    assert config(PLAIN_SENTINELS, section) == {"master_name": "airflow"}
    kwargs = json.loads(config(TLS_SENTINELS, section)["sentinel_kwargs"])
    assert kwargs["ssl"] is True and kwargs["ssl_ca_certs"].endswith("ca-certificates.crt")
    assert "sentinel_kwargs" not in config(LOCKED_SENTINELS, section)
    made = release(LOCKED_SENTINELS)
    row = next(row for row in made.values["secret"] if row["envName"] == VARIABLE)
    assert row["secretKey"] == "sentinel-kwargs" and row["secretName"] == need(made).name
    assert need(made).key_names == ("connection", "sentinel-kwargs")
    value = derived_values.sentinel_kwargs(made, Secret(PASSWORD)).text()
    assert json.loads(value) == {**kwargs, "password": PASSWORD}


def test_a_file_of_ones_own_is_for_the_sentinels_too():
    own = "executor: CeleryExecutor, config: {celery: {ssl_cacert: /own.pem}}"
    text = changed(TLS_SENTINELS, ("executor: CeleryExecutor", own))
    assert config(text, "celery")["ssl_cacert"] == "/own.pem"
    kwargs = json.loads(config(text, "celery_broker_transport_options")["sentinel_kwargs"])
    assert kwargs["ssl_ca_certs"] == "/own.pem"


def test_the_sealed_url_is_the_one_that_is_expected_and_its_mark_knows_no_password():
    for text in (TLS, PLAIN_SENTINELS, with_broker("host: redis.example.com, port: 7000")):
        made = release(text)
        urls = [
            derived_values.broker_url(made, Secret(word), user)
            for word, user in ((PASSWORD, "default"), ("other", "airflow"))
        ]
        first, second = map(uri.fingerprint_of, urls)
        assert first == second and first in marks(text)
        assert PASSWORD not in urls[0].text() and "default" not in urls[0].text()
    assert urls[1].text() == "redis://airflow:other@redis.example.com:7000/0"


def test_the_entrypoint_of_the_image_can_read_the_first_sentinel():
    parts = urlsplit(derived_values.broker_url(release(PLAIN_SENTINELS), Secret("x")).text())
    assert (parts.scheme, parts.hostname, parts.port) == ("sentinel", "s1.example.com", 26379)


@pytest.mark.parametrize(
    ("text", "url", "right"),
    [
        (TLS, "rediss://:p@redis.example.com:6379/3", True),
        (TLS, "redis://:p@redis.example.com:6379/3", False),
        (
            PLAIN_SENTINELS,
            "sentinel://:p@S2.example.com:26380;sentinel://:p@s1.example.com/1",
            True,
        ),
        (PLAIN_SENTINELS, "sentinel://:p@s1.example.com/0", False),
        (PLAIN_SENTINELS, "sentinel://:p@s1.example.com/0;redis://s2.example.com:26380/0", False),
        (PLAIN_SENTINELS, "redis://:p@s1.example.com:26379/0", False),
        (PLAIN_SENTINELS, "sentinel://:p@s1.example.com:x/0", False),
    ],
)
def test_what_was_sealed_for_another_place_or_without_tls_is_found(text, url, right):
    assert (uri.fingerprint_of(Secret(url)) in marks(text)) is right


def test_policies_open_the_sentinels_and_the_servers():
    policies, problems = network_policies.policies(release(TLS_SENTINELS))
    assert [item.message for item in problems] == []
    ports = {
        port["port"]
        for item in policies
        for rule in item["spec"].get("egress", ())
        for entry in rule["to"]
        if entry.get("ipBlock", {}).get("cidr") == "10.60.0.0/24"
        for port in rule["ports"]
    }
    assert ports == {6379, 26379, 26380}


@pytest.mark.parametrize(
    ("part", "words"),
    [
        ("tls: true", "give the host of the external broker"),
        ("host: a, sentinel: {masterName: m, hosts: [b]}", "only one of host and sentinel"),
        ("sentinel: {masterName: m, hosts: []}", "at least one"),
        ("sentinel: {masterName: m, hosts: [a, 'a:26379']}", "once"),
        ("sentinel: {masterName: m, hosts: ['a:99999']}", "65535"),
        ("sentinel: {masterName: m, hosts: ['redis://a']}", "a host, or host:port"),
        ("sentinel: {hosts: [a]}", "masterName"),
        ("sentinel: yes", "sentinel"),
        ("host: a, tls: maybe", "true or false"),
    ],
)
def test_what_cannot_be_is_refused(part, words):
    problems = built(with_broker(part)).problems
    messages = [
        f"{item.message} {item.hint}" for item in problems if item.severity is Severity.ERROR
    ]
    assert messages and words in messages[0]


@pytest.mark.parametrize("part", ["tls: true", "sentinel: {masterName: m, hosts: [a]}"])
def test_the_charts_own_redis_has_neither(part):
    (problem,) = built(changed(PRODUCTION, ("{storage: 2Gi}", f"{{{part}}}"))).problems
    assert "add embedded: false" in problem.message


def test_sealing_asks_for_the_password_of_the_servers_and_of_the_sentinels():
    made, prompts = release(LOCKED_SENTINELS), []

    def ask(prompt):
        prompts.append(prompt)
        return Secret(f"p{len(prompts)}")

    held = need(made)
    found = seal._from_user(made, held, "airflow", ask, frozenset(held.key_names))
    assert prompts == ["password of airflow", "password of the Sentinels"]
    assert found["connection"].text().startswith("sentinel://airflow:p1@s1.example.com:26379/0;")
    assert json.loads(found["sentinel-kwargs"].text())["password"] == "p2"


def connection(text, key="connection"):
    made = release(text)
    found = derived_values.expected_connections(made, need(made))
    return next(item for item in found if item.key == key)


def test_where_a_broker_outside_leads_is_known_without_its_password_and_database():
    item = connection(TLS)
    assert item.host == item.server == "redis.example.com:6379"
    assert connection(TLS_SENTINELS).host == "s1.example.com, s2.example.com:26380"
    sealed = uri.fingerprint_of(Secret("rediss://:p@redis.example.com:6379/7"))
    assert sealed in item.others and sealed != item.mark
    plain = connection(with_broker("host: redis.example.com"))
    assert plain.content != item.content and item.others < plain.others


def test_what_is_sealed_for_the_sentinels_is_compared_by_its_tls():
    key = "sentinel-kwargs"
    marks = {}
    for name, text in {
        "plain": with_broker(f"{SENTINELS}, password: true}}"),
        "tls": LOCKED_SENTINELS,
        "own": LOCKED_SENTINELS + "ca: {configMap: company}\n",
    }.items():
        made = release(text)
        value = derived_values.sentinel_kwargs(made, Secret(PASSWORD))
        marks[name] = uri.sentinel_kwargs_fingerprint(value)
        assert derived_values.expected_uri_parts(made, need(made))[key] == {marks[name]}
        assert connection(text, key).mark == marks[name]
    assert len(set(marks.values())) == len(marks)
    more = Secret('{"password": "other", "socket_timeout": 3}')
    assert uri.sentinel_kwargs_fingerprint(more) == marks["plain"]
    assert uri.sentinel_kwargs_fingerprint(Secret('{"ssl": true}')) == marks["tls"]
    assert uri.sentinel_kwargs_fingerprint(Secret("not JSON")) is None
    assert uri.sentinel_kwargs_fingerprint(Secret("[1]")) is None
