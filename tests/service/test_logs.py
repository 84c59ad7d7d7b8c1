"""Log lines: JSON, the ids of the work in each, and no secret."""

import io
import json
import logging
import threading

import pytest

from generator.redaction.secret import Secret
from service.telemetry import logs
from service.telemetry.logs import JsonLines

CANARY = "canary-secret-0123456789"


@pytest.fixture
def lines():
    """A logger as the service configures it; call the result for what was written."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines([Secret(CANARY)]))
    logger = logging.getLogger("gen_env.test")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    logger.removeHandler(handler)
    logger.propagate = True


def log():
    return logging.getLogger("gen_env.test")


def test_every_line_of_a_piece_of_work_carries_its_ids(lines):
    with logs.bound(delivery="d1", repository="team/one", number=4):
        log().info("begins")
        with logs.bound(run="r1"):
            log().warning("deeper", extra={"number": 5})
    log().info("after")
    first, deeper, after = lines()
    assert (first["delivery"], first["repository"], first["number"]) == ("d1", "team/one", 4)
    assert "run" not in first
    # What the line itself says wins.
    assert (deeper["run"], deeper["delivery"], deeper["number"]) == ("r1", "d1", 5)
    assert not {"delivery", "repository", "number", "run"} & set(after)


def test_threads_do_not_share_their_ids(lines):
    with logs.bound(run="mine"):
        other = threading.Thread(target=lambda: log().info("other"))
        other.start()
        other.join()
    assert "run" not in lines()[0]


@pytest.mark.parametrize(
    "write",
    [
        lambda: log().info("the token is %s", CANARY),
        lambda: log().info("from https://user:%s@forge.example.com/x", "s3cr3t-in-a-url"),
        lambda: log().info("x", extra={"delivery": CANARY}),
        lambda: failing(ValueError(CANARY)),
    ],
)
def test_no_secret_gets_through(lines, write):
    with logs.bound(repository=CANARY):
        write()
    [line] = lines()
    assert CANARY not in json.dumps(line) and "s3cr3t" not in json.dumps(line)


def failing(error):
    try:
        raise error
    except ValueError:
        log().exception("failed")


def test_an_exception_is_told_by_kind_and_place(lines):
    failing(ValueError("what it says"))
    [line] = lines()
    assert line["error"] == "ValueError" and line["at"].startswith("service/test_logs.py:")
    assert "what it says" not in json.dumps(line)


def test_a_line_break_cannot_forge_a_line(lines):
    log().info('x\n{"level": "info"}')
    assert len(lines()) == 1
