import io

import pytest

from generator.core.errors import UserError
from generator.redaction.secret import Secret
from generator.seal import sources
from generator.seal.sealed_secret import MAX_SECRET_BYTES


def prompt(*answers):
    left = list(answers)
    return sources.from_prompt("password", ask=lambda text: left.pop(0), interactive=lambda: True)


def test_a_value_typed_twice_alike_is_taken():
    assert prompt("s3cret", "s3cret") == Secret("s3cret")


def test_two_different_values_are_refused_and_not_quoted():
    with pytest.raises(UserError, match="differ") as caught:
        prompt("canary-1", "canary-2")
    assert "canary" not in f"{caught.value.message}{caught.value.hint}"


def test_an_empty_answer_is_refused():
    with pytest.raises(UserError, match="no value for password"):
        prompt("")


def test_off_a_terminal_nobody_is_asked():
    def never(text):
        raise AssertionError("asked")

    with pytest.raises(UserError, match="no terminal"):
        sources.from_prompt("password", ask=never, interactive=lambda: False)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"secret\n", b"secret"),
        (b"secret\r\n", b"secret"),
        (b"secret", b"secret"),
        (b" spaced \n", b" spaced "),
        (b"line one\nline two\n", b"line one\nline two\n"),
        (b"secret\n\n", b"secret\n\n"),
        (b"\0binary\n", b"\0binary\n"),
    ],
)
def test_only_the_line_end_of_a_single_line_is_dropped(tmp_path, content, expected):
    (tmp_path / "value").write_bytes(content)
    assert sources.from_file(tmp_path / "value").reveal() == expected
    assert sources.from_stream(io.BytesIO(content)).reveal() == expected


@pytest.mark.parametrize("content", [b"", b"\n"])
def test_an_empty_file_is_refused(tmp_path, content):
    (tmp_path / "value").write_bytes(content)
    with pytest.raises(UserError, match="empty"):
        sources.from_file(tmp_path / "value")


def test_a_missing_file_and_a_directory_are_users_errors(tmp_path):
    for path in (tmp_path / "none", tmp_path):
        with pytest.raises(UserError, match="cannot read"):
            sources.from_file(path)


def test_more_than_a_secret_can_hold_is_refused():
    with pytest.raises(UserError, match="1 MiB"):
        sources.from_stream(io.BytesIO(b"x" * (MAX_SECRET_BYTES + 1)))


def test_an_assignment_splits_at_the_first_equals_sign():
    assert sources.from_assignment("connection=a=b") == ("connection", Secret("a=b"))


@pytest.mark.parametrize("text", ["canary", "=canary", "key=", "a canary=x"])
def test_a_broken_assignment_is_refused(text):
    with pytest.raises(UserError):
        sources.from_assignment(text)


def test_what_is_no_assignment_is_not_quoted():
    with pytest.raises(UserError) as caught:
        sources.from_assignment("canary-value")
    assert "canary" not in caught.value.message


def test_git_sync_gets_all_four_keys():
    made = sources.git_sync_credentials("bot", Secret("token"))
    assert list(made) == [
        "GITSYNC_PASSWORD",
        "GITSYNC_USERNAME",
        "GIT_SYNC_PASSWORD",
        "GIT_SYNC_USERNAME",
    ]
    assert {made[key].text() for key in made if key.endswith("USERNAME")} == {"bot"}
    assert {made[key].text() for key in made if key.endswith("PASSWORD")} == {"token"}
    with pytest.raises(UserError):
        sources.git_sync_credentials("", Secret("token"))
