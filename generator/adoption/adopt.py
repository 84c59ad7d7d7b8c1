"""`gen-env adopt` as steps: read, infer, write down, render both sides, compare."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from generator.adoption import (
    carried,
    field_match,
    final_proof,
    plaintext_secrets,
    proof,
    request,
    required_fields,
    simplify,
    text,
    values_to_fields,
)
from generator.adoption import source as adoption_source
from generator.adoption.plaintext_secrets import InlineSecret
from generator.adoption.proof import Proof
from generator.adoption.request import Options, Subject
from generator.adoption.running_ref import running_ref
from generator.adoption.simplify import Named, with_new_names
from generator.adoption.source import Original
from generator.adoption.verdict import Verdict
from generator.core.errors import UserError
from generator.core.files import Overlay, WorkTree
from generator.core.problem import Problem, Severity, has_errors, ordered
from generator.core.rule import Rule
from generator.definition import definition
from generator.helmvalues.values import ValuesInput
from generator.lint.values.schema import schema_problems
from generator.model.environment import Engine
from generator.pipeline import generate
from generator.pipeline.generate import Built, Charts
from generator.pipeline.toolchain import Repeatable
from generator.render.request import Renderer
from generator.tree.plan import Plan
from generator.yaml import reader
from generator.yaml.errors import YamlError
from generator.yaml.scalars import as_json_types

INLINE_SECRET = Rule(
    "adopt/inline-secret",
    Severity.ERROR,
    "A secret in the values of the release",
    "A definition is stored in git, where everyone who can read the repository would see it.",
    command="adopt",
)


@dataclasses.dataclass(frozen=True)
class Takeover:
    """The definition, the proof, and what people must know; nothing is written yet.

    `left_out` and `deprecated` are findings about keys of the original, `left_over` the chart
    keys that no field covers, `problems` what stands in the way of the tree.
    """

    name: str
    text: str
    original: Original
    proof: Proof
    verdict: Verdict
    plan: Plan
    problems: tuple[Problem, ...]
    left_out: tuple[Problem, ...]
    deprecated: tuple[Problem, ...]
    left_over: tuple[str, ...]
    secrets: tuple[InlineSecret, ...]
    built: Built

    @property
    def engine(self) -> Engine:
        """What applies the environment from now on."""
        release = self.built.release
        return release.environment.engine if release is not None else "argocd"

    @property
    def acceptable(self) -> bool:
        """Whether it may be written: proved by both readings, and the tree can be generated."""
        proved = self.proof.equal and self.verdict.assurance is not None
        return proved and not has_errors(self.problems)


class Refused(Exception):
    """Values that cannot be taken over; every reason is a problem."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(len(problems))
        self.problems = ordered(problems)


@dataclasses.dataclass(frozen=True)
class _Stage:
    """How much of the original text is simplified; the first that changes nothing is taken."""

    rename: bool
    drop: bool
    prune: bool


_STAGES = (
    _Stage(rename=True, drop=True, prune=True),
    _Stage(rename=False, drop=True, prune=True),
    _Stage(rename=True, drop=False, prune=True),
    _Stage(rename=False, drop=False, prune=True),
    _Stage(rename=False, drop=False, prune=False),
)


@dataclasses.dataclass(frozen=True)
class _Attempt:
    built: Built
    left_over: tuple[str, ...]
    proof: Proof
    stage: _Stage


def prepare(
    root: Path,
    paths: Sequence[Path],
    options: Options,
    charts: Charts,
    renderer: Repeatable,
    judge: Renderer,
) -> Takeover:
    """Everything that `adopt` will write, and the proof; `judge` renders the second reading.

    Raises UserError or Refused for what cannot be taken over.
    """
    found = request.read(WorkTree(root), paths, options, charts)
    if refusals := adoption_source.refusals(found.original.source):
        raise Refused(refusals)
    values = found.input(found.original.source.values)
    secrets = _examined(found, values)
    unread = simplify.ignored(values)
    before = proof.rendered(renderer, found.request(values.user), "the original values")
    attempt = _first_equal(found, values, secrets, unread, before, renderer)
    written = attempt.built.definition.document.text
    plan, problems = _plan(found, written, charts, renderer)
    return Takeover(
        name=options.name,
        text=written,
        original=found.original,
        proof=attempt.proof,
        verdict=final_proof.verdict(found, paths, plan, frozenset(attempt.proof.gone), judge),
        plan=plan,
        problems=ordered((*problems, *found.original.source.problems, *_lost(found))),
        left_out=tuple(item.problem for item in unread) if attempt.stage.drop else (),
        deprecated=tuple(item.problem for item in simplify.deprecated(values)),
        left_over=attempt.left_over,
        secrets=secrets,
        built=attempt.built,
    )


def _examined(found: Subject, values: ValuesInput) -> tuple[InlineSecret, ...]:
    """The inline secrets that a Secret elsewhere may replace; raises Refused with all faults."""
    secrets = plaintext_secrets.found(values)
    elsewhere = found.options.secrets_elsewhere
    problems = [
        *schema_problems(values, found.archive.schema()),
        *required_fields.unknown(found, values),
        *(
            _inline_problem(item, found.options.name)
            for item in secrets
            if not (item.movable and elsewhere)
        ),
    ]
    if has_errors(problems):
        raise Refused(problems)
    return secrets


def _first_equal(
    found: Subject,
    values: ValuesInput,
    secrets: tuple[InlineSecret, ...],
    unread: tuple[Named, ...],
    before: proof.Rendered,
    renderer: Repeatable,
) -> _Attempt:
    """The shortest definition with which nothing changes; the last one tried if there is none."""
    named = frozenset(name for item in secrets for name, _ in item.secrets)
    user = plaintext_secrets.moved(values, secrets)
    ref = running_ref(before.one)
    attempt: _Attempt | None = None
    for stage, simple, keep in _simpler(user, values, unread):
        built, left_over = _built(found, values, simple, keep, ref)
        assert built.release is not None
        request = found.request(built.release.values)
        after = proof.rendered(renderer, request, "the adopted values")
        namespace = found.original.source.namespace
        compared = proof.compare_sides(before, after, namespace, named)
        attempt = _Attempt(built, left_over, compared, stage)
        if compared.equal:
            break
    assert attempt is not None
    return attempt


def _simpler(
    user: Mapping[str, Any],
    values: ValuesInput,
    unread: Sequence[Named],
) -> Iterator[tuple[_Stage, Mapping[str, Any], Mapping[str, Any]]]:
    """Stage, values, and what of them must be said; stages that say the same only once."""
    seen: list[Mapping[str, Any]] = []
    for stage in _STAGES:
        rows = [
            row
            for row in (values.line.old_keys.renamed if stage.rename else ())
            if all(values.chart.has(key) for key in row.new)
        ]
        simple = simplify.renamed(user, rows)
        if stage.drop:
            simple = simplify.dropped(simple, [item.path for item in unread])
        keep = simplify.pruned(simple, values.defaults) if stage.prune else simple
        if not any(simplify.same(keep, other) for other in seen):
            seen.append(keep)
            yield stage, simple, keep


def _built(
    found: Subject,
    values: ValuesInput,
    simple: Mapping[str, Any],
    keep: Mapping[str, Any],
    ref: str,
) -> tuple[Built, tuple[str, ...]]:
    """The definition for these values, read back from its text and built as `generate` does."""
    known = with_new_names(values, found.traits)
    seen = with_new_names(found.input(simple), found.traits)
    fitted = _fitted(found, known, seen, keep, ref)
    names = [Path(path).name for path in found.original.paths]
    data = {**fitted.data, "adoption": {**fitted.data["adoption"], **_carried(found, fitted.data)}}
    written = text.definition(found.options.name, data, fitted.rest, names)
    item = definition.load(found.options.name, written.encode())
    built = generate.build(found.files, found.settings, item, found.charts)
    if built.release is None:
        raise Refused([item for item in built.problems if item.severity is Severity.ERROR])
    return built, tuple(field_match.described(fitted))


def _lost(found: Subject) -> list[Problem]:
    if found.engine != "flux":
        return adoption_source.lost(found.original)
    return adoption_source.lost_pin(found.original, found.archive.version)


def _carried(found: Subject, data: Mapping[str, Any]) -> dict[str, Any]:
    if found.engine == "flux":
        kept = carried.of_helm_release(found.original.helm_release)
        return {"helmRelease": kept} if kept else {}
    tier = str(data["metadata"].get("tier", ""))
    settings = carried.settings(found.original.application, tier)
    return {"application": settings} if found.original.application else {}


def _fitted(
    found: Subject,
    values: ValuesInput,
    seen: ValuesInput,
    keep: Mapping[str, Any],
    ref: str,
) -> field_match.Fitted:
    baked: dict[str, Any] = {"image": {}}
    dags = values_to_fields.dags(seen, ref)
    try:
        return field_match.fit(
            seen, required_fields.fields(found, values, dags), found.cluster, found.traits, keep
        )
    except UserError:
        # A way of fetching DAGs that no field can say stays among the values.
        if dags == baked:
            raise
        return field_match.fit(
            seen, required_fields.fields(found, values, baked), found.cluster, found.traits, keep
        )


def _plan(
    found: Subject, written: str, charts: Charts, renderer: Repeatable
) -> tuple[Plan, tuple[Problem, ...]]:
    ahead = Overlay(found.files, {found.path: written.encode()})
    generation = generate.generate(ahead, [found.options.name], charts, renderer)
    writes = {found.path: written}
    if isinstance(found.files, Overlay):
        writes |= {path: content.decode() for path, content in found.files.writes.items()}
    writes |= generation.plan_of(found.options.name, "").writes
    return Plan(writes), generation.problems_of(found.options.name)


def _inline_problem(item: InlineSecret, name: str) -> Problem:
    hint = item.hint
    if item.movable:
        secrets = " and ".join(
            f"Secret {secret} with {', '.join(keys)}" for secret, keys in item.secrets
        )
        hint = (
            f"create {secrets} in the namespace with the present value (the chart's own Secret has"
            " it), then adopt with --secrets-elsewhere"
        )
    message = f"{item.key} contains a secret, which must not be in a definition"
    return INLINE_SECRET.problem(
        message, environment=name, path=item.path, line=item.line, hint=hint
    )


def parsed_fields(fields: Mapping[str, str]) -> dict[str, Any]:
    """The values of --set: YAML as it would stand in the definition."""
    found = {}
    for field, value in fields.items():
        try:
            found[field] = as_json_types(reader.read(value, f"--set {field}").data)
        except YamlError as error:
            raise UserError(f"--set {field}: {error.message}", hint=error.hint) from None
    return found
