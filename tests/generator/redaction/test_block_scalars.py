"""Block scalars under a telling name: where their lines begin and end."""

import pytest

from generator.redaction.text import redact


@pytest.mark.parametrize("blank", ["", "\n", " \n", "\u00a0\n", "\t\n"])
def test_lines_behind_blank_ones_are_masked(blank):
    assert "hunter22" not in redact(f"token: |\n{blank}  hunter22hunter22\nkind: x\n")


@pytest.mark.parametrize("text", ["token: |\nname: x\n", "token: |\n", "token: |"])
def test_a_line_that_is_not_deeper_belongs_to_another_key(text):
    assert redact(text) == text
