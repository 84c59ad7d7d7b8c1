"""The last backup and the last restore drill, as the Jobs in a cluster show them."""

from datetime import UTC, datetime

import pytest

from generator.cluster import Listing
from generator.core.errors import UserError
from generator.core.files import Snapshot
from generator.model.repository import TierPolicy
from generator.pipeline import drills
from generator.pipeline.generate import build
from generator.tree import catalogue
from tests.repositories import PRODUCTION, SETTINGS

NOW = datetime(2026, 6, 3, 12, 0, tzinfo=UTC)
TIER = TierPolicy(backup="36h", drill="336h")
BACKUP = """\
backup:
  image: {repository: registry.example.com/backup, tag: "1"}
  storage: {volume: {claim: backups}}
  encryption: {recipients: [age1%s]}
""" % ("q" * 58)


class Cluster:
    """Holds Jobs; what is asked of it is kept."""

    def __init__(self, *jobs):
        self.jobs, self.asked, self.closed = jobs, [], False

    def list(self, resource, namespace):
        self.asked.append((resource.plural, namespace))
        return Listing(self.jobs, "1")

    def close(self):
        self.closed = True


def job(owner, ended, kind="Complete", name="", **more):
    ended = {"type": kind, "status": "True", "lastTransitionTime": ended, **more}
    return {
        "metadata": {
            "name": name or f"{owner}-1",
            "ownerReferences": [{"kind": "CronJob", "name": owner}],
        },
        "status": {"conditions": [ended]},
    }


def built(more=BACKUP):
    files = {
        "gen-env.yaml": SETTINGS.encode(),
        "environments/production/environment.yaml": (PRODUCTION + more).encode(),
    }
    found = catalogue.load(Snapshot(files))
    assert found.settings is not None
    return build(Snapshot(files), found.settings, found.definitions["production"])


def standings(*jobs, tier=TIER, of=None):
    cluster = Cluster(*jobs)
    found = drills.standings(of or built(), tier, lambda name: cluster, NOW)
    return found, cluster


GOOD = job("airflow-backup", "2026-06-03T02:10:00Z")
DRILL = job("airflow-restore-drill", "2026-06-01T05:40:00Z")


def test_a_young_backup_and_a_good_drill_open_both_gates():
    found, cluster = standings(GOOD, DRILL)
    assert {gate: item.fault for gate, item in found.items()} == {"backup": "", "drill": ""}
    assert found["drill"].line.startswith("the last restore drill succeeded 54 hours ago")
    assert cluster.asked == [("jobs", "airflow")]
    assert cluster.closed


@pytest.mark.parametrize(
    ("jobs", "word"),
    [
        ((), "no restore drill has ended: no finished Job of CronJob airflow-restore-drill"),
        (
            (job("airflow-restore-drill", "2026-05-19T05:40:00Z"),),
            "366 hours old, 336h are allowed",
        ),
        ((DRILL, job("airflow-restore-drill", "2026-06-03T05:40:00Z", "Failed")), "failed 6 hours"),
        ((job("airflow-restore-drill", "2026-06-04T05:40:00Z"),), "is of the future"),
        ((job("other-restore-drill", "2026-06-03T05:40:00Z"),), "no restore drill has ended"),
        ((job("airflow-restore-drill", "2026-06-03T05:40:00Z", "Suspended"),), "has ended"),
        ((job("airflow-restore-drill", ""),), "not read: Job airflow-restore-drill-1 does not say"),
    ],
)
def test_what_shuts_the_gate_is_named(jobs, word):
    assert word in standings(GOOD, *jobs)[0]["drill"].fault


def test_a_good_run_after_a_failed_one_opens_it_again():
    failed = job("airflow-restore-drill", "2026-05-31T05:40:00Z", "Failed")
    assert not standings(GOOD, failed, DRILL)[0]["drill"].fault


def test_a_cluster_that_cannot_be_read_leaves_both_shut():
    def refuses(name):
        raise UserError(f"{name} does not answer")

    found = drills.standings(built(), TIER, refuses, NOW)
    assert {item.fault for item in found.values()} == {"not read: main does not answer"}


@pytest.mark.parametrize("more", ["", "backup: {external: of the provider}\n"])
def test_backups_that_are_not_of_gen_env_are_not_taken_for_good(more):
    found, cluster = standings(GOOD, DRILL, of=built(more))
    assert found["drill"].fault == "not read: gen-env makes no backup of production"
    assert not cluster.asked


def test_only_what_the_tier_wants_is_read():
    assert list(standings(GOOD, tier=TierPolicy(backup="36h"))[0]) == ["backup"]
    found, cluster = standings(GOOD, tier=TierPolicy(soak="1h"))
    assert found == {}
    assert not cluster.asked
    assert standings(GOOD, tier=None)[0] == {}


def test_the_current_context_is_never_asked():
    settings = catalogue.load(Snapshot({"gen-env.yaml": SETTINGS.encode()})).settings
    with pytest.raises(UserError, match=r"no clusters\.elsewhere\.context"):
        drills.by_context(settings)("elsewhere")
