"""docs/troubleshooting.md: every message that it explains is one that gen-env still has."""

import re
from pathlib import Path

import pytest

TOP = Path(__file__).parents[1]
PAGES = TOP / "docs"
CODE = [*TOP.glob("generator/**/*.py"), *TOP.glob("service/**/*.py")]
MESSAGES = re.findall(
    r"^### `(.+)`$", (PAGES / "troubleshooting.md").read_text("utf-8"), re.MULTILINE
)
RULE = re.compile(r"(?<=`)[a-z-]+/[a-z0-9-]+(?=`)")


CONCATENATED = re.compile(r'"\s*\n\s*f?"')


@pytest.fixture(scope="module")
def code():
    """The source of both packages, each string in one piece."""
    return CONCATENATED.sub("", "\n".join(path.read_text("utf-8") for path in CODE))


@pytest.fixture(scope="module")
def ids():
    return set(RULE.findall((PAGES / "rules.md").read_text("utf-8")))


def test_the_page_explains_what_users_meet_first():
    assert len(MESSAGES) == len(set(MESSAGES)) >= 20


@pytest.mark.parametrize("message", MESSAGES)
def test_a_message_that_is_explained_is_one_of_the_code(message, code, ids):
    if re.fullmatch(r"[a-z-]+/[a-z0-9-]+", message):
        assert message in ids
        return
    pattern = r"[^\n]{1,80}?".join(map(re.escape, message.split("…")))
    assert re.search(pattern, code), f"nothing says {message!r}"


def test_a_rule_that_a_how_to_names_is_a_rule(ids):
    pages = (PAGES / "how-to").glob("*.md")
    named = {
        word for page in pages for word in re.findall(r"`([a-z-]+/[a-z-]+)`", page.read_text())
    }
    assert named and named <= ids
