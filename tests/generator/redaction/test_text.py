import base64
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.redaction.secret import Secret
from generator.redaction.text import redact as redact_value
from generator.redaction.text import redact_prose as redact

TOKEN = "s3cr/t+token=value"


@given(
    before=st.text(),
    after=st.text(),
    token=st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=12),
)
def test_a_known_value_never_remains(before, after, token):
    found = redact(f"{before}{token}{after}", [Secret(token)])
    assert token not in found or token in "******"


@pytest.mark.parametrize(
    "form", [TOKEN, quote(TOKEN, safe=""), base64.b64encode(TOKEN.encode()).decode()]
)
def test_other_spellings_of_a_value_go_too(form):
    assert redact(f"a {form} b", [Secret(TOKEN)]) == "a ****** b"


@pytest.mark.parametrize(
    "text",
    [
        "ghp_0123456789abcdefABCD",
        "ghs_0123456789abcdefABCD",
        "github_pat_0123456789abcdef_ABCD",
        "glpat-0123456789abcdefABCD",
        "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOjEyfQ.c2lnbmF0dXJl",
    ],
)
def test_shapes_of_foreign_tokens_are_masked(text):
    assert redact(f"see {text} here") == "see ****** here"


def test_credentials_in_addresses_and_headers_are_masked():
    assert redact("https://user:pass@host/x") == "https://user:******@host/x"
    assert "abcdef" not in redact("GET /x?private_token=abcdef&y=1")
    assert "abcdef" not in redact("Authorization: Bearer abcdef")
    assert "abcdef" not in redact('"PRIVATE-TOKEN": "abcdef"')


def test_what_is_random_behind_an_empty_last_segment_is_masked():
    for mark in "?#":
        text = f"https://example.com/hooks/{mark}Zx8kP2mQ9vL4tR7wY1nB"
        assert redact_value(text) == f"https://example.com/hooks/{mark}<masked>"


def test_ordinary_prose_stays_as_it_is():
    text = "the token may not do this; see https://github.com/o/r/pull/1?tab=files for eyJ"
    assert redact(text, [Secret("abc")]) == text
