import email.utils

import pytest

from generator.forge import retry


@pytest.mark.parametrize(
    ("status", "headers", "said", "expected"),
    [
        (429, {}, "", True),
        (403, {"x-ratelimit-remaining": "0"}, "", True),
        (403, {"retry-after": "5"}, "", True),
        (403, {}, "You have exceeded a secondary rate limit", True),
        (403, {"x-ratelimit-remaining": "10"}, "Resource not accessible", False),
        (200, {"x-ratelimit-remaining": "0"}, "", False),
        (503, {"retry-after": "5"}, "", False),
    ],
)
def test_too_many_requests_is_told_from_a_lack_of_rights(status, headers, said, expected):
    assert retry.is_limited(status, headers, said) is expected


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"retry-after": "12"}, 12),
        ({"retry-after": email.utils.formatdate(1030)}, 30),
        ({"retry-after": email.utils.formatdate(900)}, 0),
        ({"retry-after": "soon"}, None),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1060"}, 60),
        ({"ratelimit-remaining": "0", "ratelimit-reset": "1060"}, 60),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "900"}, 0),
        ({"x-ratelimit-remaining": "7", "x-ratelimit-reset": "1060"}, None),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "later"}, None),
        ({}, None),
    ],
)
def test_the_forges_wait_is_read_from_its_headers(headers, expected):
    assert retry.asked_wait(headers, now=1000.0) == expected


def test_waits_grow_are_bounded_and_spread():
    full = [retry.backoff(attempt, 1.0) for attempt in range(12)]
    assert full == sorted(full)
    assert full[0] == retry.FIRST_WAIT
    assert full[-1] == retry.LONGEST_WAIT
    assert retry.backoff(3, 0.0) == 0
    assert retry.backoff(3, 0.5) == full[3] / 2
