"""What a cluster already differs in from the base: drift, apart from what a change adds."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
from collections.abc import Callable, Iterator, Sequence

from generator.cluster import Cluster, ClusterError
from generator.core.basis import NotRead
from generator.core.errors import UserError
from generator.core.files import Files
from generator.core.problem import Severity
from generator.core.rule import Rule as Documented
from generator.diff.model import Action, Change, Side
from generator.engine.deployment import is_of_engine
from generator.kube.resource import Object, key_of
from generator.manifests import rbac
from generator.manifests.rbac import Rule
from generator.pipeline import side
from generator.pipeline.review import Toolchain
from generator.report.model import EnvironmentDiff, Report
from generator.tree import catalogue
from generator.verify.drift import Drift, Kind, drift

NOT_POSSIBLE = Documented(
    "live/not-possible",
    Severity.ERROR,
    "A cluster that cannot be compared",
    "It is unknown whether it differs from git.",
    command="diff",
)


def with_drift(
    report: Report,
    base: Files,
    base_name: str,
    tools: Toolchain,
    names: Sequence[str],
    connect: Callable[[str], Cluster] = Cluster.connect,
) -> Report:
    """The report with the drift of each environment that the base has.

    `connect` opens the cluster of a kubeconfig context.
    A cluster that cannot be reached is a problem of its environment; the others go on.
    """
    found = catalogue.load(base)
    chosen = list(names) or list(found.definitions)
    charts = tools.at(base)
    known = {item.name: item for item in report.environments}
    for name in chosen:
        inputs = side.inputs(base, name, found.settings, charts=charts)
        if inputs is None:
            continue
        rendered = side.render(base_name, inputs, charts, tools.renderer)
        alone = EnvironmentDiff(
            name,
            reason="not changed; drift alone",
            basis=rendered.basis,
            base_basis=rendered.basis,
        )
        entry = known.get(name, alone)
        if rendered.failure is not None:
            failure = rendered.failure
            entry = dataclasses.replace(entry, rendered=False, reason="the base does not render")
            known[name] = _not_possible(entry, failure.message, failure.hint)
            continue
        context = inputs.cluster.context if inputs.cluster else None
        known[name] = _with(entry, rendered, functools.partial(connect, context or ""))
    ordered = tuple(known[name] for name in sorted(known))
    return dataclasses.replace(report, environments=ordered, reason="")


def missing_rights(base: Files, name: str, tools: Toolchain, cluster: Cluster) -> list[str]:
    """What the API server would refuse of the reads that an environment's drift takes.

    Kinds that the cluster does not serve need no right. Raises UserError where the environment does
    not render, ClusterError where the server cannot be asked.
    """
    charts = tools.at(base)
    inputs = side.inputs(base, name, catalogue.load(base).settings, charts=charts)
    if inputs is None:
        return []
    rendered = side.render("", inputs, charts, tools.renderer)
    if rendered.failure is not None:
        raise UserError(rendered.failure.message, hint=rendered.failure.hint)
    rules = set()
    for manifest in _of_cluster(rendered):
        if resource := cluster.resource_type(manifest):
            place = key_of(manifest, rendered.namespace).namespace if resource.namespaced else ""
            rules.add(Rule(place, resource.group, (resource.plural,), ("get",)))
    return [str(item) for item in rbac.self_check(cluster, rules)]


def _with(
    entry: EnvironmentDiff, rendered: Side, connect: Callable[[], Cluster]
) -> EnvironmentDiff:
    try:
        with contextlib.closing(connect()) as cluster:
            found = drift(cluster, _of_cluster(rendered), namespace=rendered.namespace)
    except ClusterError as error:
        return _not_possible(entry, error.message, error.hint)
    unread = (
        NotRead(str(it.key), "the cluster", it.message) for it in found if it.kind is Kind.UNKNOWN
    )
    changes = tuple(_change(item) for item in found)
    return dataclasses.replace(entry, drift=changes, basis=entry.basis.without(unread))


def _not_possible(entry: EnvironmentDiff, message: str, hint: str) -> EnvironmentDiff:
    problem = NOT_POSSIBLE.problem(message, environment=entry.name, hint=hint)
    basis = entry.basis.without([NotRead("cluster", entry.name, message)])
    return dataclasses.replace(entry, problems=(*entry.problems, problem), basis=basis)


def _of_cluster(rendered: Side) -> Iterator[Object]:
    """Everything but what is the engine's own."""
    return (item for item in rendered.manifests if not is_of_engine(item))


def _change(item: Drift) -> Change:
    """Drift in the words of a change: what is missing would be added by a sync."""
    action = Action.ADDED if item.kind is Kind.MISSING else Action.MODIFIED
    return Change(action, item.key, "", item.diff or item.message)
