"""Masking takes twice as long for twice the text, whatever the text is made to provoke."""

import json
import time

import pytest

from generator.redaction.text import redact, redact_prose

SIZE = 60_000
# What the time of a scan could grow with: marks that open and never close, words without an end.
PIECES = [
    "%26ssh_key=",
    "&API_KEY_PROD=/a%20",
    "a",
    " ",
    "\n",
    "=",
    "@",
    "-",
    ":",
    '"',
    "'",
    "{",
    "[",
    "<",
    ";",
    "|",
    "%",
    "\\n",
    "$(",
    "{{",
    "a:",
    "x=",
    "a@a@",
    "://",
    "://://a@",
    "://u:p",
    "http://a.b/",
    "http://a.b/@",
    "%3A%2F%2F",
    "%3A//%40",
    "user:pw@",
    "-----BEGIN ",
    "-----BEGIN PRIVATE KEY-----",
    "-----END PRIVATE KEY-----",
    "-----BEGIN PRIVATE KEY----------END PRIVATE KEY-----",
    "kind: Secret\n",
    "data:\n",
    "password=",
    "password: '",
    "token: |\n",
    "token: |\n ",
    "name: password\nvalue: x\n",
    "it's password: \"",
    "--password ",
    "ghp_",
    "sk-",
    "glpat-",
    "eyJ-",
    "eyJa.",
    "AKIAAAAAAAAAAAAAAAAA ",
    "s.",
    "Q~",
    "Authorization: ",
    "Authorization: Bearer ",
    "Bearer ",
    "Bearer aaaa1 ",
    "set_header a b ",
    "cookie: a=",
    "X-A-Token: ",
    "mysql ",
    "mysql -p",
    "curl -u a:b ",
    "-u a:b ",
    "machine x login ",
    "machine x password ",
    "a:1:",
    "*:*:a:a:",
    "$1$a",
    '"a" ',
    '"a" "b"\n',
    "?a=",
    "?sig=",
    "&token=a",
    "://hooks/",
    "https://hooks.slack.com/services/",
    "echo a:b|",
    "htpasswd -b a ",
    "Private-Lines: 1\n",
    '"kty" "d":"aaaaaaaaa" ',
    "auth: aaaaaaaa ",
    "aws configure set a",
    "api_key: /a/",
    "x_key: a-b-",
    "cGFzc3dvcmQ9YWFi ",
    "LS0tLS1CRUdJTiA",
]


def seconds(scan, text):
    """The least of three: what the machine does beside it only adds."""
    taken = []
    for _ in range(3):
        start = time.process_time()
        scan(text)
        taken.append(time.process_time() - start)
    return min(taken)


def grows_evenly(scan, text):
    """Whether eight times the text takes some eight times as long: 64 times would be quadratic.

    The clock is the processor's, and the bound is far from both, so that a busy machine says the
    same as an idle one.
    """
    small, large = seconds(scan, text[: len(text) // 8]), seconds(scan, text)
    return large < 0.02 or large < 24 * small


@pytest.mark.few(6)
@pytest.mark.parametrize("scan", [redact, redact_prose])
@pytest.mark.parametrize("piece", PIECES)
def test_the_time_grows_with_the_text_and_not_with_its_square(piece, scan):
    assert grows_evenly(scan, piece * (SIZE // len(piece)))


@pytest.mark.few(1)
@pytest.mark.parametrize(
    "before, after", [("://u:", ""), ("", "@h"), ('password: "', ""), ("-u a:", "")]
)
def test_one_long_word_takes_no_longer(before, after):
    words = [before + "p" * size + after for size in (SIZE // 8, SIZE)]
    small, large = (seconds(redact, word) for word in words)
    assert large < 0.02 or large < 24 * small


def test_a_secret_in_json_takes_no_longer_for_many_values():
    small, large = (
        seconds(
            redact, json.dumps({"kind": "Secret", "data": dict(zip(names, names, strict=True))})
        )
        for names in ([f"x{n}y" for n in range(size)] for size in (1_500, 12_000))
    )
    assert large < 24 * small


def test_a_value_of_a_secret_in_json_is_masked_however_it_is_escaped():
    text = r'{"kind": "Secret", "stringData": {"a": "one\/\u00E9 two"}, "note": "one/é two"}'
    masked = redact(text)
    assert "two" not in masked and '"note": "<masked>"' in masked


@pytest.mark.few(1)
@pytest.mark.parametrize("piece", ["&token=a1b2c3d4 ", "cGFzc3dvcmQ9YWFi ", "curl -u a:bcdef\n"])
def test_of_a_text_with_more_secrets_than_any_honest_one_nothing_is_shown(piece):
    assert redact("begin " + piece * 30_000 + " end") == "<masked>"
    assert redact("begin " + piece * 200 + " end").endswith(" end")
