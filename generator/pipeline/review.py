"""A change under review: base and head of a repository, rendered and compared."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from concurrent.futures import ThreadPoolExecutor, as_completed

from generator.core.basis import NOTHING
from generator.core.counted import counted
from generator.core.errors import UserError
from generator.core.files import Files, Overlay, WorkTree
from generator.core.parallel import JOBS
from generator.core.problem import Problem, Severity
from generator.definition import lock_file
from generator.definition.definition import ROOT, SETTINGS, Settings
from generator.diff.equality import same
from generator.diff.match import pair_environments
from generator.engine import flux_reach
from generator.impact.finding import Finding
from generator.kube.resource import key_of
from generator.pipeline import generate, governing, judged, kept, side, toolchain
from generator.pipeline.changed_fields import changed_fields
from generator.pipeline.changed_files import changed_files
from generator.pipeline.generate import Charts
from generator.pipeline.side import Inputs
from generator.render.cache import RenderCache
from generator.render.request import Renderer
from generator.report.model import EnvironmentDiff, FieldChange, FileChange, Report, untouched
from generator.tree import catalogue, foreign, plan
from generator.tree.catalogue import Catalogue
from generator.tree.objects import access_of
from generator.tree.tree import BOOTSTRAP


@dataclasses.dataclass(frozen=True, slots=True)
class Revisions:
    """The two sides: their files, and how people name them."""

    base: Files
    head: Files
    base_name: str
    head_name: str
    changed: frozenset[str] = frozenset()
    """Every path of gen-env's that differs, for the list of files."""


@dataclasses.dataclass(frozen=True)
class Toolchain:
    """What a review needs from outside."""

    charts: Charts
    renderer: Renderer
    jobs: int = JOBS
    progress: Callable[[int, int, str], None] = lambda done, total, name: None
    _of: dict[int, Charts] = dataclasses.field(default_factory=dict, repr=False, compare=False)

    @property
    def cache(self) -> RenderCache | None:
        """Where comparisons are kept: beside the renders, where those are."""
        return getattr(self.renderer, "cache", None)

    def at(self, files: Files) -> Charts:
        """The charts as the revision with these files has them."""
        if id(files) not in self._of:
            self._of[id(files)] = toolchain.charts_of(self.charts, files)
        return self._of[id(files)]


_BROKEN = "gen-env cannot generate the head's tree"
_NO_SETTINGS = f"{SETTINGS} of the head cannot be read"


@dataclasses.dataclass(frozen=True)
class _Pair:
    name: str
    base: Inputs | None
    head: Inputs | None
    problems: tuple[Problem, ...] = ()
    reason: str = ""
    """Why the head is not known, so that there is nothing to compare."""
    old_name: str | None = None


def review(
    revisions: Revisions, names: Sequence[str], touched: set[str] | None, tools: Toolchain
) -> Report:
    """Compare the environments that the change can reach.

    The base is taken as it stands in git: that is what is deployed. The head is taken as
    `generate` would leave it, and files that differ from that are a problem of their own; a tree
    that another gen-env made is taken as it stands.
    `touched` are the paths that differ (None when unknown, or when something differs that all
    environments share); only environments below them are looked at, and all of them when
    gen-env.yaml is among them.
    """
    if touched is not None and SETTINGS in touched:
        touched = None
    # What belongs to all of them is only known from all of them.
    whole = touched is None or any(map(_is_shared, touched))
    only = None if touched is None or whole else _below(touched) | set(names)
    after = catalogue.load(revisions.head, only)
    before = catalogue.load(revisions.base, only)
    after = judged.by_base(after, before.settings)
    wanted = _reach(before, after, touched) | _governed(revisions, before, after, touched)
    if names:
        _known(before, after, names)
        wanted &= set(names)
    shared: list[Problem] = []
    same: list[EnvironmentDiff] = []
    if after.settings is None:
        # Without settings a head has no environment: each would look as if it was removed.
        found = [EnvironmentDiff(name, rendered=False, reason=_NO_SETTINGS) for name in wanted]
    else:
        generation = _generation(revisions.head, after, wanted, tools, whole=whole)
        pairs = _pairs(revisions, before, after, wanted, generation, tools)
        found = list(_compared(revisions, pairs, tools, _redefined(before, after)))
        shown = {item.name for item in found}
        same = [_untouched(pair) for pair in pairs if pair.name not in shown]
        shared = list(_shared(revisions.head, after, generation))
    problems = [item for item in (*after.problems, *shared) if not item.environment]
    found = [_with_fields(item, before, after) for item in found]
    return Report(
        revisions.base_name,
        revisions.head_name,
        tuple(sorted(found, key=lambda item: item.name)),
        tuple(problems),
        "" if found else _why_empty(len(wanted)),
        files=_files(revisions, before.names | after.names, found),
        impact=root_impact(revisions.base, revisions.head, revisions.changed),
        fields=_settings_fields(before, after),
        untouched=tuple(same),
    )


def _untouched(pair: _Pair) -> EnvironmentDiff:
    built = pair.head.built if pair.head else None
    return untouched(pair.name, judged.basis(built) if built else NOTHING)


def _redefined(before: Catalogue, after: Catalogue) -> frozenset[str]:
    """The environments whose definition says something else, whether or not an object changes."""
    old, new = before.definitions, after.definitions
    return frozenset(name for name in {*old} & {*new} if old[name].data != new[name].data)


def _with_fields(item: EnvironmentDiff, before: Catalogue, after: Catalogue) -> EnvironmentDiff:
    old = before.definitions.get(item.old_name or item.name)
    new = after.definitions.get(item.name)
    if old is None or new is None:
        return item
    return dataclasses.replace(item, fields=changed_fields(old.data, new.data))


def _settings_fields(before: Catalogue, after: Catalogue) -> tuple[FieldChange, ...]:
    if before.settings is None or after.settings is None:
        return ()
    return changed_fields(before.settings.document.data, after.settings.document.data)


def _files(
    revisions: Revisions, names: Set[str], found: Sequence[EnvironmentDiff]
) -> tuple[FileChange, ...]:
    unrendered = [item.name for item in found if not item.rendered]
    return changed_files(revisions.base, revisions.head, revisions.changed, names, unrendered)


def reached(
    revisions: Revisions, names: Sequence[str], touched: set[str] | None
) -> tuple[str, ...]:
    """The environments that `review` looks at."""
    if touched is not None and SETTINGS in touched:
        touched = None
    whole = touched is None or any(map(_is_shared, touched))
    only = None if touched is None or whole else _below(touched) | set(names)
    before, after = (catalogue.load(side, only) for side in (revisions.base, revisions.head))
    wanted = _reach(before, after, touched) | _governed(revisions, before, after, touched)
    return tuple(sorted(wanted & set(names) if names else wanted))


def findings(
    files: Files, names: Sequence[str], tools: Toolchain, *, whole: bool
) -> tuple[Problem, ...]:
    """What `review` finds in the files of one revision as they stand."""
    found = catalogue.load(files, None if whole else set(names))
    if found.settings is None:
        return found.problems
    generation = _generation(files, found, set(names), tools, whole=whole)
    outcomes = generation.outcomes if generation else ()
    drift = [item for outcome in outcomes for item in _drift(files, outcome.plan, outcome.name)]
    return (*found.problems, *(p for item in outcomes for p in item.problems), *drift)


def _shared(
    files: Files, found: Catalogue, generation: generate.Generation | None
) -> Iterator[Problem]:
    """What is wrong with files that belong to no single environment."""
    assert found.settings is not None
    whole = generation.outcome("") if generation else None
    if whole is not None:
        yield from (*whole.problems, *_drift(files, whole.plan, ""))
    else:
        yield from foreign.beside(
            files, found.settings.repository, found.names, flux=found.uses_flux
        )


def _drift(files: Files, planned: plan.Plan, name: str) -> tuple[Problem, ...]:
    """Where files differ from the plan; while somebody is still writing that is only a word."""
    found = plan.drift(files, planned, name)
    if not isinstance(files, WorkTree):
        return found
    return tuple(dataclasses.replace(item, severity=Severity.INFO) for item in found)


def _why_empty(count: int) -> str:
    if not count:
        return "the change affects no environment"
    whose = "its" if count == 1 else "their"
    return (
        f"{counted(count, 'environment')} compared: {whose} inputs are the same, byte for byte, so"
        " nothing was rendered"
    )


def _is_shared(path: str) -> bool:
    return path.startswith(f"{BOOTSTRAP}/") or flux_reach.is_wide(path)


def _below(touched: set[str]) -> set[str]:
    """What environments can be called in which these paths lie."""
    parts = [path.split("/") for path in touched if path.startswith(f"{ROOT}/")]
    found = {"/".join(part[1:end]) for part in parts for end in (2, 3)}
    return found | {name for path in touched if (name := access_of(path))}


def _known(before: Catalogue, after: Catalogue, names: Sequence[str]) -> None:
    unknown = [name for name in names if name not in before.definitions]
    if unknown:
        after.chosen(unknown)


def _reach(before: Catalogue, after: Catalogue, touched: set[str] | None) -> set[str]:
    """Environments whose files differ; settings reach all of them."""
    everybody = {*before.definitions, *after.definitions}
    problems = (*before.problems, *after.problems)
    everybody |= {item.environment for item in problems if item.environment}
    return everybody if touched is None else everybody & _below(touched)


def _governed(
    revisions: Revisions, before: Catalogue, after: Catalogue, touched: set[str] | None
) -> set[str]:
    """Environments that a changed AppProject says something else about."""
    everybody = {*before.definitions, *after.definitions}
    return set(governing.concerned(revisions.base, revisions.head, everybody, touched or ()))


def unseen(report: Report) -> Iterator[Problem]:
    """Why sides could not be rendered, as errors: their change is unknown and is not written."""
    for item in report.environments:
        if not item.rendered:
            errors = [problem for problem in item.problems if problem.severity is Severity.ERROR]
            yield from errors or [side.NOT_POSSIBLE.problem(item.reason, environment=item.name)]


def root_impact(base: Files, head: Files, changed: Iterable[str]) -> tuple[Finding, ...]:
    """What a changed root Application means for all environments, or what Flux applies beside."""
    before, after = governing.root(base), governing.root(head)
    beside = governing.beside(base, head, changed)
    if same(before, after):
        return beside
    from generator.impact.rules import argocd

    return (*argocd.root(before, after), *beside)


def _generation(
    files: Files, found: Catalogue, wanted: set[str], tools: Toolchain, *, whole: bool
) -> generate.Generation | None:
    here = [name for name in sorted(wanted) if name in found.definitions]
    if here:
        return generate.generate(files, here, tools.at(files), tools.renderer, found, whole=whole)
    if not whole:
        return None
    return generate.generate(files, (), tools.at(files), None, found, may_render=False)


def _pairs(
    revisions: Revisions,
    before: Catalogue,
    after: Catalogue,
    wanted: set[str],
    generation: generate.Generation | None,
    tools: Toolchain,
) -> list[_Pair]:
    charts, own = tools.at(revisions.base), tools.at(revisions.head)
    heads: dict[str, tuple[Inputs | None, tuple[Problem, ...]]] = {}
    for name in wanted:
        there, problems = _head(revisions.head, after.settings, name, after, generation, own)
        heads[name] = (
            there,
            tuple(
                foreign.of_this_change(problems, lambda path: revisions.base.read(path) is not None)
            ),
        )
    unknown = wanted & after.names - set(after.definitions)
    outcomes = generation.outcomes if generation else ()
    unknown |= {item.name for item in outcomes if not item.planned}
    bases = {
        name: side.inputs(revisions.base, name, before.settings, charts=charts) for name in wanted
    }
    pairs = [
        _Pair(name, bases[name], *heads[name], _BROKEN if name in unknown else "")
        for name in sorted(wanted)
    ]
    return _renamed(pairs)


def _head(
    files: Files,
    settings: Settings | None,
    name: str,
    after: Catalogue,
    generation: generate.Generation | None,
    charts: Charts,
) -> tuple[Inputs | None, tuple[Problem, ...]]:
    broken = tuple(item for item in after.problems if item.environment == name)
    outcome = generation.outcome(name) if generation else None
    if outcome is None:
        there = side.inputs(files, name, settings, charts=charts) if broken else None
        return there, broken
    out_of_date = _drift(files, outcome.plan, name)
    ahead = Overlay(
        files,
        {path: text.encode() for path, text in outcome.plan.writes.items()},
        frozenset(outcome.plan.removals),
    )
    built = generation.built.get(name) if generation else None
    head = side.inputs(ahead, name, settings, built, charts)
    problems = (*broken, *outcome.problems, *out_of_date)
    if isinstance(files, WorkTree) or not _is_of_another_version(built):
        return head, problems
    present = side.inputs(files, name, settings, built, charts)
    return present, (*problems, *_strangers(present, head))


def _is_of_another_version(built: generate.Built | None) -> bool:
    """Whether another gen-env made the tree: it may differ, so it is shown as it stands."""
    made_by = built.lock.gen_env if built is not None and built.lock is not None else ""
    return bool(made_by) and made_by != lock_file.version()


def _strangers(present: Inputs | None, planned: Inputs | None) -> Iterator[Problem]:
    """Objects of another gen-env's tree that this one would not give to the cluster at all."""
    if present is None or planned is None:
        return
    try:
        known = {key_of(item, "") for item in side.own_manifests(planned)}
        found = {key_of(item, "") for item in side.own_manifests(present)}
    except UserError:
        return  # then that side is not rendered, which is told with its reason
    for key in sorted(found - known):
        yield foreign.FOREIGN.problem(
            f"the definition gives no {key}, and the tree, which another gen-env made, does",
            environment=present.name,
            path=present.main_file,
            hint=f"gen-env upgrade --gen-env {present.name}",
        )


def _renamed(pairs: list[_Pair]) -> list[_Pair]:
    """One environment that went and one that came for the same release are one that moved."""
    by_name = {item.name: item for item in pairs}
    bases = {item.name: item.base.target for item in pairs if item.base is not None}
    heads = {item.name: item.head.target for item in pairs if item.head is not None}
    broken = [item for item in pairs if item.base is None and item.head is None]
    found = []
    for match in pair_environments(bases, heads):
        item = by_name[match.name]
        if match.old_name is not None:
            old = by_name[match.old_name]
            item = dataclasses.replace(item, base=old.base, old_name=old.name)
        found.append(item)
    return [*found, *broken]


def _compared(
    revisions: Revisions, pairs: Sequence[_Pair], tools: Toolchain, redefined: Set[str]
) -> Iterator[EnvironmentDiff]:
    """Compare in parallel; each comparison lets go of its objects before the next begins."""
    work = [pair for pair in pairs if pair.problems or pair.name in redefined or not _equal(pair)]
    with (
        ThreadPoolExecutor(max_workers=max(1, tools.jobs)) as both,
        ThreadPoolExecutor(max_workers=max(1, tools.jobs)) as pool,
    ):
        futures = {pool.submit(_compare, revisions, pair, tools, both): pair for pair in work}
        for number, future in enumerate(as_completed(futures), start=1):
            tools.progress(number, len(work), futures[future].name)
            yield future.result()


def _equal(pair: _Pair) -> bool:
    if pair.base is None or pair.head is None or pair.old_name:
        return False
    if pair.base.unreadable or pair.head.unreadable:
        return False
    promised = {pair.base.promised, pair.head.promised} - {None}
    return len(promised) < 2 and pair.base.identity == pair.head.identity


def _compare(
    revisions: Revisions, pair: _Pair, tools: Toolchain, pool: ThreadPoolExecutor
) -> EnvironmentDiff:
    """A comparison that is kept, or both sides rendered and compared."""
    if pair.reason:
        return EnvironmentDiff(
            pair.name, pair.old_name, rendered=False, reason=pair.reason, problems=pair.problems
        )
    if tools.cache is None:
        return _judged(revisions, pair, tools, pool)
    sides = [
        kept.Subject(name, item, files, tools.at(files))
        for name, item, files in _sides(revisions, pair)
    ]
    key = kept.key(pair.name, pair.old_name, sides, pair.problems, tools.renderer)
    found = kept.get(tools.cache, key) if key else None
    if found is None:
        found = _judged(revisions, pair, tools, pool)
        if key:
            kept.put(tools.cache, key, found)
    return found


def _sides(revisions: Revisions, pair: _Pair) -> tuple[tuple[str, Inputs | None, Files], ...]:
    return (
        (revisions.base_name, pair.base, revisions.base),
        (revisions.head_name, pair.head, revisions.head),
    )


def _judged(
    revisions: Revisions, pair: _Pair, tools: Toolchain, pool: ThreadPoolExecutor
) -> EnvironmentDiff:
    """Both sides at once: a render waits for a process of its own."""
    from generator.report.assemble import environment_diff

    futures = [
        pool.submit(side.render, name, item, tools.at(files), tools.renderer) if item else None
        for name, item, files in _sides(revisions, pair)
    ]
    base, head = (future.result() if future else None for future in futures)
    if base and head and pair.base and pair.head:
        base, head = side.governed(base, pair.base), side.governed(head, pair.head)
    return environment_diff(pair.name, base, head, old_name=pair.old_name, problems=pair.problems)
