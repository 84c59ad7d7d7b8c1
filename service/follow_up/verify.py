"""One environment and one merged commit: watched in its cluster until there is a verdict."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import json
import time
from collections.abc import Callable, Iterator

import jinja2

from generator.actions import verify as verify_action
from generator.cluster import Cluster, ClusterError
from generator.core.basis import NOTHING, NotRead
from generator.core.errors import UserError
from generator.forge.errors import RateLimited, Unavailable
from generator.forge.port import CheckState
from generator.pipeline import toolchain
from generator.pipeline.repository import ROOT
from generator.promotion import evidence
from generator.redaction.text import redact_prose
from generator.verify.result import Memory, Outcome, Verdict
from service.follow_up.branch import Branch, branch
from service.follow_up.merged import NOT_CONFIGURED
from service.follow_up.task import Done, Task, neutral, superseded
from service.model.job import Job, Kind, State
from service.settings.schema import Verification
from service.store import runs
from service.store.reports import Report

_ASK_SECONDS = 5.0
_FETCH_SECONDS = 60.0
_LONGEST_PAUSE = 60.0
# What may still change without another commit: somebody syncs by hand, or the cluster answers.
_AGAIN = (Outcome.UNKNOWN, Outcome.NOT_SYNCED, Outcome.PRUNE_CONFIRMATION)
_STATES = {
    Outcome.VERIFIED: State.SUCCESS,
    Outcome.SUPERSEDED: State.SUPERSEDED,
    Outcome.UNKNOWN: State.ERROR,
}


class _Overtaken(Exception):
    """A later commit changes the environment."""


class _Ended(Exception):
    """Another run has taken this one's place."""


Verifier = Callable[..., Verdict]
"""`verify_in` of the generator: one look that lasts until the verdict stands or time is up."""


def verify(task: Task, verifier: Verifier = verify_action.verify_in) -> Done:
    """Watch until the verdict stands or time is up, and write it where promotions look for it.

    Raises Unavailable and RateLimited where the forge must be asked again.
    """
    known = task.connection.verification
    if known is None or task.detail("cluster") not in known.clusters:
        return neutral(NOT_CONFIGURED, task.detail("sha"))
    brought = task.detail("sha")
    try:
        with branch(task) as here:
            # Of several that were merged at once an earlier commit may have brought the files, and
            # there the evidence of these files is looked for first.
            folder = f"{ROOT}/{task.job.environment}"
            words = ("rev-list", "--first-parent", "--max-count=1", brought, "--", folder)
            brought = here.mirror.git.line_or_none(*words) or brought
            verdict = _verdict(task, here, known, verifier)
    except _Ended:
        return superseded(task.detail("sha"), "another run")
    except (Unavailable, RateLimited):
        raise
    except UserError as error:
        verdict = _made(task, Outcome.UNKNOWN, f"cannot be verified: {error.sentence}")
    if verdict.outcome is Outcome.UNKNOWN:
        # Nothing is known of the commit, but that nobody looks any more has to be said.
        _record(task, CheckState.ERROR, f"unknown: {verdict.message}")
    else:
        for sha in sorted({verdict.revision, brought}):
            about = dataclasses.replace(verdict, revision=sha)
            evidence.record_verification(task.context.forge, about, task.context.report_url)
    text = redact_prose(json.dumps(verdict.as_json(), indent=2)) + "\n"
    report = Report(text, redact_prose(_page(verdict)))
    state = _STATES.get(verdict.outcome, State.FAILURE)
    found = {task.job.environment: verdict.outcome.value}
    outcome = runs.Outcome(state, verdict.summary, verdict.revision, found)
    return Done(outcome, tuple(_follow(task, verdict)), report=report, run_now=True)


def _verdict(task: Task, here: Branch, known: Verification, verifier: Verifier) -> Verdict:
    environment, sha = task.job.environment, task.detail("sha")
    files = here.files(sha)
    revision = verify_action.Revision(
        here.tree, "", sha, files, toolchain.charts(files), toolchain.lazy(files), here.refresh
    )
    changes = verify_action.changes(revision, environment)
    watch = _Watch(task, here, changes, known.timeout_seconds, verifier)
    try:
        watch.overtaken()
        _pending(task, "waits until the cluster has applied it")
        found = verify_action.subject_at(revision, environment)
        apart = found.expected.engine == "argocd"
        with _clusters(known, task.detail("cluster"), apart=apart) as (cluster, hub):
            return watch.follow(found, cluster, hub)
    except _Overtaken as later:
        return _made(task, Outcome.SUPERSEDED, f"{later} changes {environment} again")


@contextlib.contextmanager
def _clusters(known: Verification, name: str, *, apart: bool) -> Iterator[tuple[Cluster, Cluster]]:
    """The environment's cluster and Argo CD's, which may be the same; Flux's is (not `apart`)."""
    with contextlib.closing(known.clusters[name].open()) as cluster:
        if not apart or known.hub(name) == known.clusters[name]:
            yield cluster, cluster
            return
        with contextlib.closing(known.hub(name).open()) as hub:
            yield cluster, hub


@dataclasses.dataclass
class _Watch:
    """Looks again while the answer may still come, and ends early when nobody wants it any more."""

    task: Task
    here: Branch
    changes: Callable[[str, str], bool | None]
    timeout: float
    verifier: Verifier
    asked: float = 0.0
    looked: float = 0.0

    @property
    def remaining(self) -> float:
        """Seconds, from when the run was first begun, whatever was restarted since."""
        return self.task.started + self.timeout - self.task.clock()

    def follow(self, found: verify_action.Subject, cluster: Cluster, hub: Cluster) -> Verdict:
        """The verdict that stands when it cannot get better, or when time is up."""
        pause = 5.0
        while True:
            try:
                left = max(0.0, self.remaining)
                verdict = self.verifier(found, cluster, hub, timeout=left, tick=self.tick)
            except ClusterError as error:
                verdict = _made(self.task, Outcome.UNKNOWN, error.message)
            if verdict.outcome not in _AGAIN or self.remaining <= 0:
                return verdict
            _pending(self.task, f"{verdict.outcome.value}: {verdict.message}")
            end = time.monotonic() + min(pause, self.remaining)
            while (left := end - time.monotonic()) > 0:
                self.tick()
                time.sleep(min(1.0, left))
            pause = min(_LONGEST_PAUSE, pause * 2)

    def tick(self) -> None:
        """Raise _Ended or _Overtaken when there is nothing to wait for any more."""
        now = time.monotonic()
        if now - self.asked >= _ASK_SECONDS:
            self.asked = now
            if not self.task.context.is_current():
                raise _Ended
        if now - self.looked >= _FETCH_SECONDS:
            self.here.refresh()
            self.overtaken()

    def overtaken(self) -> None:
        """Raise _Overtaken when the branch has a later commit that changes the environment."""
        self.looked = time.monotonic()
        head = self.here.head
        if self.changes(self.task.detail("sha"), head):
            raise _Overtaken(head[:12])


def _made(task: Task, outcome: Outcome, message: str) -> Verdict:
    """A verdict that no cluster was read for."""
    memory = Memory(outcome, task.now)
    environment, sha = task.job.environment, task.detail("sha")
    message = redact_prose(message)
    basis = NOTHING.without([NotRead(f"cluster {task.detail('cluster')}", reason=message)])
    return Verdict(environment, sha, outcome, message, (), (), (), memory, basis)


def _pending(task: Task, description: str) -> None:
    _record(task, CheckState.PENDING, description)


def _record(task: Task, state: CheckState, description: str) -> None:
    about, said = (task.job.environment, task.detail("sha")), redact_prose(description)
    evidence.record(task.context.forge, *about, state, said, task.context.report_url)


def _follow(task: Task, verdict: Verdict) -> Iterator[Job]:
    environment = task.job.environment
    if task.job.number:
        yield task.then(Kind.VERDICTS)
    if verdict.outcome is Outcome.VERIFIED:
        # Which promotions begin here, and whether they open by themselves, its settings say.
        yield task.then(Kind.PROMOTE, environment=environment, target="")
    if verdict.outcome is Outcome.FAILED:
        yield task.then(Kind.ROLLBACK, environment=environment, sha=verdict.revision)


@functools.cache
def _template() -> jinja2.Template:
    loader = jinja2.PackageLoader("service.follow_up", ".")
    made = jinja2.Environment(loader=loader, autoescape=True, undefined=jinja2.StrictUndefined)
    return made.get_template("verdict.html")


def _page(verdict: Verdict) -> str:
    """A page of its own, for whoever follows the link of the status; nothing in it is markup."""
    return _template().render(verdict=verdict)
