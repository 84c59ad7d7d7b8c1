import traceback

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.core.errors import UserError
from generator.seal import envfile

TEXT = r"""
# a comment
PLAIN=value
export EXPORTED = spaced value   # comment
HASH=a#b
SINGLE='it # is $literal \n'
DOUBLE="tab\tquote\" back\\slash dollar\$ keep\d"  # after
dotted.key-name=1
EQUALS=a=b=c
MULTI="-----BEGIN KEY-----
abc # def
-----END KEY-----
"
LAST=end"""


def plain(text):
    return {key: value.text() for key, value in envfile.parse(text).items()}


def test_an_env_file_is_read_as_people_write_it():
    assert plain(TEXT) == {
        "PLAIN": "value",
        "EXPORTED": "spaced value",
        "HASH": "a#b",
        "SINGLE": r"it # is $literal \n",
        "DOUBLE": 'tab\tquote" back\\slash dollar$ keep\\d',
        "dotted.key-name": "1",
        "EQUALS": "a=b=c",
        "MULTI": "-----BEGIN KEY-----\nabc # def\n-----END KEY-----\n",
        "LAST": "end",
    }


def test_windows_line_ends_and_a_byte_order_mark_do_no_harm(tmp_path):
    path = tmp_path / "x.env"
    path.write_bytes(b"\xef\xbb\xbfA=1\r\nB='2'\r\n")
    assert {key: value.text() for key, value in envfile.read(path).items()} == {"A": "1", "B": "2"}


def test_every_mistake_is_listed_with_its_line_and_without_values():
    text = "A=1\ncanary line\nA=canary\nB=\nC='x' canary\nD=\"canary"
    with pytest.raises(UserError) as caught:
        envfile.parse(text, "secrets.env")
    error = caught.value
    assert error.place == "secrets.env:2"
    assert error.message == (
        "expected KEY=value; line 3: A is given twice; line 4: B has no value; "
        "line 5: something follows the closing quote; line 6: the quote is never closed"
    )
    assert "canary" not in "".join(traceback.format_exception(error))


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r"), min_size=1))
def test_any_text_survives_double_quotes(value):
    quoted = value.replace("\\", "\\\\").replace('"', '\\"')
    assert plain(f'K="{quoted}"\nNEXT=1') == {"K": value, "NEXT": "1"}


def test_files_that_cannot_be_read_are_users_errors(tmp_path):
    with pytest.raises(UserError, match="cannot read"):
        envfile.read(tmp_path / "none.env")
    binary = tmp_path / "binary.env"
    binary.write_bytes(b"A=canary\xff")
    with pytest.raises(UserError, match="not UTF-8") as caught:
        envfile.read(binary)
    assert "canary" not in "".join(traceback.format_exception(caught.value))
    huge = tmp_path / "huge.env"
    huge.write_bytes(b"A=" + b"x" * 2**20)
    with pytest.raises(UserError, match="1 MiB"):
        envfile.read(huge)
