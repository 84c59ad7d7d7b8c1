"""From two pinned commits to what is to be judged, and how much of it one check may be."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterable

from generator.core.counted import counted
from generator.core.errors import UserError
from generator.core.files import Snapshot
from generator.git import diff
from generator.pipeline import governing, regeneration, repository, scope, settings_trust
from generator.pipeline.repository import PARTS, SETTINGS, Catalogue, Repository
from generator.pipeline.scope import Touched
from generator.pipeline.toolchain import Rendered, Renderer, RenderRequest
from generator.report.model import Finding
from service.check import mirror
from service.check.assess import Subject
from service.check.mirror import Pinned

_SHORT = 12
MOST_OBJECTS = 200_000
_HINT = "split it into several pull requests; a writer may override this check"
MOST_BYTES = 16 << 20
"""What a change may bring into gen-env's folders."""


@dataclasses.dataclass(frozen=True, slots=True)
class Prepared:
    """What is to be judged, by whose settings, and what of the head's own comes later."""

    subject: Subject
    repository: Repository
    found: Catalogue
    touched: Touched
    later: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The environments to judge that the head defines."""
        return tuple(name for name in self.subject.names if name in self.found.definitions)


def prepare(sides: Pinned) -> Prepared | str:
    """Everything that judging needs, or the reason why there is nothing to judge.

    Raises UserError where the base's own settings are broken: then nobody's word counts.
    """
    assert sides.merged is not None
    text = sides.mirror.at(sides.base).read_file(SETTINGS)
    if text is None:
        return f"the base has no {SETTINGS}: checks begin once one is merged"
    settings = _base_settings(text)
    changed = paths_between(sides, sides.base, sides.merged)
    more = repository.more_paths(settings, changed)
    if not concerns(changed, more):
        return "this change affects no gen-env files"
    return _prepared(sides, settings, text, changed, more)


def paths_between(sides: Pinned, base: str, head: str) -> frozenset[str]:
    """Every path that differs, by its old and its new name."""
    found: set[str] = set()
    for change in diff.changed_paths(sides.mirror.git, base, head):
        found |= {change.path, change.old_path}
    return frozenset(found - {""})


def concerns(changed: Iterable[str], more: Iterable[str] = ()) -> bool:
    """Whether any of these paths is gen-env's to look at."""
    parts = (*PARTS, *more)
    return any(path == part or path.startswith(f"{part}/") for path in changed for part in parts)


def _base_settings(text: bytes) -> Repository:
    try:
        return repository.settings(text)
    except UserError as error:
        raise UserError(
            f"not checked, because the settings of the base are invalid: {error.message}",
            path=SETTINGS,
            line=error.line,
            hint="fix the file on the base branch; a writer may override this check",
        ) from None


def _prepared(
    sides: Pinned, trusted: Repository, text: bytes, changed: frozenset[str], more: tuple[str, ...]
) -> Prepared | str:
    assert sides.merged is not None
    head = mirror.read(sides.mirror, sides.merged, more)
    _bounded(head, changed)
    base = mirror.read(sides.mirror, sides.base, more)
    settings = settings_trust.compose(text, head.read(SETTINGS))
    contents = {**head.contents, SETTINGS: settings.text}
    files = dataclasses.replace(head, contents=contents)
    before, after = repository.load(base), repository.load(files)
    everywhere = [path for path in more if path == trusted.chart.path]
    reached = scope.find(changed, before, after, everywhere)
    problems = (*settings.problems, *mirror.unread_problems(head, changed))
    if not reached and not problems and not any(path in more for path in changed):
        return "this change affects no environment"
    governed = governing.concerned(base, files, before.names | after.names, changed)
    names = tuple(sorted({*reached.environments, *governed}))
    subject = Subject(
        base=base,
        head=files,
        base_name=sides.base[:_SHORT],
        head_name=sides.head[:_SHORT],
        names=names,
        versions=regeneration.other_versions(files, after, names),
        changed=changed,
        impact=settings.impact,
        another=_another(trusted, names, (before, after), settings.impact),
        # Lines of settings that were put together from two files are nobody's lines.
        problems=tuple(
            problem
            if settings.exact or problem.path != SETTINGS or problem.rule.startswith("settings/")
            else dataclasses.replace(problem, line=None)
            for problem in problems
        ),
    )
    return Prepared(subject, trusted, after, reached, settings.later)


def _bounded(head: Snapshot, changed: Iterable[str]) -> None:
    """Raise UserError for a change that is too large to be shown, before anything is rendered."""
    sizes = [len(head.contents[path]) for path in changed if path in head.contents]
    if sum(sizes) > MOST_BYTES:
        raise UserError(
            f"not checked: the change has {sum(sizes) >> 20} MiB in {counted(len(sizes), 'file')}, "
            f"and at most {MOST_BYTES >> 20} MiB are checked",
            hint=_HINT,
        )


def _another(
    trusted: Repository, names: Iterable[str], sides: Iterable[Catalogue], impact: Iterable[Finding]
) -> bool:
    """Whether an environment is, or becomes, of a tier that asks for another person."""
    tiers = {item.tier for side in sides for name in names if (item := side.definitions.get(name))}
    # A change of the policy itself concerns each tier.
    tiers |= set(map(str, trusted.policy.tiers)) if impact else set()
    return any(map(trusted.policy.needs_another, tiers))


@dataclasses.dataclass
class Bounded:
    """A renderer for one check; raises UserError where the check has taken enough."""

    renderer: Renderer
    seconds: float
    most: int = MOST_OBJECTS
    began: float = dataclasses.field(default_factory=time.monotonic)
    objects: int = 0

    def engine_version(self) -> str:
        return self.renderer.engine_version()

    def render(self, request: RenderRequest) -> Rendered:
        return self._bounded(self.renderer.render, request)

    def again(self, request: RenderRequest) -> Rendered:
        """A second render; of a cache `render` would be the first one once more."""
        return self._bounded(getattr(self.renderer, "again", self.renderer.render), request)

    def _bounded(
        self, render: Callable[[RenderRequest], Rendered], request: RenderRequest
    ) -> Rendered:
        self.require_time()
        found = render(request)
        self.objects += len(getattr(found, "manifests", ()))
        if self.objects > self.most:
            raise UserError(f"not checked: it renders more than {self.most:,} objects", hint=_HINT)
        return found

    def require_time(self) -> None:
        """Raise UserError when time is up; a render that has begun ends within its own bounds."""
        if time.monotonic() - self.began > self.seconds:
            raise UserError(f"not checked: it takes more than {self.seconds:g} s", hint=_HINT)
