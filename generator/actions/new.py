"""`gen-env new` as steps: questions, the definition's text, the plan, one commit on a branch."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from generator.actions.lifecycle import new_left
from generator.actions.lifecycle.new_chart import (
    with_database_image,
    with_pod_security,
    without_inexpressible,
)
from generator.actions.lifecycle.new_draft import Draft, others
from generator.actions.lifecycle.new_questions import Ask, Unanswered, ask_all, ask_name, unasked
from generator.core.errors import UserError
from generator.core.files import Files, Overlay, WorkTree
from generator.core.layered import alternatives
from generator.core.problem import Problem, has_errors
from generator.definition import location, resolve
from generator.definition.definition import FILE_NAME, ROOT, name_faults
from generator.git.files import GitFiles
from generator.git.revision import Revision
from generator.git.worktree import Worktree
from generator.lint.definition import repository
from generator.pipeline import chart_traits, generate, toolchain
from generator.pipeline.generate import Charts
from generator.release import expressed
from generator.release.versions import CHART
from generator.render.request import Renderer
from generator.tree import catalogue, copy_definition, scaffold, writer
from generator.tree.catalogue import Catalogue
from generator.tree.plan import Plan
from generator.yaml import edit, reader
from generator.yaml.errors import YamlError

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
}
_PREFIX = "new/"


@dataclasses.dataclass(frozen=True, slots=True)
class Options:
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
    left: tuple[str, ...] = ()
    """What is left for a person to do, in order."""


def start(root: Path) -> str:
    """The commit to begin at: the default branch's, where HEAD is another new environment's branch.

    Empty where it is HEAD itself, and outside of git.
    """
    try:
        tree = Worktree.find(root)
        if not (tree.branch() or "").startswith(_PREFIX):
            return ""
        settings = toolchain.settings(WorkTree(root))
        name = tree.default_branch(settings.repository.branch if settings else "")
    except UserError:
        return ""
    known = (name, f"origin/{name}")
    commits = (tree.git.line_or_none("rev-parse", "--quiet", "--verify", item) for item in known)
    return next((sha for sha in commits if sha), "")


def prepare(
    root: Path,
    options: Options,
    ask: Ask,
    charts: Charts,
    renderer: Renderer | None,
    base: str = "",
) -> Creation:
    """Everything that `new` will write onto `base` (a commit), or onto the work tree.

    Raises UserError where it cannot be, and Unanswered.
    """
    with contextlib.ExitStack() as opened:
        files: Files = WorkTree(root)
        if base:
            tree = Worktree.find(root)
            prefix = root.resolve().relative_to(tree.root.resolve()).as_posix()
            inside = "" if prefix == "." else f"{prefix}/"
            files = opened.enter_context(GitFiles(Revision(tree.git, base), inside))
        return _prepare(root, files, options, ask, charts, renderer)


def _prepare(
    root: Path,
    files: Files,
    options: Options,
    ask: Ask,
    charts: Charts,
    renderer: Renderer | None,
) -> Creation:
    found = catalogue.load(files)
    _require(found, options, files)
    _require_place(root, found)
    text, notes = (
        _from(found, options, ask) if options.source else _fresh(files, found, options, ask, charts)
    )
    draft, image = with_database_image(Draft(options.name, text, files, found, charts))
    draft, level = with_pod_security(draft, renderer)
    text, notes = draft.text, (*notes, *image, *level)
    path = f"{ROOT}/{options.name}/{FILE_NAME}"
    ahead = Overlay(files, {path: text.encode()})
    generation = generate.generate(ahead, [options.name], charts, renderer)
    # A link elsewhere below environments/ is for `generate` and `validate` to tell.
    problems = tuple(
        item
        for item in (*generation.problems, *_beside(generation.catalogue, options.name))
        if item.environment in ("", options.name) and item.rule != catalogue.SYMLINK.id
    )
    plan = Plan({path: text, **generation.plan_of(options.name, "").writes})
    built = generation.built.get(options.name)
    left = tuple(new_left.steps(built.release, plan)) if built and built.release else ()
    return Creation(options.name, plan, problems, notes, left)


def commit(root: Path, creation: Creation, branch: str, base: str = "") -> str:
    """Write the plan on a new branch and commit exactly that; everything or nothing.

    The branch begins at `base`, or at HEAD. Unrelated changes in the work tree, staged ones too,
    stay as they are. Returns the commit.
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
    with tree.new_branch(branch, base), writer.reversible(root, creation.plan):
        sha = tree.commit_only(inside, f"Add environment {creation.name}")
    return sha


def write(root: Path, creation: Creation) -> None:
    """Write the plan without git."""
    writer.apply(root, creation.plan)


def _require(found: Catalogue, options: Options, files: Files) -> None:
    faults = list(name_faults(options.name))
    if faults:
        raise UserError(f"'{options.name}' is not a valid environment name: {faults[0]}")
    if found.settings is None:
        problem = found.problems[0]
        raise UserError.of(problem)
    if files.read(f"{ROOT}/{options.name}/{FILE_NAME}") is not None:
        raise UserError(
            f'environment "{options.name}" already exists',
            path=f"{ROOT}/{options.name}/{FILE_NAME}",
            hint=f"edit that file and run: gen-env generate {options.name}",
        )
    lowered = {name.lower().replace("/", "-"): name for name in found.definitions}
    clash = lowered.get(options.name.replace("/", "-"))
    if clash:
        raise UserError(
            f"'{options.name}' and '{clash}' would have the same Application name",
            hint="choose another name",
        )
    if list(files.links(f"{ROOT}/{options.name}")):
        raise UserError("a symbolic link is in the way", path=f"{ROOT}/{options.name}")


def _beside(ahead: Catalogue, name: str) -> Iterator[Problem]:
    """What the new environment would share with those that are there, or may not use."""
    if ahead.settings is None:
        return
    # The new one last: a finding stands at the later of two.
    new = [ahead.definitions[name]] if name in ahead.definitions else []
    found = (resolve.resolve(item, ahead.settings)[0] for item in new)
    yield from repository.problems([*others(ahead, name), *filter(None, found)])


def _require_place(root: Path, found: Catalogue) -> None:
    for item in location.problems(root, found.settings):
        raise UserError.of(item)


def guessed_tier(name: str) -> str:
    """The tier that a name suggests; production when it suggests none, which is the strictest."""
    last = name.rpartition("/")[2]
    return _TIERS.get(last, _TIERS.get(last.split("-")[0], "production"))


def _cluster(found: Catalogue, options: Options, ask: Ask) -> str:
    assert found.settings is not None
    known = sorted(found.settings.repository.clusters)
    if options.cluster is not None:
        if options.cluster not in known:
            raise UserError(
                f"cluster '{options.cluster}' not found in gen-env.yaml",
                hint=f"known clusters: {', '.join(known) or 'none'}",
            )
        return options.cluster
    if len(known) == 1:
        return known[0]
    if not known:
        raise UserError("gen-env.yaml defines no cluster", hint="add one below clusters:")
    return ask_name(ask, "cluster", known)


def _fresh(
    files: Files, found: Catalogue, options: Options, ask: Ask, charts: Charts
) -> tuple[str, tuple[str, ...]]:
    """What the tier and the answers give, on the versions that go together; what was left out."""
    chart = options.fields.get("chart.version", CHART)
    tier = options.tier or guessed_tier(options.name)
    team, _, last = options.name.rpartition("/")
    namespace = f"{team}-airflow-{last}" if team else f"airflow-{last}"
    answers = {
        "tier": tier,
        "cluster": _cluster(found, options, ask),
        "namespace": namespace,
        "airflow_version": expressed.newest_airflow(chart_traits.known(chart, charts)),
        "chart_version": chart,
        "executor": "LocalExecutor" if tier == "development" else "CeleryExecutor",
    }
    answers |= {
        _TEMPLATED[key]: value for key, value in options.fields.items() if key in _TEMPLATED
    }
    scaffolded = scaffold.definition(options.name, answers).decode()
    plain = Draft(options.name, scaffolded, files, found, charts)
    text = _with_fields(plain.text, options, skip=frozenset(_TEMPLATED))
    draft = dataclasses.replace(plain, text=text)
    if set(draft.errors) > set(plain.errors):
        return text, ()  # what --set brought is reported before anybody is asked
    given = tuple(options.fields)
    draft, left_out = without_inexpressible(draft, given)
    draft = ask_all(draft, given, ask)
    return draft.with_fields(unasked(draft, given)).text, left_out


def _with_fields(text: str, options: Options, skip: frozenset[str] = frozenset()) -> str:
    for field, value in options.fields.items():
        if field in skip:
            continue
        path = tuple(field.split("."))
        for other in alternatives(path):
            text = edit.remove(text, other)
        text = edit.set_value(text, path, _parsed(field, value))
    return text


def _parsed(field: str, value: str) -> object:
    """The value of --set: YAML as it would stand in the file."""
    try:
        return reader.read(value, f"--set {field}").data
    except YamlError as error:
        raise UserError(f"--set {field}: {error.message}", hint=error.hint) from None


def _from(found: Catalogue, options: Options, ask: Ask) -> tuple[str, tuple[str, ...]]:
    """Another environment's definition without what is that one's own, and what was left out."""
    assert options.source is not None
    source = next(iter(found.chosen([options.source])), None)
    if source is None:
        first = next(item for item in found.problems if item.environment == options.source)
        raise UserError.of(first)
    made = copy_definition.offspring(source, options.name, options.fields)
    text = made.text
    last = options.name.rpartition("/")[2]
    named = last in _TIERS or last == "production"
    if options.tier is not None or named or source.part("metadata", "tier") is None:
        tier = options.tier or guessed_tier(options.name)
        text = edit.set_value(text, ("metadata", "tier"), tier)
    if options.cluster is not None:
        text = edit.set_value(text, ("destination", "cluster"), options.cluster)
    for question, answer in zip(made.questions, _answers(made.questions, ask), strict=True):
        text = edit.set_value(text, question.path, question.value(answer))
    return _with_fields(text, options), tuple(_notes(made, options))


def _answers(questions: Sequence[copy_definition.Question], ask: Ask) -> list[str]:
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


def _notes(made: copy_definition.Offspring, options: Options) -> Iterator[str]:
    if made.left_out:
        yield (
            f"not copied, because it is specific to {options.source}; set what {options.name} "
            f"needs:"
            f" {', '.join(made.left_out)}"
        )
    if made.doubtful:
        yield f"copied; check that it fits {options.name}: {', '.join(made.doubtful)}"


def acceptable(creation: Creation) -> bool:
    """Whether it may be written: no finding is an error."""
    return not has_errors(creation.problems)
