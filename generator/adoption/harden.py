"""`gen-env harden` as steps: one hardening step of an adopted environment, as an edit."""

from __future__ import annotations

import dataclasses
from collections.abc import Container, Mapping, Sequence
from typing import Any

from generator.adoption import blockers, simplify
from generator.adoption.blockers import Obstacle
from generator.adoption.conversion import below, convert
from generator.chart import traits_cache
from generator.chart.chart import ChartArchive
from generator.chart.traits import ChartTraits
from generator.core.errors import UserError
from generator.core.files import Files, Overlay, WorkTree
from generator.core.layered import Path as KeyPath
from generator.core.layered import dotted, leaves, lookup
from generator.core.problem import Problem, Severity, has_errors
from generator.definition.definition import Definition
from generator.helmvalues.values import ValuesInput, merged
from generator.model.adoption import STEPS, Adoption, Step
from generator.model.repository import Cluster
from generator.pipeline import generate, review
from generator.pipeline.generate import Built, Charts
from generator.release import adopted
from generator.release.adopted_settings import step_of
from generator.release.fit import fitted
from generator.release.setting import Key, Setting
from generator.render.request import Renderer
from generator.report.model import Report
from generator.tree import catalogue
from generator.tree.plan import Plan
from generator.yaml import edit, reader

ABOUT: Mapping[Step, str] = {
    "housekeeping": "no service links, old ReplicaSets and metrics series go; pods restart once",
    "resources": "requests and limits for every container; pods restart, a full node may not fit",
    "availability": "disruption budgets, spread, longer start-up and drain times",
    "hooks": "migration and user jobs run at each sync of Argo CD, or at each upgrade by Flux",
    "image": "one image everywhere, in task pods and flower too",
    "scaling": "replica counts and autoscalers written out",
    "identity": "service accounts and roles written out",
    "config": "airflow.cfg and environment from fields; the proxy's headers are trusted",
    "guards": "Argo CD asks before it deletes what holds data; under Flux Helm keeps it",
    "contexts": "security contexts of the restricted level; an image that needs root stops working",
    "namespace": "the namespace becomes gen-env's, with its Pod Security level, quota and limits",
    "secrets": "every Secret by name: seal the present values first, or keys change",
    "network": "network policies as networkPolicy says",
    "storage": "volumes as the fields say; a StatefulSet may become a Deployment",
    "naming": "the chart's standard names; kept as they are where objects would be renamed",
    "rest": "all other settings, and the defaults of gen-env.yaml; adoption is complete",
}
# A user's values in these steps carry meaning that hardening may not drop.
_MEANT: frozenset[Step] = frozenset({"config", "identity", "secrets", "scaling", "rest", "image"})


@dataclasses.dataclass(frozen=True)
class Hardening:
    """One proposal: the plan, what became a field, what left `values:`, and the rendered diff."""

    name: str
    steps: tuple[Step, ...]
    plan: Plan
    problems: tuple[Problem, ...]
    converted: tuple[str, ...]
    dropped: tuple[str, ...]
    report: Report | None
    stuck: tuple[str, ...] = ()
    """Values that stopped it: what `--drop` takes."""
    left: tuple[str, ...] | None = None
    """What stays in `values:` after the last step, as no field in use decides it; None before."""

    @property
    def possible(self) -> bool:
        """Whether it may be written."""
        return not has_errors(self.problems)


@dataclasses.dataclass(frozen=True, slots=True)
class State:
    """One step of an environment: taken or not, and how many chart values it would set."""

    step: Step
    taken: bool
    values: int


def states(files: Files, name: str, charts: Charts) -> list[State]:
    """All steps of an adopted environment, the least risky one first."""
    subject = _adopted(files, name, charts)
    taken = subject.adoption.steps
    counted = [step for step, item in subject.full if not subject.has(item)]
    return [
        State(step, step in taken, 0 if step in taken else counted.count(step)) for step in STEPS
    ]


def prepare(
    files: Files,
    name: str,
    step: str | None,
    charts: Charts,
    renderer: Renderer,
    drop: Sequence[str] = (),
) -> Hardening:
    """The next step, or the one that is asked for; steps that change nothing come along.

    `drop` are values that may go although no field says them. Raises UserError for an environment
    that is not adopted, a step that is taken, and a value that is not in the step's way.
    """
    subject = _adopted(files, name, charts)
    taken = subject.adoption.steps
    if step is not None and step in taken:
        raise UserError(f"{name} has already taken the step {step}", path=subject.item.path)
    open_steps = [item for item in STEPS if item not in taken]
    wanted = [item for item in open_steps if item == step] if step else open_steps
    if not wanted:
        raise UserError(f"unknown hardening step '{step}'", hint=f"steps: {', '.join(open_steps)}")
    archive = generate.archive_for(subject.built, charts)
    chosen: list[Step] = []
    for item in wanted:
        chosen.append(item)
        edit = _edited(subject, chosen, archive, drop)
        if edit.problems:
            plan, problems = Plan({}), edit.problems
            break
        plan, problems = _plan(files, subject.item, edit.text, charts, renderer)
        if step or has_errors(problems) or len(plan.paths) > 1:
            break
    _require_dropped(subject, drop, edit)
    report = None
    if not has_errors(problems):
        report = _report(files, plan, name, charts, renderer)
        problems = (*problems, *review.unseen(report))
    return Hardening(
        name,
        tuple(chosen),
        plan,
        problems,
        edit.converted,
        edit.dropped,
        report,
        edit.stuck,
        edit.left,
    )


@dataclasses.dataclass(frozen=True)
class _Subject:
    """An adopted environment: its definition, and its settings with and without defaults."""

    item: Definition
    built: Built
    full: tuple[tuple[Step, Setting], ...]
    """Every setting under the chart's own name, with the step that takes it over."""
    adoption: Adoption
    cluster: Cluster

    @property
    def traits(self) -> ChartTraits | None:
        """What its chart does with keys."""
        return self.built.release.traits if self.built.release else None

    def has(self, setting: Setting) -> bool:
        """Whether the chart gets this very value already."""
        assert self.built.release is not None
        return simplify.same(lookup(self.built.release.values, setting.key), setting.value)


def _adopted(files: Files, name: str, charts: Charts) -> _Subject:
    found = catalogue.load(files)
    item = next(iter(found.chosen([name])), None)
    if item is None or found.settings is None:
        problem = found.problems[0]
        raise UserError.of(problem)
    built = generate.build(files, found.settings, item, charts)
    if built.resolved is None or built.release is None:
        problem = next(p for p in built.problems if p.severity is Severity.ERROR)
        raise UserError.of(problem)
    environment = built.resolved.environment
    if environment.adoption is None:
        raise UserError(
            f"{name} is not adopted: all hardening is on",
            path=item.path,
            hint="gen-env validate finds what its own settings take away",
        )
    made = built.release.line.settings(environment, built.resolved.cluster)
    full = tuple(
        (step_of(item.setting.key), item.spelled)
        for item in fitted(made, built.release.traits)
        if item.spelled is not None
    )
    return _Subject(item, built, full, environment.adoption, built.resolved.cluster)


@dataclasses.dataclass(frozen=True)
class _Edit:
    text: str
    converted: tuple[str, ...]
    dropped: tuple[str, ...]
    problems: tuple[Problem, ...]
    stuck: tuple[str, ...]
    left: tuple[str, ...] | None


def _require_dropped(subject: _Subject, drop: Sequence[str], edit: _Edit) -> None:
    idle = [name for name in drop if not any(_is_below(gone, [name]) for gone in edit.dropped)]
    if idle:
        raise UserError(
            f"{', '.join(idle)}: not in the way of this step",
            path=subject.item.path,
            hint="--drop takes what a step cannot convert, such as values.ingress.web",
        )


def _is_below(name: str, tops: Sequence[str]) -> bool:
    return any(name == top or name.startswith(f"{top}.") for top in tops)


def _edited(
    subject: _Subject, steps: Sequence[Step], archive: ChartArchive | None, drop: Sequence[str]
) -> _Edit:
    """The definition with these steps on and `values:` out of their way."""
    file = subject.item.path
    text = _with_steps(subject, steps)
    if "naming" in steps and _would_rename(subject):
        text = edit.set_value(text, ("values", "useStandardNaming"), False, file=file)
    data = adopted.own_data(subject.item)
    places = [path for path, _ in leaves(data["values"]) if path]
    owners = {path: field for path in places if (field := _taken_by(subject, steps, path))}
    found = convert(
        data,
        simplify.with_new_names(_input(subject, data["values"], archive), subject.traits),
        list(owners),
        subject.cluster,
        subject.traits,
    )
    for path, value in found.fields:
        text = edit.set_value(text, path, value, file=file)
    dropped: list[str] = []
    obstacles: list[Obstacle] = []
    for path in places:
        same = _given_anyway(subject, steps, path, data["values"])
        new = below(path, found.keys)
        if path not in owners and not same and new is None:
            continue
        let_go = not _meant(subject, steps, path) or _is_below(f"values.{dotted(path)}", drop)
        if same or new or let_go:
            text = _without(text, ("values", *path), file)
            # What a new field sets beside what it was made of is its own word, not the user's.
            own = new is not None and (path in owners or _says(found.keys[new], new, path, data))
            if not same and not own:
                dropped.append(f"values.{dotted(path)}")
        else:
            field = "networkPolicy" if path[0] == "networkPolicies" else owners[path]
            obstacles.append(Obstacle(path, field))
    converted = tuple(dotted(path) for path, _ in found.fields)
    problems = blockers.problems(obstacles, subject.item, data["values"])
    stuck = blockers.names([one.path for one in obstacles], data["values"])
    after = reader.read(text, file).data
    left = None if obstacles or "adoption" in after else _left(after.get("values") or {})
    return _Edit(text, converted, tuple(dropped), problems, stuck, left)


def _left(values: Mapping[str, Any]) -> tuple[str, ...]:
    return blockers.names([path for path, _ in leaves(values) if path], values)


def _taken_by(subject: _Subject, steps: Sequence[Step], path: KeyPath) -> str:
    """The field that decides a key of `values:` after these steps, or ''."""
    taken = {item.key: item.field for _, item in subject.full if item.firm}
    if key := below(path, _keys(subject, steps) & taken.keys()):
        return taken[key]
    if "rest" not in steps:
        return ""
    assert subject.built.release is not None
    line = subject.built.release.line
    return line.closed(tuple(str(part) for part in path), taken) or ""


def _given_anyway(
    subject: _Subject, steps: Sequence[Step], path: KeyPath, values: Mapping[str, Any]
) -> bool:
    """Whether gen-env sets the very same value after these steps."""
    return any(
        item.key == path and step in steps and simplify.same(lookup(values, path), item.value)
        for step, item in subject.full
    )


def _keys(subject: _Subject, steps: Container[Step]) -> set[Key]:
    """The chart keys that these steps take over."""
    return {item.key for step, item in subject.full if step in steps}


def _says(said: Any, key: KeyPath, path: KeyPath, data: Mapping[str, Any]) -> bool:
    """Whether a setting at `key` gives a path of `values:` the value that stood there."""
    after = lookup(said, path[len(key) :]) if len(path) > len(key) else said
    return simplify.same(after, lookup(data["values"], path))


def _meant(subject: _Subject, steps: Sequence[Step], path: KeyPath) -> bool:
    """Whether a value may not be dropped: it is no hardening that it stands against."""
    key = below(path, _keys(subject, steps))
    # Without policies of gen-env's, the chart's own are all that limits who reaches the pods.
    assert subject.built.release is not None
    guarded = subject.built.release.environment.network_policy.mode != "off"
    meant = _MEANT if guarded else frozenset[Step]((*_MEANT, "network"))
    return key is None or key in _keys(subject, meant)


def _with_steps(subject: _Subject, steps: Sequence[Step]) -> str:
    """`adoption` with these steps too and without what they take over; gone with the last one."""
    text, path = subject.item.document.text, subject.item.path
    adoption = subject.adoption
    now = [step for step in STEPS if step in adoption.steps or step in steps]
    if len(now) == len(STEPS):
        return edit.remove(text, ("adoption",), file=path)
    leave = [key for key in adoption.leave if step_of(tuple(key.split("."))) not in now]
    text = edit.set_value(text, ("adoption", "steps"), now, file=path)
    carried = {"application": adoption.application, "helmRelease": adoption.helm_release}
    for name in (name for name, kept in carried.items() if kept and "rest" in now):
        text = edit.remove(text, ("adoption", name), file=path)
    if leave:
        return edit.set_value(text, ("adoption", "leave"), leave, file=path)
    return edit.remove(text, ("adoption", "leave"), file=path) if adoption.leave else text


def _would_rename(subject: _Subject) -> bool:
    assert subject.built.release is not None
    release = subject.built.release
    if release.traits is not None and not release.traits.has("useStandardNaming"):
        return False
    values, names = release.values, release.line.names
    standard = {**values, "useStandardNaming": True}
    environment = release.environment
    return (
        "useStandardNaming" not in environment.values
        and names(standard, environment.release, environment.namespace).full
        != names(values, environment.release, environment.namespace).full
    )


def _without(text: str, path: KeyPath, file: str) -> str:
    """The text without a value, and without the mappings that become empty."""
    text = edit.remove(text, path, file=file)
    parent = path[:-1]
    if parent and lookup(reader.read(text, file).data, parent) in ({}, None):
        return _without(text, parent, file)
    return text


def _input(
    subject: _Subject, values: Mapping[str, Any], archive: ChartArchive | None
) -> ValuesInput:
    assert subject.built.release is not None
    defaults = archive.values() if archive else {}
    release = subject.built.release
    return ValuesInput(
        user=values,
        merged=merged(defaults, release.values),
        chart_version=release.environment.chart.version,
        release=release.environment.release,
        namespace=release.environment.namespace,
        defaults=defaults,
        traits=traits_cache.traits(archive) if archive else None,
    )


def _plan(
    files: Files, item: Definition, text: str, charts: Charts, renderer: Renderer
) -> tuple[Plan, tuple[Problem, ...]]:
    ahead = Overlay(files, {item.path: text.encode()})
    generation = generate.generate(ahead, [item.name], charts, renderer)
    plan = Plan({item.path: text}) | generation.plan_of(item.name)
    return plan, generation.problems_of(item.name)


def _report(files: Files, plan: Plan, name: str, charts: Charts, renderer: Renderer) -> Report:
    written = {path: text.encode() for path, text in plan.writes.items()}
    ahead = Overlay(files, written, frozenset(plan.removals))
    before = "the work tree" if isinstance(files, WorkTree) else "the default branch"
    revisions = review.Revisions(files, ahead, before, "with this step", frozenset(plan.paths))
    return review.review(revisions, [name], None, review.Toolchain(charts, renderer))
