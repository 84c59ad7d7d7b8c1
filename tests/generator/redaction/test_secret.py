import copy
import logging
import pickle
import traceback

import pytest

from generator.core.errors import UserError
from generator.redaction.secret import MASK, Secret

CANARY = "canary-7f3a"


@pytest.mark.parametrize("show", [str, repr, "{}".format, "{:>40}".format, "{!r}".format, ascii])
def test_a_secret_shows_a_mask_whatever_asks_for_its_text(show):
    assert CANARY not in show(Secret(CANARY))
    assert MASK in show(Secret(CANARY))


def test_containers_logs_and_tracebacks_show_the_mask(caplog):
    def fail(value):
        raise ValueError(f"cannot use {value} of {[value]}")

    with caplog.at_level(logging.DEBUG):
        logging.getLogger("test").warning(
            "sealing %s and %r", Secret(CANARY), {"k": Secret(CANARY)}
        )
    with pytest.raises(ValueError) as caught:
        fail(Secret(CANARY))
    lines = traceback.TracebackException.from_exception(caught.value, capture_locals=True).format()
    assert CANARY not in caplog.text
    assert CANARY not in "".join(line for line in lines if "caplog" not in line)


def test_masks_of_short_and_long_values_are_equal():
    assert str(Secret("x")) == str(Secret("x" * 500))


def test_the_value_comes_out_only_by_name():
    assert Secret(CANARY).reveal() == CANARY.encode()
    assert Secret("grün").text() == "grün"


def test_equal_values_are_equal_and_others_are_not():
    assert Secret("a") == Secret(b"a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert len({Secret("a"), Secret(b"a"), Secret("b")}) == 2


def test_a_secret_does_not_travel_by_pickle_but_survives_copies():
    with pytest.raises(TypeError):
        pickle.dumps(Secret(CANARY))
    assert copy.deepcopy([Secret(CANARY)]) == [Secret(CANARY)]
    assert copy.copy(Secret(CANARY)) == Secret(CANARY)


def test_bytes_that_are_no_text_are_refused_without_quoting_them():
    with pytest.raises(UserError) as caught:
        Secret(CANARY.encode() + b"\xff").text()
    assert caught.value.__context__ is None
    assert CANARY not in "".join(traceback.format_exception(caught.value))
