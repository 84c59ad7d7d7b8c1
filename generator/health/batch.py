"""Job (gitops-engine `health_job.go`) and CronJob (Argo CD's `batch/CronJob/health.lua`)."""

from __future__ import annotations

from generator.health.status import Health, degraded, healthy, progressing, suspended
from generator.kube.fields import condition, count, entries, integer, is_true, section, text
from generator.kube.resource import Object


def assess_job(manifest: Object) -> Health:
    """Complete, failed, suspended, or still running.

    Only a condition that stands at True counts: a resumed Job keeps `Suspended: False`, which
    says nothing about success.
    """
    failure = condition(manifest, "Failed")
    if failure is not None and failure.status == "True":
        return degraded(f"the Job failed: {failure.words or 'no reason given'}; see its pods' logs")
    if is_true(manifest, "Complete"):
        return healthy(f"complete: {count(manifest, 'status', 'succeeded')} succeeded")
    if is_true(manifest, "Suspended") or section(manifest, "spec").get("suspend") is True:
        words = condition(manifest, "Suspended")
        return suspended((words.message if words else "") or "suspended by spec.suspend")
    return progressing(_job_progress(manifest))


def assess_cron_job(manifest: Object) -> Health:
    """Degraded only when the last finished run failed; nothing else can be read from it."""
    if section(manifest, "spec").get("suspend") is True:
        return healthy("suspended: no run will start until spec.suspend is false")
    status = section(manifest, "status")
    if "status" not in manifest:
        return progressing("waiting for the CronJob controller")
    scheduled, succeeded = text(status, "lastScheduleTime"), text(status, "lastSuccessfulTime")
    if not scheduled:
        return healthy("has not been scheduled yet")
    if not succeeded:
        return healthy(f"scheduled at {scheduled}, but no run has succeeded yet: see its Jobs")
    if entries(status, "active"):
        return healthy(f"running; the last success was at {succeeded}")
    if succeeded < scheduled:
        return degraded(
            f"the run of {scheduled} did not succeed (last success {succeeded}): see its Job's pods"
        )
    return healthy(f"the last run succeeded at {succeeded}")


def _job_progress(manifest: Object) -> str:
    if not section(manifest, "status"):
        return "waiting for the Job controller"
    wanted = integer(manifest, "spec", "completions") or 1
    done = count(manifest, "status", "succeeded")
    failed = count(manifest, "status", "failed")
    tries = f", {failed} tries failed" if failed else ""
    return f"running: {done} of {wanted} completions{tries}"
