"""From the merge to the next environment's pull request, in each forge's language."""

import pytest

from generator.forge.port import ForgeKind
from generator.verify.result import Outcome
from service.follow_up import verify as verify_module
from service.model.job import Kind
from tests.service.follow_up.test_verify import Verifier, answer
from tests.service.follow_up.world import HOUR, SOAKED, STAGING


@pytest.fixture(params=list(ForgeKind))
def kind(request):
    return request.param


@pytest.mark.few(1)
def test_a_merge_is_verified_soaks_and_moves_on(world, monkeypatch):
    monkeypatch.setattr(verify_module, "_LONGEST_PAUSE", 0.0)
    world.verifying()
    number = world.change(STAGING, "tag: 3.2.2-r1", "tag: 3.2.2-r2")
    sha = world.store.pulls[number]["sha"]
    world.merge(sha)
    world.store.pulls[number] |= {"state": "closed", "merged": True, "merge_sha": sha}
    world.verifier = Verifier(answer(Outcome.VERIFIED, "healthy"))

    world.submit(Kind.MERGE, number, sha=sha)
    world.drain()
    assert "### gen-env: verified" in world.comment(number)
    assert len(world.store.pulls) == 1
    # When the soak has passed, by whichever clock the forge dates its statuses.
    [(_, _, due)] = [found for found in world.reminders() if found[0] == "promote"]
    world.pass_time(max(due, SOAKED))
    world.drain()
    made = [pull for pull in world.store.pulls.values() if pull["head"].startswith("promote/")]
    assert [pull["title"].partition(",")[0] for pull in made] == [
        "Promote staging to production: image.tag"
    ]
    assert f"- Promotion: pull request {made[0]['number']}: " in world.comment(number)

    world.run(Kind.GATES, made[0]["number"])
    world.pass_time(world.now + HOUR)
    world.drain()
    state, said = world.gates(made[0]["number"])
    assert state == "success" and said.startswith("open: order, current, promotion-only")
