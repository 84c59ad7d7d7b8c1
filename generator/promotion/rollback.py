"""`gen-env rollback` as steps: an earlier state of one environment, proposed as a revert."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import datetime

from generator.actions import diff as compare
from generator.core.errors import UserError
from generator.core.files import Snapshot
from generator.definition import lock as locks
from generator.definition.definition import FILE_NAME, Definition
from generator.git.plumbing import Draft
from generator.impact.rules import migrations
from generator.impact.rules.migrations import Class, Migration
from generator.pipeline import generate as pipeline
from generator.pipeline.generate import Built
from generator.promotion import history, publish
from generator.promotion import pause_marker as standstill
from generator.promotion import pull_request_text as text
from generator.promotion.base_branch import Ground
from generator.promotion.gates import shown_time
from generator.promotion.promote import Means, Published, rendered
from generator.promotion.regenerate import Regenerated, difference, folder_of, regenerate, replaced
from generator.promotion.sync_windows import WindowError, frozen_until
from generator.tree import catalogue

KIND = "rollback"
_LOCAL_BUDGET = 60_000


@dataclasses.dataclass(frozen=True, slots=True)
class Wish:
    """What the user asked for on the command line."""

    environment: str
    to: str | None = None
    force: str | None = None


@dataclasses.dataclass(frozen=True)
class Rollback:
    """A rollback ready to be written."""

    wish: Wish
    ground: Ground
    revision: str
    versions: tuple[str, str]
    """Airflow as it is, and as it was."""
    migration: Migration | None
    regenerated: Regenerated
    notes: tuple[str, ...]
    branch: str

    @property
    def empty(self) -> bool:
        """Whether the environment is as it was."""
        return not self.regenerated.changes

    @property
    def refusal(self) -> str:
        """Why it is not written without a reason; empty when nothing stands in the way."""
        one_way = self.migration is not None and self.migration.kind in _CLOSED
        if self.migration is not None and one_way and self.wish.force is None:
            present, past = self.versions
            return f"Airflow {present} → {past} is {self.migration.kind}: {self.migration.reason}"
        return ""

    @property
    def title(self) -> str:
        """The pull request's title, and the commit's first line."""
        return f"Roll {self.wish.environment} back to {self.revision[:12]}"

    @property
    def steps(self) -> tuple[str, ...]:
        """What to do, in order, where a merge alone does not lead back."""
        if self.migration is None or self.migration.kind not in _CLOSED:
            return ()
        return _steps(self.wish.environment, self.versions, self.migration)


_CLOSED = (Class.ONE_WAY, Class.BACKWARD)


def prepare(ground: Ground, wish: Wish, means: Means, now: datetime) -> Rollback:
    """The environment's folder as it was, but for its secrets; nothing is written yet.

    Raises UserError for an unknown environment or revision, one at which it did not exist, and one
    at which it had another release name or namespace.
    """
    if wish.force is not None and not wish.force.strip():
        raise UserError("--force needs a reason", hint='--force "why this is right"')
    item = ground.definition(wish.environment)
    revision = _revision(ground, wish)
    past = compare.at_revision(ground.tree, revision, ground.prefix)
    old = catalogue.one(past, wish.environment)
    if old is None:
        raise UserError(
            f"{wish.environment} has no readable definition at {revision[:12]}",
            path=item.path,
            hint="choose another state with --to REV",
        )
    _require_same_place(ground, past, item, old)
    edited = _edited(ground.files, past, wish.environment)
    notes: list[str] = []
    regenerated = _regenerated(ground, past, edited, old, means, notes)
    present = pipeline.build(ground.files, ground.settings, item)
    before = pipeline.build(edited, ground.settings, old)
    if standstill.is_paused(item.document.text):
        notes.append(f"{wish.environment} stays paused: gen-env pause ENV --resume ends that")
    versions = _airflow(present), _airflow(before)
    notes += _notes(present, now)
    return Rollback(
        wish,
        ground,
        revision,
        versions,
        migrations.classify(*versions),
        regenerated,
        tuple(notes),
        publish.branch_name(KIND, wish.environment, _content(regenerated)),
    )


def _revision(ground: Ground, wish: Wish) -> str:
    if wish.to is not None:
        return ground.tree.resolve(wish.to)
    present = _state(ground, ground.base, wish.environment)
    for sha in history.earlier(ground, wish.environment):
        state = _state(ground, sha, wish.environment)
        if state is not None and state != present:
            return sha
    hint = "this clone is shallow: git fetch --unshallow" if ground.tree.is_shallow() else ""
    raise UserError(
        f"there is no earlier state of {wish.environment} on {ground.branch}", hint=hint
    )


def _state(ground: Ground, sha: str, name: str) -> tuple[str, bytes] | None:
    """What a rollback brings back: a pause, and what was sealed, are no states of their own."""
    folder = ground.inside(folder_of(name))
    revision = ground.tree.at(sha)
    text = revision.read_file(f"{folder}{FILE_NAME}")
    if text is None:
        return None
    lock = revision.read_file(f"{folder}{locks.FILE_NAME}") or b""
    return standstill.kept("", text.decode("utf-8", "replace"), FILE_NAME), lock


def _require_same_place(ground: Ground, past: Snapshot, item: Definition, old: Definition) -> None:
    """Release name and namespace are frozen: under others it would be another deployment."""
    now, then = catalogue.lock(ground.files, item), catalogue.lock(past, old)
    if now is None or then is None:
        return
    for word, present, before in (
        ("release name", now.release_name, then.release_name),
        ("namespace", now.namespace, then.namespace),
    ):
        if present != before:
            raise UserError(
                f"the {word} was {before} then and is {present} now: a second deployment",
                path=f"{item.folder}/{locks.FILE_NAME}",
                hint="choose a later state with --to REV",
            )


def _edited(now: Snapshot, past: Snapshot, name: str) -> Snapshot:
    """The files of now with the environment's own of then; what is sealed stays sealed as now."""
    folder = folder_of(name)
    own = {path for path in (*now.contents, *past.contents) if _goes_back(path, folder)}
    contents = {path: past.contents.get(path) for path in own}
    path = f"{folder}{FILE_NAME}"
    present, before = (files.contents[path].decode() for files in (now, past))
    contents[path] = standstill.kept(present, before, path).encode()
    return replaced(now, contents)


def _goes_back(path: str, folder: str) -> bool:
    return path.startswith(folder) and not path.startswith(f"{folder}secrets/")


def _regenerated(
    ground: Ground,
    past: Snapshot,
    edited: Snapshot,
    old: Definition,
    means: Means,
    notes: list[str],
) -> Regenerated:
    """The tree as it was then; made anew only where that is needed and adds nothing else.

    A tree of another gen-env stays byte for byte what ran: a rollback is no time for news.
    """
    lock = catalogue.lock(past, old)
    secrets = f"{folder_of(old.name)}secrets/"
    resealed = any(path.startswith(secrets) for path in difference(past, ground.files))
    same = edited.contents[old.path] == past.contents[old.path]
    if lock is not None and lock.gen_env != locks.version() and same and not resealed:
        notes.append(
            f"the tree is the one that gen-env {lock.gen_env} made then, untouched by this"
            f" {locks.version()}; regenerate it after the incident"
        )
        built = pipeline.build(edited, ground.settings, old)
        return Regenerated(edited, difference(ground.files, edited), (), built)
    made = regenerate(ground.files, edited, old.name, means.charts, means.renderer)
    stubs = [path for path in made.changes if path.startswith(secrets)]
    if stubs:
        notes.append(
            f"{', '.join(stubs)}: needed then and not there now, so it is a stub and nothing syncs"
            f" by itself; get it back first: git checkout REV -- {stubs[0]}"
        )
    return made


def _airflow(built: Built) -> str:
    return built.resolved.environment.airflow.version if built.resolved else ""


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
            f"a freeze holds {end}: it does not hold up this merge, but Argo CD will not sync by"
            " itself; sync by hand"
        )


def _content(regenerated: Regenerated) -> str:
    import hashlib

    digest = hashlib.sha256()
    for path, content in sorted(regenerated.changes.items()):
        digest.update(path.encode() + b"\0" + (b"-" if content is None else b"+" + content) + b"\0")
    return digest.hexdigest()


def _steps(name: str, versions: tuple[str, str], migration: Migration) -> tuple[str, ...]:
    present, past = versions
    if migration.kind is Class.ONE_WAY:
        return (
            f"stop everything of {name}: no scheduler, worker, API server or triggerer may run",
            "restore the backup of the metadata database from before the upgrade",
            f"merge this, sync it, and run `gen-env verify {name}`",
        )
    return (
        f"keep Argo CD from syncing {name} by itself (`gen-env pause {name}`)",
        "take a backup of the metadata database",
        f"scale scheduler, workers, triggerer, DAG processor and API server of {name} to 0",
        f"run `airflow db downgrade --to-version {past} --yes` in a pod of the {present} image:"
        f" the {past} image does not know the newer schema",
        f"merge this, sync it by hand, and run `gen-env verify {name}`",
        f"let it sync again (`gen-env pause {name} --resume`)",
    )


def publish_it(rollback: Rollback, means: Means, *, pull: bool) -> Published:
    """Write the commit and, with `pull`, push it and open or update the one pull request."""
    ground, branch = rollback.ground, rollback.branch
    if pull:
        assert means.forge is not None
        name = rollback.wish.environment
        open_one = publish.existing(means.forge, KIND, name, ground.branch, branch)
        branch = open_one.head_ref if open_one else branch
    placed = publish.place(ground, branch, _draft(rollback), push=pull)
    if not pull or means.forge is None:
        return Published(placed, None)
    body = render(rollback, means, means.forge.limits.comment_budget)
    return Published(placed, means.forge.ensure_pr(branch, ground.branch, rollback.title, body))


def _draft(rollback: Rollback) -> Draft:
    present, past = rollback.versions
    airflow = f"Airflow {present} -> {past}" if present != past else ""
    message = publish.message(
        rollback.title,
        airflow,
        {
            publish.TRAILER: KIND,
            "Rolled-Back-To": rollback.revision,
            "Forced": rollback.wish.force or "",
        },
    )
    changes = {
        rollback.ground.inside(path): content
        for path, content in rollback.regenerated.changes.items()
    }
    return Draft(rollback.ground.base, changes, message)


def render(rollback: Rollback, means: Means, budget: int = _LOCAL_BUDGET) -> str:
    """The text of the pull request; renders both sides."""
    name, ground = rollback.wish.environment, rollback.ground
    lines = [
        f"This puts {name} back to what it was at `{rollback.revision[:12]}`;"
        " other environments are not touched. A freeze does not hold it up.\n"
    ]
    if rollback.migration is not None and rollback.migration.kind is not Class.NONE:
        present, past = rollback.versions
        lines.append(
            f"\n**Database**: Airflow {present} → {past}, {rollback.migration.kind.value}:"
            f" {text.sentence(rollback.migration.reason)}\n"
        )
    if rollback.steps:
        numbered = [
            f"{number}. {text.sentence(step)}" for number, step in enumerate(rollback.steps, 1)
        ]
        lines.append("\n**In this order**\n\n" + "\n".join(numbered) + "\n")
    lines.append(text.listed(rollback.notes))
    if rollback.wish.force is not None:
        lines.append(text.forced(rollback.wish.force))
    report = rendered(ground, rollback.regenerated, name, means)
    return text.with_report("".join(lines), report, budget)
