"""Comment commands: who may give them, what they record, and the answer on the pull request."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from generator.forge.port import ForgePort, PullRequest
from generator.redaction.text import redact_prose
from generator.report.escape import clipped, prose
from service.model.job import Job, State
from service.store.runs import Outcome
from service.webhook.command import Command, Verb

Record = Callable[[PullRequest, Command], None]
_HEAD = "### gen-env: answer to a command\n\n"


def carry_out(job: Job, forge: ForgePort, record: Record) -> tuple[Outcome, list[str], bool]:
    """Record the commands of a comment, where its author may give them; the outcome, the lines of
    the answer, and whether the check runs again.

    Raises Forbidden where the forge does not let gen-env ask for somebody else's rights.
    """
    author = str(job.details["author"])
    if not forge.can_write(author):
        refusal = f"{author} may not write to the repository"
        return Outcome(State.NEUTRAL, refusal), [f"{refusal}: nothing is recorded"], False
    pull = forge.get_pr(job.number)
    lines, again = [], False
    for data in job.details["commands"]:
        command = Command(**{**data, "verb": Verb(data["verb"])})
        refusal = _refusal(command, pull)
        if not refusal:
            record(pull, command)
            again = True
        named = f"{command.verb} {command.rule}".rstrip()
        lines.append(refusal or f"{named} by {author}: the check runs again")
    return Outcome(State.DONE, "; ".join(lines), pull.head_sha), lines, again


def tell(forge: ForgePort, number: int, marker: str, lines: Iterable[str]) -> None:
    """Answer in the one comment that is kept for answers: whoever comments cannot flood."""
    # As list items: a line of ours is never a command itself.
    listed = "".join(f"- {prose(clipped(line, 500))}\n" for line in lines)
    forge.upsert_comment(number, marker, redact_prose(f"{_HEAD}{listed}"))


def _refusal(command: Command, pull: PullRequest) -> str:
    """Why the command is not carried out; empty where it is."""
    # A commit must be named: between a reader's word and our reading, the head may move.
    if command.fault or command.verb is Verb.CHECK or pull.head_sha.startswith(command.sha):
        return command.fault
    return f"{command.verb}: {command.sha} is not the head of the pull request"
