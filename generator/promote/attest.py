"""What a verification found, written where a promotion looks for it."""

from __future__ import annotations

from generator.forge.port import CheckState, ForgePort
from generator.promote import evidence
from generator.verify.result import Outcome, Verdict

# A cluster that could not be seen says nothing about the commit: what stands there stays.
_STATES = {
    Outcome.VERIFIED: CheckState.SUCCESS,
    Outcome.FAILED: CheckState.FAILURE,
    Outcome.TIMED_OUT: CheckState.FAILURE,
    Outcome.SUPERSEDED: CheckState.CANCELLED,
    Outcome.NOT_SYNCED: CheckState.PENDING,
    Outcome.PRUNE_CONFIRMATION: CheckState.PENDING,
    Outcome.PENDING: CheckState.RUNNING,
}


def attest(forge: ForgePort, verdict: Verdict, url: str = "") -> tuple[str, ...]:
    """Record a verdict on its commit; gives what could not be recorded, and why.

    Raises ForgeError when the forge refuses the status.
    """
    state = _STATES.get(verdict.outcome)
    if state is None:
        return (f"not recorded: the verdict is {verdict.outcome.value}",)
    said = f"{verdict.outcome.value}: {verdict.message}" if verdict.message else verdict.outcome
    why = evidence.record(forge, verdict.environment, verdict.revision, state, said, url)
    return (f"recorded as a status alone, no deployment: {why}",) if why else ()
