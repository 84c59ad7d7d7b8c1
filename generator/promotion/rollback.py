"""`gen-env rollback` as steps: an earlier state of one environment, proposed as a revert."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import datetime

from generator.actions import diff
from generator.airflow.image_release import Runs
from generator.core.basis import Basis
from generator.core.errors import UserError
from generator.core.files import Snapshot
from generator.core.problem import Problem, has_errors
from generator.definition import lock_file
from generator.definition.definition import FILE_NAME, Definition
from generator.engine import deployment, flux_reach
from generator.git.plumbing import Draft
from generator.impact import migration
from generator.impact.migration import CLOSED, Class, Migration
from generator.kube import fields
from generator.kube.resource import Object
from generator.pipeline import generate, review, side
from generator.pipeline.generate import Built
from generator.promotion import history, pause_marker, publish, pull_request_text
from generator.promotion.base_branch import BaseBranch
from generator.promotion.gates import shown_time
from generator.promotion.promote import Published, Toolchain, rendered
from generator.promotion.regenerate import Regenerated, difference, folder_of, regenerate, replaced
from generator.promotion.sync_windows import WindowError, frozen_until
from generator.tree import catalogue

KIND = "rollback"
_LOCAL_BUDGET = 60_000


@dataclasses.dataclass(frozen=True, slots=True)
class Options:
    """What the user asked for on the command line."""

    environment: str
    to: str | None = None
    force: str | None = None


@dataclasses.dataclass(frozen=True)
class Rollback:
    """A rollback ready to be written."""

    options: Options
    base_branch: BaseBranch
    revision: str
    runs: tuple[Runs, Runs]
    """What runs now, and what ran then."""
    migration: Migration
    regenerated: Regenerated
    notes: tuple[str, ...]
    branch: str
    unseen: tuple[Problem, ...] = ()
    """Why the present or the restored state cannot be rendered."""

    @property
    def empty(self) -> bool:
        """Whether the environment is as it was."""
        return not self.regenerated.changes

    @property
    def basis(self) -> Basis:
        """By which versions the state that comes back is judged."""
        return self.regenerated.basis(self.base_branch.policy)

    @property
    def refusal(self) -> str:
        """Why it is not written without a reason; empty when nothing stands in the way."""
        if self.options.force is not None:
            return ""
        if self.unseen:
            return f"not compared object by object: {self.unseen[0].message}"
        return self.database if self.migration.kind in CLOSED else ""

    @property
    def database(self) -> str:
        """What becomes of the schema of the database; empty where the image stays."""
        if self.migration.kind is Class.NONE:
            return ""
        words = migration.words(*self.runs)
        return f"{words}, {self.migration.kind.value}: {self.migration.reason}"

    @property
    def title(self) -> str:
        """The pull request's title, and the commit's first line."""
        return f"Roll {self.options.environment} back to {self.revision[:12]}"

    @property
    def steps(self) -> tuple[str, ...]:
        """What to do, in order, where a merge alone does not lead back."""
        if self.migration.kind not in CLOSED:
            return ()
        name = self.options.environment
        made = deployment.read(self.base_branch.files.contents, folder_of(name).rstrip("/"))
        flux = made.manifest if made is not None and made.engine == "flux" else None
        return tuple(_steps(name, self.runs[0], self.migration, flux))


def prepare(base_branch: BaseBranch, options: Options, tools: Toolchain, now: datetime) -> Rollback:
    """The environment's folder as it was, but for its secrets; nothing is written yet.

    Raises UserError for an unknown environment or revision, one at which it did not exist, and one
    at which it had another release name, namespace or cluster.
    """
    if options.force is not None and not options.force.strip():
        raise UserError("--force needs a reason", hint='--force "why this is right"')
    item = base_branch.definition(options.environment)
    revision = _revision(base_branch, options)
    past = diff.at_revision(base_branch.tree, revision, base_branch.prefix)
    old = catalogue.one(past, options.environment)
    if old is None:
        raise UserError(
            f"{options.environment} has no readable definition at {revision[:12]}",
            path=item.path,
            hint="choose another state with --to REV",
        )
    _require_same_place(base_branch, past, item, old)
    edited = _edited(base_branch, past, options.environment)
    notes: list[str] = []
    regenerated = _regenerated(base_branch, past, edited, old, tools, notes)
    _require_same_engine(base_branch.files, regenerated.files, item)
    present = generate.build(base_branch.files, base_branch.settings, item, tools.charts)
    runs = (
        _runs(base_branch, base_branch.files, item.name, present),
        _runs(base_branch, regenerated.files, item.name, regenerated.built),
    )
    if pause_marker.is_paused(item.document.text):
        notes.append(f"{options.environment} stays paused: gen-env pause ENV --resume ends that")
    notes += _notes(present, now)
    return Rollback(
        options,
        base_branch,
        revision,
        runs,
        migration.classify(*runs),
        regenerated,
        tuple(notes),
        publish.branch_name(KIND, options.environment, _content(regenerated)),
        _unseen(base_branch, regenerated, item.name, tools),
    )


def _unseen(
    base_branch: BaseBranch, made: Regenerated, name: str, tools: Toolchain
) -> tuple[Problem, ...]:
    if not made.changes or has_errors(made.problems):
        return ()
    return tuple(review.unseen(rendered(base_branch, made, name, tools)))


def _revision(base_branch: BaseBranch, options: Options) -> str:
    if options.to is not None:
        return base_branch.tree.resolve(options.to)
    present = _state(base_branch, base_branch.base, options.environment)
    for sha in history.earlier(base_branch, options.environment):
        state = _state(base_branch, sha, options.environment)
        if state is not None and state != present:
            return sha
    hint = "this clone is shallow: git fetch --unshallow" if base_branch.tree.is_shallow() else ""
    raise UserError(f"no earlier state of {options.environment} on {base_branch.branch}", hint=hint)


def _state(base_branch: BaseBranch, sha: str, name: str) -> tuple[str, bytes] | None:
    """What a rollback brings back: a pause, and what was sealed, are no states of their own."""
    folder = base_branch.inside(folder_of(name))
    revision = base_branch.tree.at(sha)
    text = revision.read_file(f"{folder}{FILE_NAME}")
    if text is None:
        return None
    lock = revision.read_file(f"{folder}{lock_file.FILE_NAME}") or b""
    return pause_marker.kept("", text.decode("utf-8", "replace"), FILE_NAME), lock


def _require_same_place(
    base_branch: BaseBranch, past: Snapshot, item: Definition, old: Definition
) -> None:
    """Release name, namespace and cluster are frozen: otherwise it would be another deployment."""
    now, then = catalogue.lock(base_branch.files, item), catalogue.lock(past, old)
    if now is None or then is None:
        return
    for word, present, before in (
        ("release name", now.release_name, then.release_name),
        ("namespace", now.namespace, then.namespace),
        ("cluster", now.server, then.server or now.server),
    ):
        if present != before:
            raise UserError(
                f"the {word} was {before} then and is {present} now: a second deployment",
                path=f"{item.folder}/{lock_file.FILE_NAME}",
                hint="choose a later state with --to REV",
            )


def _require_same_engine(now: Snapshot, after: Snapshot, item: Definition) -> None:
    """A person hands an environment over from one engine to the other; a revert cannot."""
    found = [deployment.read(files.contents, item.folder) for files in (now, after)]
    present, before = (made.engine if made else "" for made in found)
    if present and before and present != before:
        raise UserError(
            f"engine was {before} then and is {present} now: both would apply {item.name}",
            path=item.path,
            hint="choose a later state with --to REV, or change engine back by hand and hand over",
        )


def _edited(base_branch: BaseBranch, past: Snapshot, name: str) -> Snapshot:
    """The files of now with the environment's own of then; what is sealed stays sealed as now."""
    now, folder = base_branch.files, folder_of(name)
    own = {path for path in (*now.contents, *past.contents) if _goes_back(path, folder)}
    clusters = set(flux_reach.cluster_files(base_branch.settings.repository, name))
    own |= clusters & (now.contents.keys() | past.contents.keys())
    contents = {path: past.contents.get(path) for path in own}
    path = f"{folder}{FILE_NAME}"
    present, before = (files.contents[path].decode() for files in (now, past))
    contents[path] = pause_marker.kept(present, before, path).encode()
    return replaced(now, contents)


def _goes_back(path: str, folder: str) -> bool:
    return path.startswith(folder) and not path.startswith(f"{folder}secrets/")


def _regenerated(
    base_branch: BaseBranch,
    past: Snapshot,
    edited: Snapshot,
    old: Definition,
    tools: Toolchain,
    notes: list[str],
) -> Regenerated:
    """The tree as it was then; made anew only where that is needed and adds nothing else.

    A tree of another gen-env stays byte for byte what ran: a rollback is no time for news.
    """
    lock = catalogue.lock(past, old)
    secrets = f"{folder_of(old.name)}secrets/"
    resealed = any(path.startswith(secrets) for path in difference(past, base_branch.files))
    same = edited.contents[old.path] == past.contents[old.path]
    if lock is not None and lock.gen_env != lock_file.version() and same and not resealed:
        notes.append(
            f"the tree is the one that gen-env {lock.gen_env} generated then, not regenerated by "
            f"this {lock_file.version()}; regenerate it after the incident"
        )
        built = generate.build(edited, base_branch.settings, old, tools.charts)
        return Regenerated(edited, difference(base_branch.files, edited), (), built)
    made = regenerate(base_branch.files, edited, old.name, tools.charts, tools.renderer)
    stubs = [path for path in made.changes if path.startswith(secrets)]
    if stubs:
        notes.append(
            f"{', '.join(stubs)}: required by that state and missing now, so a stub is written "
            f"and automated sync stays off; restore it first: git checkout REV -- {stubs[0]}"
        )
    return made


def _runs(base_branch: BaseBranch, files: Snapshot, name: str, built: Built | None) -> Runs:
    """What an environment runs by its files; nothing is known where they are not there."""
    item = side.inputs(files, name, base_branch.settings, built)
    return side.runs(item) if item is not None else Runs()


def _notes(present: Built, now: datetime) -> Iterator[str]:
    yield "sealed files below `secrets/` stay as they are: values that were changed stay changed"
    if present.resolved is None:
        return
    try:
        until = frozen_until(present.resolved.environment.sync.windows, now)
    except WindowError:
        return
    if until is not None:
        end = "without an end" if until.year == datetime.max.year else f"until {shown_time(until)}"
        yield (
            f"a freeze holds {end}: it does not block this merge, but Argo CD will not sync "
            "automatically; sync by hand"
        )


def _content(regenerated: Regenerated) -> str:
    import hashlib

    digest = hashlib.sha256()
    for path, content in sorted(regenerated.changes.items()):
        digest.update(path.encode() + b"\0" + (b"-" if content is None else b"+" + content) + b"\0")
    return digest.hexdigest()


def _steps(name: str, present: Runs, migration: Migration, flux: Object | None) -> Iterator[str]:
    """In order; `flux` is the HelmRelease where Flux applies the environment."""
    if migration.kind is Class.UNKNOWN:
        yield f"find out which migrations lie between both images: {migration.reason}"
        yield "write what each image holds into `image.facts` (`gen-env image inspect`)"
        return
    if migration.kind is Class.ONE_WAY and not migration.falls:
        yield "take a backup of the metadata database: the schema moves up, and not back again"
        yield f"merge this, sync it, and run `gen-env verify {name}`"
        return
    if migration.kind is Class.ONE_WAY:
        yield f"stop everything of {name}: no scheduler, worker, API server or triggerer may run"
        yield "restore the backup of the metadata database from before the upgrade"
        yield f"merge this, sync it, and run `gen-env verify {name}`"
        return
    if flux:
        namespace = fields.text(flux, "metadata", "namespace")
        halted = f"`flux suspend helmrelease {fields.name_of(flux)} -n {namespace}`"
        yield f"pause {name} (`gen-env pause {name}`), and what would scale it up again: {halted}"
    else:
        yield f"pause Argo CD syncs of {name} (`gen-env pause {name}`)"
    if migration.assumed:
        yield f"check what was assumed: {'; '.join(migration.assumed)}"
    yield "take a backup of the metadata database"
    yield f"scale scheduler, workers, triggerer, DAG processor and API server of {name} to 0"
    for step in migration.before:
        yield f"run `{step.command}` in a pod of the present image ({present.image.version})"
    if flux:
        yield f"merge this, then let Flux apply it: `gen-env pause {name} --resume`, merged as well"
        yield f"{halted.replace('suspend', 'resume')}, and run `gen-env verify {name}`"
        return
    yield f"merge this, sync it by hand, and run `gen-env verify {name}`"
    yield f"let it sync again (`gen-env pause {name} --resume`)"


def publish_it(rollback: Rollback, tools: Toolchain, *, pull: bool) -> Published:
    """Write the commit and, with `pull`, push it and open or update the one pull request."""
    base_branch, branch = rollback.base_branch, rollback.branch
    if pull:
        assert tools.forge is not None
        name = rollback.options.environment
        open_one = publish.existing(tools.forge, KIND, name, base_branch.branch, branch)
        branch = open_one.head_ref if open_one else branch
    placed = publish.place(base_branch, branch, _draft(rollback), push=pull)
    if not pull or tools.forge is None:
        return Published(placed, None)
    body = render(rollback, tools, tools.forge.limits.comment_budget)
    return Published(
        placed, tools.forge.ensure_pr(branch, base_branch.branch, rollback.title, body)
    )


def _draft(rollback: Rollback) -> Draft:
    present, past = (runs.airflow or "unknown" for runs in rollback.runs)
    airflow = f"Airflow {present} -> {past}" if present != past else ""
    message = publish.message(
        rollback.title,
        airflow,
        {
            publish.TRAILER: KIND,
            "Rolled-Back-To": rollback.revision,
            "Forced": rollback.options.force or "",
        },
    )
    changes = {
        rollback.base_branch.inside(path): content
        for path, content in rollback.regenerated.changes.items()
    }
    return Draft(rollback.base_branch.base, changes, message)


def render(rollback: Rollback, tools: Toolchain, budget: int = _LOCAL_BUDGET) -> str:
    """The text of the pull request; renders both sides."""
    name, base_branch = rollback.options.environment, rollback.base_branch
    lines = [
        f"This restores {name} to its state at `{rollback.revision[:12]}`;"
        " other environments do not change. A freeze does not block it.\n"
    ]
    if rollback.database:
        lines.append(f"\n**Database**: {pull_request_text.sentence(rollback.database)}\n")
    if rollback.steps:
        numbered = [
            f"{number}. {pull_request_text.sentence(step)}"
            for number, step in enumerate(rollback.steps, 1)
        ]
        lines.append("\n**In this order**\n\n" + "\n".join(numbered) + "\n")
    lines.append(pull_request_text.listed(rollback.notes))
    lines.append(pull_request_text.judged_by(rollback.basis))
    if rollback.options.force is not None:
        lines.append(pull_request_text.forced(rollback.options.force))
    report = rendered(base_branch, rollback.regenerated, name, tools)
    return pull_request_text.with_report("".join(lines), report, budget)
