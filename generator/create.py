"""`gen-env new` as steps: questions, the definition's text, the plan, one commit on a branch."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping
from pathlib import Path

from generator import catalogue, pipeline, placement, repo, scaffold, yamledit, yamlio
from generator.catalogue import Catalogue
from generator.definition import FILE_NAME, ROOT, name_faults
from generator.errors import UserError
from generator.files import Overlay, WorkTree
from generator.git import Worktree
from generator.layers import alternatives
from generator.pipeline import Charts
from generator.plan import Plan
from generator.problem import Problem, has_errors
from generator.render import Renderer

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
# What belongs to one environment alone: `--from` leaves it behind.
_OWN = (
    ("metadata", "name"),
    ("metadata", "team"),
    ("destination", "namespace"),
    ("database", "host"),
    ("database", "cidrs"),
    ("database", "secretName"),
    ("database", "resultBackendSecretName"),
    ("broker", "host"),
    ("broker", "secretName"),
    ("broker", "passwordSecretName"),
    ("pgbouncer", "secretName"),
    ("pgbouncer", "statsSecretName"),
    ("ingress", "host"),
    ("ingress", "tls", "secretName"),
    ("keys",),
    ("suppress",),
)

Ask = Callable[[str, str], str]
"""Question and default → answer; an empty default must be answered."""


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
    """A new environment, ready to be written: plan and findings."""

    name: str
    plan: Plan
    problems: tuple[Problem, ...]


def prepare(
    root: Path, wish: Wish, ask: Ask, charts: Charts, renderer: Renderer | None
) -> Creation:
    """Everything that `new` will write; raises UserError where it cannot be."""
    files = WorkTree(root)
    found = catalogue.load(files)
    _require(found, wish, files)
    _require_place(root, found)
    text = _from(found, wish, ask) if wish.source else _fresh(found, wish, ask)
    path = f"{ROOT}/{wish.name}/{FILE_NAME}"
    ahead = Overlay(files, {path: text.encode()})
    generation = pipeline.generate(ahead, [wish.name], charts, renderer)
    # A link elsewhere below environments/ is for `generate` and `validate` to tell.
    problems = tuple(
        item
        for item in generation.problems
        if item.environment in ("", wish.name) and item.rule != "tree/symlink"
    )
    writes = {path: text}
    for outcome in generation.outcomes:
        writes |= outcome.plan.writes
    return Creation(wish.name, Plan(writes), problems)


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


def _for_editors(text: str, name: str) -> str:
    """The first line names the schema by a relative path, which a team makes one folder longer."""
    return re.sub(r"\A(# yaml-language-server: \$schema=)(\.\./)+(?=\.gen-env/)", _up(name), text)


def _up(name: str) -> str:
    return r"\g<1>" + scaffold.to_root(name)


def _parsed(field: str, value: str) -> object:
    """The value of --set: YAML as it would stand in the file."""
    try:
        return yamlio.read(value, f"--set {field}").data
    except yamlio.YamlError as error:
        raise UserError(f"--set {field}: {error.message}", hint=error.hint) from None


def _from(found: Catalogue, wish: Wish, ask: Ask) -> str:
    """Another environment's definition without what is that one's own, comments kept."""
    assert wish.source is not None
    source = next(iter(found.chosen([wish.source])), None)
    if source is None:
        first = next(item for item in found.problems if item.environment == wish.source)
        raise UserError(first.message, path=first.path, line=first.line, hint=first.hint)
    text = _for_editors(source.document.text, wish.name)
    team, _, last = wish.name.rpartition("/")
    for path in _OWN:
        if source.part(*path) is not None and path != ("metadata", "name"):
            text = yamledit.remove(text, path)
    text = yamledit.set_value(text, ("metadata", "name"), last)
    if team:
        text = yamledit.set_value(text, ("metadata", "team"), team)
    named = last in _TIERS or last == "production"
    if wish.tier is not None or named or source.part("metadata", "tier") is None:
        tier = wish.tier or guessed_tier(wish.name)
        text = yamledit.set_value(text, ("metadata", "tier"), tier)
    if wish.cluster is not None:
        text = yamledit.set_value(text, ("destination", "cluster"), wish.cluster)
    for path in (("database", "host"), ("ingress", "host"), ("broker", "host")):
        field = ".".join(path)
        if source.part(*path) is not None and field not in wish.fields:
            text = yamledit.set_value(text, path, ask(f"{field} of {wish.name}", ""))
    return _with_fields(text, wish)


def acceptable(creation: Creation) -> bool:
    """Whether it may be written: no finding is an error."""
    return not has_errors(creation.problems)
