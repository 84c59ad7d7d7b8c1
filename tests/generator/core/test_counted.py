"""Numbers and their nouns."""

import pytest

from generator.core.counted import counted


@pytest.mark.parametrize(
    ("number", "noun", "words"),
    [
        (0, "file", "0 files"),
        (1, "environment", "1 environment"),
        (3, "other field", "3 other fields"),
        (2, "policy", "2 policies"),
        (2, "day", "2 days"),
        (12345, "note", "12,345 notes"),
    ],
)
def test_the_noun_follows_the_number(number, noun, words):
    assert counted(number, noun) == words
