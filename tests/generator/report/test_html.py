import base64
import hashlib
import re
from html.parser import HTMLParser

import pytest

from generator.report import html
from generator.report.model import Report
from tests.generator.report.samples import HOSTILE, REPORTS

VOID = {"meta", "input", "br"}
OURS = {
    "html", "head", "meta", "title", "style", "body", "a", "header", "main", "footer", "section",
    "h1", "h2", "h3", "p", "code", "div", "span", "input", "button", "table", "thead", "tbody",
    "tr", "th", "td", "ul", "li", "details", "summary", "pre", "script", "kbd",
    "strong", "nav", "caption", "mark",
}  # fmt: skip


class Page(HTMLParser):
    """The elements, attributes and text of a page; fails on what is not balanced."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open, self.tags, self.attributes, self.texts = [], [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, *attribute) for attribute in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append((self.open[-1] if self.open else "", data))

    def text_of(self, tag):
        return [text for where, text in self.texts if where == tag]


@pytest.mark.few(1)
@pytest.mark.parametrize("name", REPORTS)
def test_the_page_is_well_formed_and_holds_only_our_elements(name):
    page = Page(html.render(REPORTS[name]()))
    assert set(page.tags) <= OURS
    assert page.tags.count("script") == page.tags.count("style") == 1
    assert not [item for item in page.attributes if item[1].startswith("on") or item[1] == "style"]


@pytest.mark.few(1)
@pytest.mark.parametrize("name", REPORTS)
def test_the_page_needs_no_network(name):
    page = Page(html.render(REPORTS[name]()))
    links = [value for _, key, value in page.attributes if key in ("href", "src", "action")]
    assert all(link.startswith("#") for link in links)
    style = page.text_of("style")[0]
    assert "url(" not in style and "@import" not in style


@pytest.mark.few(1)
@pytest.mark.parametrize("name", REPORTS)
def test_style_and_script_are_allowed_by_their_hash_alone(name):
    page = Page(html.render(REPORTS[name]()))
    policy = next(value for tag, key, value in page.attributes if "default-src" in (value or ""))
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    for tag, directive in (("style", "style-src"), ("script", "script-src")):
        digest = hashlib.sha256("".join(page.text_of(tag)).encode("utf-8")).digest()
        assert f"{directive} 'sha256-{base64.b64encode(digest).decode()}'" in policy


def test_hostile_text_is_shown_and_does_nothing():
    page = Page(html.render(REPORTS["hostile"]()))
    text = "".join(text for _, text in page.texts)
    assert "<img src=x onerror=alert(1)>" in text
    assert "</script>" in text


def test_no_hidden_character_is_left():
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\ud800-\udfff]",
                         html.render(REPORTS["hostile"]()))  # fmt: skip


def test_every_change_finding_and_problem_is_there():
    report = REPORTS["golden"]()
    page = html.render(report)
    assert page.count('<details class="change"') == sum(len(e.changes) for e in report.environments)
    findings = sum(len(e.impact) + len(e.problems) for e in report.environments)
    assert len(re.findall('<li class="(?:error|warning|info)">', page)) == findings


def test_an_empty_page_says_why():
    assert "No changes: this change affects no environment." in html.render(Report("b", "h"))


@pytest.mark.thorough
def test_a_short_report_is_open_and_a_long_one_closed():
    assert '<details class="change" open>' in html.render(REPORTS["hostile"]())
    assert '<details class="change" open>' not in html.render(REPORTS["large"]())


def test_the_page_can_be_read_without_script_and_worked_by_keyboard():
    page = Page(html.render(REPORTS["golden"]()))
    shortcuts = {value for _, key, value in page.attributes if key == "aria-keyshortcuts"}
    assert shortcuts == {"/", "e"}
    assert ("div", "hidden", None) in page.attributes  # tools appear only with script
    assert {"summary", "main", "header"} <= set(page.tags)
    assert "prefers-color-scheme: dark" in page.text_of("style")[0]


def test_revisions_are_escaped_in_the_title():
    page = Page(html.render(Report(HOSTILE[0], "</title><script>")))
    assert "</title><script>" in page.text_of("title")[0]
