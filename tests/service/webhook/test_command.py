import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.webhook.command import Command, Verb, parse

SHA = "0123abc"


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("/gen-env check", Command(Verb.CHECK)),
        ("  /gen-env   check \r\nthanks", Command(Verb.CHECK)),
        (f"/gen-env ok-to-test {SHA}", Command(Verb.OK_TO_TEST, SHA)),
        (f"/gen-env ok-to-test {SHA.upper()}", Command(Verb.OK_TO_TEST, SHA)),
        (f"/gen-env accept impact/silenced:secrets/stub {SHA}",
         Command(Verb.ACCEPT, SHA, rule="impact/silenced:secrets/stub")),
        (f"/gen-env accept impact/data-loss {SHA}",
         Command(Verb.ACCEPT, SHA, rule="impact/data-loss")),
        (f"/gen-env override {SHA} we agreed  in #ops",
         Command(Verb.OVERRIDE, SHA, reason="we agreed in #ops")),
    ],
)  # fmt: skip
def test_commands_are_read(text, command):
    assert parse(text) == (command,)


@pytest.mark.parametrize(
    "text",
    [
        "check", "/gen-env", "please /gen-env check", "> /gen-env check",
        "    /gen-env check", "```\n/gen-env check\n```", "~~~~\n/gen-env check\n~~~\n",
        "```sh\n``` not the end\n/gen-env check", "/gen-environment check",
    ],
)  # fmt: skip
def test_other_words_quotes_and_code_are_no_commands(text):
    assert parse(text) == ()


@pytest.mark.parametrize(
    "text",
    ["ok-to-test", "ok-to-test HEAD", "ok-to-test 0123ab", "accept impact/data-loss",
     f"accept impact/silenced {SHA}", f"accept impact/silenced: {SHA}",
     f"accept {SHA}", f"accept ../x {SHA}", f"override {SHA}", "override because", "check now"],
)  # fmt: skip
def test_an_incomplete_command_says_how_it_is_written(text):
    [command] = parse(f"/gen-env {text}")
    assert command.fault.startswith("write /gen-env ") and not command.sha


def test_an_unknown_command_names_those_that_are():
    [command] = parse("/gen-env dance")
    assert command.fault == "unknown command; known are check, ok-to-test, accept, override"


def test_a_comment_with_too_many_commands_says_how_many_count():
    assert len(parse("/gen-env check\n" * 10)) == 10
    found = parse("/gen-env check\n" * 11)
    assert [command.fault for command in found[:9]] == [""] * 9
    assert found[9].fault == "only the first 9 commands of a comment are carried out"
    assert len(found) == 10


@given(st.text())
def test_no_comment_is_too_odd(text):
    assert len(parse(text)) <= 10
    assert len(parse(f"/gen-env override {SHA} {text}")) <= 10
