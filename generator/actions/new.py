"""`gen-env new` as steps: questions, the definition's text, the plan, one commit on a branch."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from generator.core.errors import UserError
from generator.core.files import Overlay, WorkTree
from generator.core.layered import alternatives
from generator.core.problem import Problem, has_errors
from generator.definition import location as placement
from generator.definition import resolve
from generator.definition.definition import FILE_NAME, ROOT, name_faults
from generator.git.worktree import Worktree
from generator.lint.definition import repository as estate
from generator.pipeline import generate as pipeline
from generator.pipeline.generate import Charts
from generator.render.request import Renderer
from generator.tree import catalogue, scaffold
from generator.tree import copy_definition as offspring
from generator.tree import writer as repo
from generator.tree.catalogue import Catalogue
from generator.tree.plan import Plan
from generator.yaml import edit as yamledit
from generator.yaml import facade as yamlio

AIRFLOW, CHART = "3.2.2", "1.22.0"
_TIERS = {
    "dev": "development",
    "development": "development",
    "test": "development",
    "sandbox": "development",
    "staging": "staging",
    "stage": "staging",
    "qa": "staging",
    "uat": "staging",
    "preprod": "staging",
}
# Field of the definition → name in the template.
_TEMPLATED = {
    "airflow.version": "airflow_version",
    "airflow.executor": "executor",
    "chart.version": "chart_version",
    "destination.namespace": "namespace",
    "database.host": "database_host",
    "dags.gitSync.repository": "dags_repository",
    "dags.gitSync.ref": "dags_ref",
    "ingress.host": "ingress_host",
}
Ask = Callable[[str, str], str]
"""Question and default → answer; an empty default must be answered, or Unanswered is raised."""


class Unanswered(Exception):
    """Nobody is there to answer these questions."""

    def __init__(self, *questions: str) -> None:
        super().__init__(*questions)
        self.questions = questions


@dataclasses.dataclass(frozen=True, slots=True)
class Wish:
    """What the user asked for on the command line."""

    name: str
    tier: str | None
    cluster: str | None
    source: str | None
    fields: Mapping[str, str]


@dataclasses.dataclass(frozen=True, slots=True)
class Creation:
    """A new environment, ready to be written: plan, findings, and what to look at."""

    name: str
    plan: Plan
    problems: tuple[Problem, ...]
    notes: tuple[str, ...] = ()


def prepare(
    root: Path, wish: Wish, ask: Ask, charts: Charts, renderer: Renderer | None
) -> Creation:
    """Everything that `new` will write; raises UserError where it cannot be, and Unanswered."""
    files = WorkTree(root)
    found = catalogue.load(files)
    _require(found, wish, files)
    _require_place(root, found)
    text, notes = _from(found, wish, ask) if wish.source else (_fresh(found, wish, ask), ())
    path = f"{ROOT}/{wish.name}/{FILE_NAME}"
    ahead = Overlay(files, {path: text.encode()})
    generation = pipeline.generate(ahead, [wish.name], charts, renderer)
    # A link elsewhere below environments/ is for `generate` and `validate` to tell.
    problems = tuple(
        item
        for item in (*generation.problems, *_beside(generation.catalogue, wish.name))
        if item.environment in ("", wish.name) and item.rule != "tree/symlink"
    )
    writes = {path: text}
    for outcome in generation.outcomes:
        writes |= outcome.plan.writes
    return Creation(wish.name, Plan(writes), problems, notes)


def commit(root: Path, creation: Creation, branch: str) -> str:
    """Write the plan on a new branch and commit exactly that; everything or nothing.

    Unrelated changes in the work tree, staged ones too, stay as they are. Returns the commit.
    """
    tree = Worktree.find(root)
    prefix = root.resolve().relative_to(tree.root.resolve()).as_posix()
    inside = [path if prefix == "." else f"{prefix}/{path}" for path in creation.plan.paths]
    dirty = tree.changed(inside)
    if dirty:
        raise UserError(
            f"uncommitted changes in {', '.join(dirty)}", hint="commit them or move them away first"
        )
    sha = ""
    with repo.reversible(root, creation.plan), tree.new_branch(branch):
        sha = tree.commit_only(inside, f"Add environment {creation.name}")
    return sha


def write(root: Path, creation: Creation) -> None:
    """Write the plan without git."""
    repo.apply(root, creation.plan)


def _require(found: Catalogue, wish: Wish, files: WorkTree) -> None:
    faults = list(name_faults(wish.name))
    if faults:
        raise UserError(f"'{wish.name}' cannot be an environment: {faults[0]}")
    if found.settings is None:
        problem = found.problems[0]
        raise UserError(problem.message, path=problem.path, line=problem.line, hint=problem.hint)
    if files.read(f"{ROOT}/{wish.name}/{FILE_NAME}") is not None:
        raise UserError(
            f"environment {wish.name} is there already",
            path=f"{ROOT}/{wish.name}/{FILE_NAME}",
            hint=f"edit that file and run: gen-env generate {wish.name}",
        )
    lowered = {name.lower().replace("/", "-"): name for name in found.definitions}
    clash = lowered.get(wish.name.replace("/", "-"))
    if clash:
        raise UserError(
            f"'{wish.name}' and '{clash}' would be the same Application", hint="choose another name"
        )
    if list(files.links(f"{ROOT}/{wish.name}")):
        raise UserError("a symbolic link is in the way", path=f"{ROOT}/{wish.name}")


def _beside(ahead: Catalogue, name: str) -> Iterator[Problem]:
    """What the new environment would share with those that are there, or may not use."""
    if ahead.settings is None:
        return
    # The new one last: a finding stands at the later of two.
    others = [item for item in ahead.definitions.values() if item.name != name]
    new = [ahead.definitions[name]] if name in ahead.definitions else []
    found = [resolve.resolve(item, ahead.settings)[0] for item in (*others, *new)]
    yield from estate.problems([item for item in found if item is not None])


def _require_place(root: Path, found: Catalogue) -> None:
    for item in placement.problems(root, found.settings):
        raise UserError(item.message, path=item.path, line=item.line, hint=item.hint)


def guessed_tier(name: str) -> str:
    """The tier that a name suggests; production when it suggests none, which is the strictest."""
    last = name.rpartition("/")[2]
    return _TIERS.get(last, _TIERS.get(last.split("-")[0], "production"))


def _cluster(found: Catalogue, wish: Wish, ask: Ask) -> str:
    assert found.settings is not None
    known = sorted(found.settings.repository.clusters)
    if wish.cluster is not None:
        if wish.cluster not in known:
            raise UserError(
                f"cluster {wish.cluster} is not in gen-env.yaml",
                hint=f"known clusters: {', '.join(known) or 'none'}",
            )
        return wish.cluster
    if len(known) == 1:
        return known[0]
    if not known:
        raise UserError("gen-env.yaml names no cluster", hint="add one below clusters:")
    return ask(f"cluster ({', '.join(known)})", "")


def _fresh(found: Catalogue, wish: Wish, ask: Ask) -> str:
    tier = wish.tier or guessed_tier(wish.name)
    team, _, last = wish.name.rpartition("/")
    namespace = f"{team}-airflow-{last}" if team else f"airflow-{last}"
    answers = {
        "tier": tier,
        "cluster": _cluster(found, wish, ask),
        "namespace": namespace,
        "airflow_version": AIRFLOW,
        "chart_version": CHART,
        "executor": "LocalExecutor" if tier == "development" else "CeleryExecutor",
    }
    answers |= {_TEMPLATED[key]: value for key, value in wish.fields.items() if key in _TEMPLATED}
    if tier != "development" and not any(key.startswith("database.") for key in wish.fields):
        answers["database_host"] = ask("host of the PostgreSQL server (database.host)", "")
    if not any(key.startswith("dags.") for key in wish.fields):
        question = "git repository of the DAGs (dags.gitSync.repository; none: DAGs in the image)"
        answered = ask(question, "none")
        answers["dags_repository"] = "" if answered == "none" else answered
    if tier != "development" and "ingress.host" not in wish.fields:
        answered = ask("host name of the UI (ingress.host)", "none")
        answers["ingress_host"] = "" if answered == "none" else answered
    text = scaffold.definition(wish.name, answers).decode()
    return _with_fields(text, wish, skip=frozenset(_TEMPLATED))


def _with_fields(text: str, wish: Wish, skip: frozenset[str] = frozenset()) -> str:
    for field, value in wish.fields.items():
        if field in skip:
            continue
        path = tuple(field.split("."))
        for other in alternatives(path):
            text = yamledit.remove(text, other)
        text = yamledit.set_value(text, path, _parsed(field, value))
    return text


def _parsed(field: str, value: str) -> object:
    """The value of --set: YAML as it would stand in the file."""
    try:
        return yamlio.read(value, f"--set {field}").data
    except yamlio.YamlError as error:
        raise UserError(f"--set {field}: {error.message}", hint=error.hint) from None


def _from(found: Catalogue, wish: Wish, ask: Ask) -> tuple[str, tuple[str, ...]]:
    """Another environment's definition without what is that one's own, and what was left out."""
    assert wish.source is not None
    source = next(iter(found.chosen([wish.source])), None)
    if source is None:
        first = next(item for item in found.problems if item.environment == wish.source)
        raise UserError(first.message, path=first.path, line=first.line, hint=first.hint)
    made = offspring.offspring(source, wish.name, wish.fields)
    text = made.text
    last = wish.name.rpartition("/")[2]
    named = last in _TIERS or last == "production"
    if wish.tier is not None or named or source.part("metadata", "tier") is None:
        tier = wish.tier or guessed_tier(wish.name)
        text = yamledit.set_value(text, ("metadata", "tier"), tier)
    if wish.cluster is not None:
        text = yamledit.set_value(text, ("destination", "cluster"), wish.cluster)
    for question, answer in zip(made.questions, _answers(made.questions, ask), strict=True):
        text = yamledit.set_value(text, question.path, question.value(answer))
    return _with_fields(text, wish), tuple(_notes(made, wish))


def _answers(questions: Sequence[offspring.Question], ask: Ask) -> list[str]:
    """Every answer; raises Unanswered with all the questions that got none."""
    answers: list[str] = []
    unanswered: list[str] = []
    for question in questions:
        try:
            answers.append(ask(question.text, ""))
        except Unanswered as error:
            unanswered += error.questions
    if unanswered:
        raise Unanswered(*unanswered)
    return answers


def _notes(made: offspring.Offspring, wish: Wish) -> Iterator[str]:
    if made.left_out:
        yield (
            f"left out, because it is {wish.source}'s own; fill in what {wish.name} needs:"
            f" {', '.join(made.left_out)}"
        )
    if made.doubtful:
        yield f"kept; see whether it is right for {wish.name}: {', '.join(made.doubtful)}"


def acceptable(creation: Creation) -> bool:
    """Whether it may be written: no finding is an error."""
    return not has_errors(creation.problems)
