from datetime import timedelta

import pytest

from generator.actions import diff
from generator.core.files import Snapshot
from generator.promotion import gates, pause_marker, promote, recheck
from generator.promotion.evidence import Evidence, Standing
from generator.promotion.promote import Options
from generator.promotion.recheck import Proposed
from generator.promotion.regenerate import difference
from tests.generator.promotion.world import DEFINITION, FROM, NOW, PATHS, VERIFIED
from tests.repositories import PRODUCTION, SETTINGS, STAGING

POLICY = PATHS + "policy: {tiers: {production: {soak: 72h, promotionOnly: true}}}\n"


@pytest.fixture
def promoted(world):
    """A world with an open promotion, and its branch."""
    world.configure(POLICY)
    world.stage()
    found = promote.prepare(
        world.base_branch(), Options("staging", "production"), world.tools(), NOW
    )
    placed = promote.publish_it(found, world.tools(), NOW, pull=True).placed
    world.branch = placed.branch
    return world


def again(world, *, head=None, branch=None, now=NOW, evidence=None, **more):
    tree = world.base_branch().tree
    base = diff.at_revision(tree, "origin/main", "")
    changed = diff.at_revision(tree, head or world.branch, "")
    proposed = Proposed(
        "production", base, changed, frozenset(difference(base, changed)),
        branch or world.branch, **more
    )  # fmt: skip
    proof = evidence or Evidence(Standing.VERIFIED, "a" * 40, VERIFIED)
    asked = []

    def evidence_of(source):
        asked.append(source)
        return proof

    found = {gate.name: gate for gate in recheck.again(proposed, evidence_of, now)}
    assert set(asked) <= {"staging"}
    return found


def edited(world, path, *pairs, branch="hand/edit"):
    """A branch on main with an edit."""
    world.repo.git("switch", "--quiet", "--force-create", branch, "main")
    world.merge(path, *pairs, push=False)
    world.repo.git("switch", "--quiet", "main")
    return branch


@pytest.mark.thorough
def test_the_soak_ends_while_the_pull_request_waits(promoted):
    assert again(promoted)["soak"].state == "waiting"
    later = again(promoted, now=NOW + timedelta(days=1))
    assert gates.open_now(later.values())


def test_a_verification_that_failed_since_closes_it(promoted):
    found = again(promoted, evidence=Evidence(Standing.FAILED, "a" * 40, reason="2 pods down"))
    assert found["verified"].state == "blocked"


@pytest.mark.thorough
def test_a_source_that_moved_on_makes_it_stale(promoted):
    promoted.stage("3.2.2-r3", "0a1b2c3d" * 8)
    found = again(promoted)
    assert found["current"].state == "blocked"
    assert "image.digest" in found["current"].reason


def test_more_than_promoted_fields_in_a_branch_of_that_name_is_found(promoted):
    head = edited(promoted, DEFINITION, ("tag: 3.2.2-r1", "tag: 3.2.2-r2"), ("Size: 20", "Size: 9"))
    found = again(promoted, head=head)
    assert "pgbouncer.poolSize" in found["promotion-only"].reason


@pytest.mark.thorough
def test_other_files_are_found(promoted):
    head = edited(promoted, DEFINITION, ("tag: 3.2.2-r1", "tag: 3.2.2-r2"))
    promoted.repo.git("switch", "--quiet", head)
    promoted.repo.write("environments/staging/extra.yaml", "a: 1\n")
    promoted.repo.commit("More")
    promoted.repo.git("switch", "--quiet", "main")
    found = again(promoted, head=head)
    assert "environments/staging/extra.yaml" in found["promotion-only"].reason


def test_a_change_by_hand_is_blocked_where_only_promotions_may(promoted):
    head = edited(promoted, DEFINITION, ("poolSize: 20", "poolSize: 30"))
    found = again(promoted, head=head, branch=head)
    assert found["promotion-only"].state == "blocked"


def test_a_change_of_nothing_promoted_has_no_gates_elsewhere(world):
    world.branch = edited(world, DEFINITION, ("poolSize: 20", "poolSize: 30"))
    assert again(world) == {}


def test_a_pull_request_does_not_bend_its_own_rules(promoted):
    head = edited(promoted, "gen-env.yaml", ("soak: 72h, promotionOnly: true", "soak: 1s"))
    promoted.repo.git("switch", "--quiet", head)
    promoted.merge(DEFINITION, ("tag: 3.2.2-r1", "tag: 3.2.2-r2"), push=False)
    promoted.repo.git("switch", "--quiet", "main")
    found = again(promoted, head=head, branch=head)
    assert found["soak"].state == "waiting"
    assert found["promotion-only"].state == "blocked"


@pytest.mark.thorough
def test_labels_are_asked_for_as_the_base_says(promoted):
    assert "labels" not in again(promoted)
    promoted.configure(POLICY.replace("soak: 72h", "soak: 1h, labels: [approved, on-call]"))
    head = edited(promoted, "gen-env.yaml", ("labels: [approved, on-call], ", ""))
    promoted.repo.git("switch", "--quiet", head)
    promoted.merge(DEFINITION, ("tag: 3.2.2-r1", "tag: 3.2.2-r2"), push=False)
    promoted.repo.git("switch", "--quiet", "main")
    found = again(promoted, head=head, labels=frozenset({"on-call", "other"}))
    assert found["labels"].state == "waiting"
    assert found["labels"].reason == "the pull request lacks the label approved"
    found = again(promoted, head=head, labels=frozenset({"on-call", "approved"}))
    assert found["labels"].state == "passed"


@pytest.mark.thorough
def test_a_pause_is_no_promotion(promoted):
    text = pause_marker.with_window(
        promoted.repo.read(DEFINITION), pause_marker.DenyWindow(), DEFINITION
    )
    promoted.repo.git("switch", "--quiet", "--create", "any/name")
    promoted.repo.write(DEFINITION, text)
    promoted.repo.commit("Pause")
    promoted.repo.git("switch", "--quiet", "main")
    assert again(promoted, head="any/name", branch="any/name") == {}


@pytest.mark.thorough
def test_an_earlier_state_is_a_rollback_and_has_no_gates(promoted):
    before = promoted.repo.read(DEFINITION).encode()
    promoted.repo.git("merge", "--quiet", "--ff-only", promoted.branch)
    promoted.push()
    promoted.repo.git("switch", "--quiet", "--create", "back")
    promoted.repo.write(DEFINITION, before)
    promoted.repo.run("generate")
    promoted.repo.commit("Back")
    promoted.repo.git("switch", "--quiet", "main")
    assert again(promoted, head="back", branch="back", earlier=(before,)) == {}
    assert again(promoted, head="back", branch="back")["promotion-only"].state == "blocked"


def test_where_no_path_leads_to_releases_begin(world):
    world.configure("promotion: {paths: {main: [production, staging]}}\n")
    world.branch = edited(world, DEFINITION, ("tag: 3.2.2-r1", "tag: 3.2.2-r2"))
    assert {name: gate.state for name, gate in again(world).items()} == {"freeze": "passed"}


def test_a_drill_that_policy_wants_and_nobody_can_read_holds_it_where_releases_begin_too(world):
    paths = "promotion: {paths: {main: [production, staging]}}\n"
    world.configure(paths + "policy: {tiers: {production: {drill: 336h}}}\n")
    world.branch = edited(world, DEFINITION, ("tag: 3.2.2-r1", "tag: 3.2.2-r2"))
    found = again(world)
    assert set(found) == {"freeze", "drill"}
    assert found["drill"].state == "blocked"
    assert found["drill"].reason == "not read: gen-env makes no backup of production"


def test_where_no_path_leads_to_and_only_promotions_may_change_it_nothing_is_open(world):
    paths = "promotion: {paths: {main: [production, staging]}}\n"
    world.configure(paths + "policy: {tiers: {production: {promotionOnly: true}}}\n")
    world.branch = edited(world, DEFINITION, ("tag: 3.2.2-r1", "tag: 3.2.2-r2"))
    found = again(world)
    assert found["order"].state == found["promotion-only"].state == "blocked"
    assert FROM not in found["order"].reason


def definition(name, tag):
    text = {"staging": STAGING, "production": PRODUCTION}[name]
    return text.replace("tag: 3.2.2-r1", f"tag: {tag}")


def asked(paths, base=(), head=(), earlier=()):
    """The gates of a new tag in production, on a base (and a head) with these files otherwise."""
    texts = {
        "gen-env.yaml": SETTINGS + f"promotion: {{paths: {paths}}}\n",
        "environments/staging/environment.yaml": definition("staging", "r2"),
        "environments/production/environment.yaml": definition("production", "r1"),
    } | dict(base)
    new = {"environments/production/environment.yaml": definition("production", "r2")}
    sides = [{**texts}, {**texts, **new, **dict(head)}]
    base_files, head_files = (
        Snapshot({path: text.encode() for path, text in side.items() if text}) for side in sides
    )
    touched = frozenset(new)
    proposed = Proposed("production", base_files, head_files, touched, "hand", earlier=earlier)
    proof = Evidence(Standing.VERIFIED, "a" * 40, VERIFIED)
    found = recheck.again(proposed, lambda _: proof, NOW)
    return {gate.name: (gate.state.value, gate.reason) for gate in found}


BROKEN = "kind: [\n"
OF = "environments/{}/environment.yaml"
LEADS = "{main: [staging, production]}"


@pytest.mark.parametrize(
    ("paths", "base", "head", "unread"),
    [
        (LEADS, {OF.format("staging"): BROKEN}, {}, "staging of promotion.paths"),
        (LEADS, {OF.format("staging"): ""}, {}, "staging of promotion.paths"),
        ("{main: [stagign, production]}", {}, {}, "stagign of promotion.paths"),
        ("{main: [staging, prodution]}", {}, {}, "prodution of promotion.paths"),
        (LEADS, {OF.format("production"): BROKEN}, {}, "production cannot be read on the base"),
        (LEADS, {}, {OF.format("production"): BROKEN}, "cannot be read on the pull request"),
        (LEADS, {"gen-env.yaml": BROKEN}, {}, "gen-env.yaml cannot be read on the base"),
    ],
)
def test_what_cannot_be_read_opens_no_gate(paths, base, head, unread):
    state, reason = asked(paths, base, head)["order"]
    assert state == "blocked" and unread in reason


def test_the_freeze_of_an_invalid_definition_is_not_known():
    invalid = definition("production", "r1") + "sync: {windows: [{kind: deny}]}\n"
    state, reason = asked(LEADS, {OF.format("production"): invalid})["freeze"]
    assert state == "blocked" and "not known" in reason


def test_what_is_read_opens_it():
    assert {state for state, _ in asked(LEADS).values()} == {"passed"}
    assert set(asked("{main: [production, staging]}")) == {"freeze"}
    back = definition("production", "r2").encode()
    assert asked(LEADS, {OF.format("production"): BROKEN}, earlier=(back,)) == {}
    assert asked(LEADS, {OF.format("production"): ""}) == {}
    mended = {"gen-env.yaml": SETTINGS, OF.format("production"): definition("production", "r1")}
    assert asked(LEADS, {"gen-env.yaml": BROKEN}, mended) == {}
