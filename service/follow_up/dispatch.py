"""The one door: which module carries out which kind of job."""

from __future__ import annotations

from service.follow_up import comment, drift, gates, merged, proposal, verify
from service.follow_up.task import After, Done, Task
from service.model.job import Kind

_WORK: dict[Kind, After] = {
    Kind.GATES: gates.decide,
    Kind.MERGE: merged.merge,
    Kind.VERIFY: verify.verify,
    Kind.VERDICTS: comment.upsert,
    Kind.PROMOTE: proposal.promote,
    Kind.ROLLBACK: proposal.roll_back,
    Kind.DRIFT: drift.compare,
}


def work(task: Task) -> Done:
    """Carry the job out; running it again changes nothing.

    Raises UserError for what people must mend, `generator.forge.errors` that may pass, and
    anything else for a bug of ours.
    """
    if task.job.kind is Kind.VERIFY and not task.job.environment:
        # As it was queued before verifications had an environment each.
        return merged.merge(task)
    return _WORK[task.job.kind](task)
