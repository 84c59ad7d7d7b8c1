"""`gen-env pause` as steps: an environment that Argo CD leaves alone, and the end of that."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta

from generator.core.errors import UserError
from generator.definition import resolve
from generator.definition.definition import Definition
from generator.engine.argocd import is_automated
from generator.git.plumbing import Draft
from generator.model.base import seconds_of
from generator.pipeline import generate
from generator.pipeline.generate import Charts
from generator.promotion import pause_marker, publish, pull_request_text
from generator.promotion.base_branch import BaseBranch
from generator.promotion.pause_marker import DenyWindow
from generator.promotion.promote import Published, Toolchain, rendered
from generator.promotion.regenerate import Regenerated, regenerate, replaced

KIND = "pause"
_LONGEST = timedelta(days=366)


@dataclasses.dataclass(frozen=True, slots=True)
class Options:
    """What the user asked for on the command line; `until` is a length (8h) or a moment."""

    environment: str
    resume: bool = False
    until: str | None = None


@dataclasses.dataclass(frozen=True)
class Pause:
    """A pause, or its end, ready to be written; `nothing` says why there is nothing to write."""

    options: Options
    base_branch: BaseBranch
    regenerated: Regenerated
    notes: tuple[str, ...]
    nothing: str = ""

    @property
    def branch(self) -> str:
        """One branch for both directions."""
        return f"{KIND}/{self.options.environment.replace('/', '-')}"

    @property
    def title(self) -> str:
        """The pull request's title, and the commit's first line."""
        return f"{'Resume' if self.options.resume else 'Pause'} {self.options.environment}"


def prepare(base_branch: BaseBranch, options: Options, tools: Toolchain, now: datetime) -> Pause:
    """The definition with the pause or without it, and its tree; nothing is written yet.

    Raises UserError for an unknown environment, an `until` that cannot be, a definition that
    cannot be edited in place, and for a pause that is not ours to take back.
    """
    if options.resume and options.until is not None:
        raise UserError("--resume cannot be combined with --until")
    item = base_branch.definition(options.environment)
    flux = resolve.deployed(item, base_branch.settings)[0] == "flux"
    managed = base_branch.settings.repository.argocd.project.manage and not flux
    nothing = ""
    notes = _flux_notes(options) if flux else _notes(managed=managed, options=options)
    text_now = item.document.text
    if options.resume:
        after = pause_marker.resumed(text_now, item.path)
    elif pause_marker.is_paused(text_now):
        after, nothing = text_now, f"{options.environment} is already paused"
    elif managed:
        after = pause_marker.with_window(text_now, _halt(options, now), item.path)
    else:
        if flux and options.until is not None:
            raise UserError(
                "--until needs a sync window, which Flux does not have",
                hint="leave --until out and resume by hand: gen-env pause ENV --resume",
            )
        after, nothing = _without_automation(base_branch, item, options, tools.charts)
    edited = replaced(base_branch.files, {item.path: after.encode()})
    made = regenerate(base_branch.files, edited, item.name, tools.charts, tools.renderer)
    return Pause(options, base_branch, made, notes, nothing)


def _without_automation(
    base_branch: BaseBranch, item: Definition, options: Options, charts: Charts
) -> tuple[str, str]:
    """Turn automated sync off; sync windows need an AppProject that gen-env manages."""
    if options.until is not None:
        raise UserError(
            "--until needs a sync window, and the AppProject is not managed here",
            path="gen-env.yaml",
            hint="leave --until out and resume by hand, or set argocd.project.manage: true",
        )
    release = generate.build(base_branch.files, base_branch.settings, item, charts).release
    if release is not None and not is_automated(release.environment):
        return item.document.text, f"automated sync of {item.name} is already off (sync.automated)"
    return pause_marker.without_automation(item.document.text, item.path), ""


def _halt(options: Options, now: datetime) -> DenyWindow:
    if options.until is None:
        return DenyWindow()
    end = _moment(options.until, now)
    if not now < end <= now + _LONGEST:
        raise UserError(f"--until {options.until} is not within the next year")
    start = now.astimezone(UTC).replace(second=0, microsecond=0)
    minutes = -((start - end) // timedelta(minutes=1))
    return DenyWindow(f"{start.minute} {start.hour} {start.day} {start.month} *", f"{minutes}m")


def _moment(until: str, now: datetime) -> datetime:
    try:
        moment = datetime.fromisoformat(until)
    except ValueError:
        seconds = seconds_of(until)
        if not seconds or not until.endswith(("s", "m", "h")):
            raise UserError(
                f"--until {until} is neither a duration nor a time",
                hint="such as 8h or 2026-06-02T08:00+02:00",
            ) from None
        return now + timedelta(seconds=seconds)
    if moment.tzinfo is None:
        raise UserError(f"--until {until} names no time zone", hint=f"such as {until}+02:00")
    return moment


def _notes(*, managed: bool, options: Options) -> tuple[str, ...]:
    if options.resume:
        return ("Argo CD syncs what has gathered meanwhile as soon as this is merged",)
    if not managed:
        return (
            "holds from the merge on and until `--resume`; a person can still sync by hand",
            "the AppProject is not managed here, so automated sync is taken away instead of a"
            " window set",
        )
    notes = ["holds from the merge on; a person can still sync by hand"]
    if options.until is not None:
        notes.append("the window comes again on that day of the next year unless `--resume`d")
    return tuple(notes)


def _flux_notes(options: Options) -> tuple[str, ...]:
    if options.resume:
        return ("Flux applies what has gathered meanwhile as soon as this is merged",)
    return (
        "suspends both Kustomizations from the merge on and until `--resume`; a person can still"
        " apply git once with `flux resume kustomization`",
        "the HelmRelease is not suspended: Flux goes on reconciling what it has",
    )


def publish_it(pause: Pause, tools: Toolchain, *, pull: bool) -> Published:
    """Write the commit and, with `pull`, push it and open or update the one pull request."""
    base_branch = pause.base_branch
    message = publish.message(pause.title, "", {publish.TRAILER: KIND})
    changes = {
        base_branch.inside(path): content for path, content in pause.regenerated.changes.items()
    }
    draft = Draft(base_branch.base, changes, message)
    placed = publish.place(base_branch, pause.branch, draft, push=pull)
    if not pull or tools.forge is None:
        return Published(placed, None)
    head = f"{pause.title}: changes in git are not synced automatically.\n"
    if pause.options.resume:
        head = f"{pause.title}: changes in git are synced again.\n"
    report = rendered(base_branch, pause.regenerated, pause.options.environment, tools)
    body = pull_request_text.with_report(
        head + pull_request_text.listed(pause.notes), report, tools.forge.limits.comment_budget
    )
    return Published(
        placed, tools.forge.ensure_pr(pause.branch, base_branch.branch, pause.title, body)
    )
