"""Images looked up in registries: in a stand-in, and in Debian's registry."""

import itertools
import json

import pytest

from generator.pipeline.image_look_up import MOST, look_up
from tests.fakes.chart_server import Answer, serving
from tests.generator.image.test_registry import (  # noqa: F401 (fixtures)
    debian_registry,
    no_login,
    pushed,
)

DIGEST = f"sha256:{'0' * 64}"


def there(images, *registries):
    return [answer.there for answer in look_up(images, registries)]


def unknown(code="MANIFEST_UNKNOWN"):
    return Answer(json.dumps({"errors": [{"code": code}]}).encode(), status=404)


def test_what_the_registry_has_is_told_from_what_it_says_it_has_not(debian_registry):  # noqa: F811
    host = debian_registry
    index = pushed(host)
    name = f"{host}/team/airflow"
    known = [f"{name}:3.2.2-r1", f"{name}@{index}", f"{name}:gone@{index}"]
    gone = [f"{name}:9", f"{name}@{DIGEST}", f"{name}:3.2.2-r1@{DIGEST}", f"{host}/none:1", name]
    assert there([*known, *gone], host) == [True] * 3 + [False] * 5


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Answer(b"<h1>not found</h1>", status=404), "not a valid registry response"),
        (Answer(b'{"errors": []}', status=404), "names no cause"),
        (Answer(b'{"errors": [1, {"code": ["x"]}]}', status=404), "names no cause"),
        (unknown("DENIED"), "names no cause"),
        (Answer(status=401), "requires credentials"),
        (Answer(status=403), "answered 403"),
        (Answer(status=503), "answered 503"),
        (Answer(b"x" * (5 << 20)), "too large"),
        (Answer(b'{"errors": 5}', status=404), "names no cause"),
        (Answer(b"<h1>log in</h1>"), "not a valid registry response"),
        (Answer(b'{"login": "here"}'), "not a manifest"),
    ],
)
def test_another_answer_is_no_word_about_the_image(answer, reason):
    with serving() as server:
        server.answers["/v2/team/a/manifests/1"] = answer
        [found] = look_up([f"{server.host}/team/a:1"], [server.host])
    assert found.there is None and reason in found.reason


def test_nobody_but_the_allowed_registries_is_asked():
    with serving() as server, serving() as other:
        server.answers["/v2/a/manifests/1"] = unknown()
        names = [f"{other.host}/a:1", "a:1", f"{server.host}/a:1"]
        found = list(look_up(names, [server.host]))
        assert [answer.there for answer in found] == [None, None, False]
        assert "docker.io is not one of policy.registries" in found[1].reason
        assert not other.asked


@pytest.mark.parametrize("name", ["a:../../x", "a:x?y", "a@sha256:1", "A/b:1", "a:1\n", "", "/:"])
def test_a_name_that_is_none_is_not_asked_for(name):
    with serving() as server:
        [found] = look_up([f"{server.host}/{name}"], [server.host])
        assert found.there is None and not server.asked


def test_number_and_time_are_bounded():
    with serving() as server:
        names = [f"{server.host}/a:{number}" for number in range(MOST + 5)]
        for name in names:
            server.answers[f"/v2/a/manifests/{name.rpartition(':')[2]}"] = unknown()
        assert there(names, server.host) == [False] * MOST + [None] * 5
        clock = itertools.count(0, 10).__next__
        late = list(look_up(names[:5], [server.host], clock))
    assert [answer.there for answer in late] == [False, False, False, None, None]
    assert "30 s" in late[-1].reason
