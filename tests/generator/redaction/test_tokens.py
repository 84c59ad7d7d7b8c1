"""Short texts are looked through for tokens only where one can begin, and none is missed."""

import pytest

from generator.redaction import tokens
from tests.generator.redaction import corpus


def without_shortcut(text, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(tokens, "_possible", lambda _: tokens._BEGINNINGS)
        return list(tokens.tokens(text))


@pytest.mark.parametrize("start", [start for item in tokens.FORMATS for start in item.beginnings])
def test_wherever_a_beginning_stands_it_is_looked_for(start):
    for text in (start, f"a{start}", "a" * 1000 + start):
        assert start in dict(tokens._possible(text))


def test_the_corpus_has_the_same_tokens_with_the_shortcut(monkeypatch):
    texts = [str(example) for example in corpus.examples()]
    texts += [word for text in texts for word in text.split()]
    found = [list(tokens.tokens(text)) for text in texts]
    assert any(found)
    assert found == [without_shortcut(text, monkeypatch) for text in texts]


@pytest.mark.parametrize("text", ["", "a", "3.2.2-r17", "10.20.0.0/24"])
def test_ordinary_values_need_no_search(text):
    assert not tokens._possible(text)
