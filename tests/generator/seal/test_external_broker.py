"""A broker's URI that was sealed for another place than the definition has."""

import pytest

from generator.redaction.secret import Secret
from generator.seal import derived_values, pgbouncer, uri
from tests.repositories import PRODUCTION, changed, release

EXTERNAL = changed(PRODUCTION, ("{storage: 2Gi}", "{embedded: false, host: redis.example.com}"))


def accepted(text, url):
    made = release(text)
    (need,) = [need for need in made.needs if need.why == "Celery broker"]
    marks = derived_values.expected_uri_parts(made, need)
    return uri.fingerprint_of(Secret(url)) in marks["connection"]


@pytest.mark.parametrize(
    ("url", "right"),
    [
        ("redis://:p@redis.example.com:6379/0", True),
        ("rediss://u:p@REDIS.example.com/3", True),
        ("rediss://u:p@redis.example.com", True),
        ("redis://:p@redis2.example.com:6379/0", False),
        ("redis://:p@redis.example.com:6380/0", False),
    ],
)
def test_host_and_port_are_compared_and_neither_database_nor_tls(url, right):
    assert accepted(EXTERNAL, url) is right


@pytest.mark.parametrize(("mode", "expected"), [("", "require"), ("verify-full", "verify-full")])
def test_the_pool_has_the_tls_of_the_database(mode, expected):
    text = (
        changed(PRODUCTION, ("[10.20.0.0/24]", f"[10.20.0.0/24]\n  sslMode: {mode}"))
        if mode
        else PRODUCTION
    )
    made = release(text)
    assert made.values["pgbouncer"]["sslmode"] == expected
    (need,) = [need for need in made.needs if "pgbouncer.ini" in need.key_names]
    found = derived_values.database_values(made, {need.name: need}, "u", Secret("p"))
    ini = found[need.name]["pgbouncer.ini"].text()
    assert f"server_tls_sslmode = {expected}" in ini
    assert pgbouncer.fingerprint_of(Secret(ini))
