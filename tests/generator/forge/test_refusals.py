"""What every adapter does when the forge says no, on the stand-in forge."""

import traceback

import pytest

from generator.forge.errors import (
    Forbidden,
    ForgeError,
    NotFound,
    RateLimited,
    Rejected,
    Unauthorized,
    Unavailable,
)
from generator.forge.port import CheckState, ForgeKind
from tests.fakes.forge import BOT, SHA, TOKEN

MARKER = "<!-- gen-env:payments/production -->"


def test_an_expired_token_says_so(port, store):
    store.expired.add(TOKEN)
    with pytest.raises(Unauthorized, match="does not accept the token") as caught:
        port.list_open_prs()
    assert caught.value.status == 401
    assert "expired" in caught.value.hint


def test_a_token_that_may_only_read_says_what_it_lacks(port, store):
    store.rights[BOT] = "read"
    with pytest.raises(Forbidden) as caught:
        port.set_status(SHA, "gen-env", CheckState.SUCCESS, "text")
    wanted = "pull_requests=write" if port.kind is ForgeKind.GITHUB else "scope"
    assert wanted in caught.value.hint


def test_a_repository_out_of_sight_is_not_found(port, store):
    del store.rights[BOT]
    with pytest.raises(NotFound) as caught:
        port.list_open_prs()
    assert "hidden from a token without access" in caught.value.hint
    with pytest.raises(NotFound):
        port.get_pr(4711)


def test_what_the_forge_rejects_is_quoted_from_its_answer(port, store):
    store.add_pull()
    store.fail(422, path="statuses", method="POST", body={"message": "because of that"})
    with pytest.raises(Rejected, match="because of that") as caught:
        port.set_status(SHA, "gen-env", CheckState.SUCCESS, "text")
    assert caught.value.status == 422


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_failing_forge_is_asked_again_and_then_given_up(port, store, world, status):
    number = store.add_pull()
    store.fail(status, times=2)
    assert port.get_pr(number).number == number
    store.fail(status, times=99)
    with pytest.raises(Unavailable) as caught:
        port.get_pr(number)
    assert caught.value.status == status
    assert 5 <= len(store.seen) <= 10
    assert all(wait <= 60 for wait in world.clock.slept)


def test_the_wait_that_the_forge_asks_for_is_kept(port, store, world):
    number = store.add_pull()
    store.fail(429, headers={"Retry-After": "17"})
    port.get_pr(number)
    assert 17 <= sum(world.clock.slept) < 18


def test_a_reset_time_is_waited_for(port, store, world):
    number = store.add_pull()
    world.clock.now = 1000.0
    name = "RateLimit" if port.kind is ForgeKind.GITLAB else "X-RateLimit"
    store.fail(429, headers={f"{name}-Remaining": "0", f"{name}-Reset": "1030"})
    port.get_pr(number)
    assert 30 <= sum(world.clock.slept) < 31


def test_a_long_wait_is_left_to_the_caller(port, store, world):
    store.add_pull()
    store.fail(429, headers={"Retry-After": "3000"}, times=99)
    with pytest.raises(RateLimited) as caught:
        port.get_pr(1)
    assert caught.value.retry_after == 3000
    assert world.clock.slept == []


def test_a_redirect_is_not_followed(port, store, world):
    store.fail(301, headers={"Location": f"{world.url}/api/v3/repositories/7"}, times=99)
    with pytest.raises(Rejected, match="redirect"):
        port.get_pr(1)
    assert len(store.seen) == 1


def test_a_redirect_that_is_not_for_ever_may_pass(port, store, world):
    number = store.add_pull()
    store.fail(302, headers={"Location": f"{world.url}/login"})
    assert port.get_pr(number).number == number


def test_the_token_is_in_no_address_no_body_and_no_error(port, store):
    number = store.add_pull()
    echo = {"message": f"bad token {TOKEN}", "url": f"https://x:{TOKEN}@forge.example/"}
    store.fail(400, body=echo)
    store.fail(403, body=echo)
    store.fail(404, body=echo)
    for _ in range(3):
        with pytest.raises(ForgeError) as caught:
            port.get_pr(number)
        error = caught.value
        text = (
            "".join(traceback.format_exception(error)) + f"{error.message}{error.place}{error.hint}"
        )
        assert TOKEN not in text
        assert "bad token ******" in error.message
    port.upsert_comment(number, MARKER, "text")
    for seen in store.seen:
        assert TOKEN not in f"{seen.path}{seen.query}{seen.body}"
        assert TOKEN in seen.headers["Authorization"]
