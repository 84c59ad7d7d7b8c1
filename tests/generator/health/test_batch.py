import pytest

from generator import health
from tests.generator.health.objects import cond, obj, reports


def job(*conditions, spec=None, **status):
    return obj("batch/v1", "Job", spec=spec or {}, status=reports(*conditions, **status))


@pytest.mark.parametrize(
    ("manifest", "status", "words"),
    [
        (job(cond("Complete", "True"), succeeded=1), "Healthy", "1 succeeded"),
        (
            job(cond("Failed", "True", "BackoffLimitExceeded", "reached the limit")),
            "Degraded",
            "BackoffLimitExceeded: reached the limit",
        ),
        (job(cond("Suspended", "True", message="Job suspended")), "Suspended", "Job suspended"),
        (job(cond("Suspended", "False", "JobResumed"), active=1), "Progressing", "0 of 1"),
        (job(active=1, failed=2), "Progressing", "2 tries failed"),
        (job(spec={"suspend": True}), "Suspended", "spec.suspend"),
        (obj("batch/v1", "Job", spec={}), "Progressing", "controller"),
    ],
)
def test_a_job_is_well_only_when_it_is_complete(manifest, status, words):
    verdict = health.assess(manifest)
    assert (verdict.status, words in verdict.message) == (status, True), verdict


EARLY, LATE = "2026-01-05T10:00:00Z", "2026-01-05T11:00:00Z"


def cron(status=None, **spec):
    return obj("batch/v1", "CronJob", spec=spec, status=status)


@pytest.mark.parametrize(
    ("manifest", "status"),
    [
        (cron({"lastScheduleTime": EARLY, "lastSuccessfulTime": LATE}), "Healthy"),
        (cron({"lastScheduleTime": LATE, "lastSuccessfulTime": EARLY}), "Degraded"),
        (
            cron(
                {"lastScheduleTime": LATE, "lastSuccessfulTime": EARLY, "active": [{"name": "x"}]}
            ),
            "Healthy",
        ),
        (cron({"lastScheduleTime": LATE}), "Healthy"),
        (cron({}), "Healthy"),
        (cron(None), "Progressing"),
        (cron({"lastScheduleTime": LATE, "lastSuccessfulTime": EARLY}, suspend=True), "Healthy"),
    ],
)
def test_a_cron_job_is_degraded_only_when_its_last_finished_run_failed(manifest, status):
    assert health.assess(manifest).status == status
