from datetime import UTC, datetime

import pytest

from generator.core.basis import NOTHING
from generator.forge.errors import ForgeError
from generator.forge.port import ForgeKind
from generator.promotion import evidence
from generator.promotion.evidence import Standing, record_verification
from generator.verify.result import Memory, Outcome, Verdict
from tests.fakes.forge import SHA
from tests.generator.forge.forges import setting

NOW = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def world():
    with setting() as made:
        yield made


def verdict(outcome, message="14 conditions hold"):
    return Verdict("pay/staging", SHA, outcome, message, (), (), (), Memory(outcome, NOW), NOTHING)


@pytest.mark.few(7)
@pytest.mark.parametrize("kind", list(ForgeKind), ids=str)
@pytest.mark.parametrize(
    ("outcome", "standing"),
    [
        (Outcome.VERIFIED, Standing.VERIFIED),
        (Outcome.FAILED, Standing.FAILED),
        (Outcome.TIMED_OUT, Standing.FAILED),
        (Outcome.SUPERSEDED, Standing.FAILED),
        (Outcome.NOT_SYNCED, Standing.RUNNING),
        (Outcome.PRUNE_CONFIRMATION, Standing.RUNNING),
        (Outcome.PENDING, Standing.RUNNING),
    ],
)
def test_a_verdict_is_read_as_evidence(world, kind, outcome, standing):
    port = world.port(kind)
    assert record_verification(port, verdict(outcome)) == ()
    found = evidence.read(port, "pay/staging", [SHA])
    assert found.standing is standing
    assert found.reason == f"{outcome.value}: 14 conditions hold"


@pytest.mark.parametrize("kind", list(ForgeKind), ids=str)
def test_a_cluster_that_could_not_be_seen_takes_nothing_back(world, kind):
    port = world.port(kind)
    record_verification(port, verdict(Outcome.VERIFIED))
    written = len(world.store.writes())
    assert record_verification(port, verdict(Outcome.UNKNOWN)) == (
        "not recorded: the verdict is unknown",
    )
    assert len(world.store.writes()) == written
    assert evidence.read(port, "pay/staging", [SHA]).standing is Standing.VERIFIED


@pytest.mark.parametrize("kind", list(ForgeKind), ids=str)
def test_verified_once_more_is_healthy_since_the_first_time(world, kind):
    port = world.port(kind)
    record_verification(port, verdict(Outcome.VERIFIED))
    record_verification(port, verdict(Outcome.VERIFIED, "15 conditions hold"))
    mine = [item for item in world.store.statuses if item["context"].startswith("gen-env/verify")]
    assert len(mine) == 1


def test_a_status_that_is_refused_is_an_error(world):
    world.store.fail(403, path="statuses", method="POST", times=99)
    with pytest.raises(ForgeError):
        record_verification(world.port(ForgeKind.GITHUB), verdict(Outcome.VERIFIED))


def test_a_deployment_that_is_refused_is_said(world):
    world.store.fail(403, path="/deployments", times=99)
    (line,) = record_verification(world.port(ForgeKind.GITHUB), verdict(Outcome.VERIFIED))
    assert line.startswith("recorded as a status alone, no deployment: the token may not do this")
