"""What the environments of a default branch need of this machine: their charts, their clusters."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
from collections.abc import Iterator
from typing import TYPE_CHECKING

from generator.actions import verify
from generator.cluster.errors import ClusterError
from generator.core.errors import UserError
from generator.core.files import Files
from generator.kube import fields
from generator.manifests import rbac
from generator.pipeline import side, toolchain
from service.cli.finding import Finding, tried
from service.settings.clusters import Access, Verification

if TYPE_CHECKING:
    from generator.tree.catalogue import Catalogue

_ROLE = "gen-env verify ENV --print-role gives the roles that are needed"


@dataclasses.dataclass(frozen=True, slots=True)
class Need:
    """What one environment needs; `hub` is where its Application is."""

    environment: str
    cluster: str
    chart: str
    digest: str | None
    here: tuple[rbac.Rule, ...]
    hub: tuple[rbac.Rule, ...]


def needs(files: Files) -> tuple[Need, ...]:
    """Those of every environment that has a generated tree.

    Raises UserError where the repository's own settings cannot be read.
    """
    from generator.tree import catalogue

    found = catalogue.load(files)
    if found.settings is None:
        raise UserError(found.problems[0].message, hint="gen-env validate tells more")
    return tuple(
        need
        for name in sorted(found.definitions)
        if (need := _need(files, name, found)) is not None
    )


def _need(files: Files, name: str, found: Catalogue) -> Need | None:
    assert found.settings is not None
    inputs = side.inputs(files, name, found.settings)
    if inputs is None or inputs.target is None or inputs.application is None:
        return None
    built, repository = inputs.built, found.settings.repository
    resolved = built.resolved if built else None
    application = str(fields.section(inputs.application, "metadata").get("name", ""))
    return Need(
        name,
        verify.cluster_name(repository, inputs),
        resolved.environment.chart.version if resolved else "",
        built.lock.chart_digest if built and built.lock else None,
        rbac.environment_rules(inputs.target[1]),
        rbac.hub_rules(repository.argocd.namespace, [application]),
    )


def charts(place: str, files: Files, found: tuple[Need, ...]) -> Iterator[Finding]:
    """Whether every chart that an environment names is at hand, or can be fetched."""
    source = toolchain.charts(files)
    for version, digest in sorted(
        {(need.chart, need.digest or "") for need in found if need.chart}
    ):

        def look(version: str = version, digest: str = digest) -> None:
            if source.meant(version, digest or None) is None:
                raise UserError(
                    source.missing(version),
                    hint="let the service reach the chart's source, or: gen-env chart add FILE",
                )

        yield tried(f"{place}: chart {version}", look)


def rights(place: str, known: Verification, found: tuple[Need, ...]) -> Iterator[Finding]:
    """Whether we may read what verification reads, by the clusters' own judgement."""
    for name in sorted(known.clusters):
        of_cluster = [need for need in found if need.cluster == name]
        here = [rule for need in of_cluster for rule in need.here]
        there = [rule for need in of_cluster for rule in need.hub]
        hub = known.hub(name)
        same = hub == known.clusters[name]
        look = functools.partial(_may, known.clusters[name], [*here, *(there if same else ())])
        yield tried(f"{place}: cluster {name}", look)
        if not same:
            yield tried(f"{place}: Argo CD of {name}", functools.partial(_may, hub, there))


def _may(place: Access, rules: list[rbac.Rule]) -> None:
    with contextlib.closing(place.open()) as cluster:
        try:
            missing = rbac.self_check(cluster, dict.fromkeys(rules))
        except ClusterError as error:
            raise UserError(
                error.message, hint=error.hint or "check kubeconfig and network"
            ) from None
    if missing:
        listed = "; ".join(str(item) for item in missing[:10])
        more = f"; and {len(missing) - 10} more" if len(missing) > 10 else ""
        raise UserError(f"{listed}{more}", hint=_ROLE)
    if not rules:
        raise UserError(
            "no environment of the default branch is in it", hint="check its name in gen-env.yaml"
        )
