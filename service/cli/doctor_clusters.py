"""What the environments of a default branch need of this machine: their charts, their clusters."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator

from generator.cluster import ClusterError
from generator.core.errors import UserError
from generator.core.files import Files
from generator.pipeline import toolchain
from generator.pipeline.requirements import Need, Rule, missing_rights
from service.cli.finding import Finding, tried
from service.settings.clusters import Access, Verification

_ROLE = "gen-env verify ENV --print-role gives the roles that are needed"


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


def _may(place: Access, rules: list[Rule]) -> None:
    with contextlib.closing(place.open()) as cluster:
        try:
            missing = missing_rights(cluster, rules)
        except ClusterError as error:
            raise UserError(
                error.message, hint=error.hint or "check kubeconfig and network"
            ) from None
    if missing:
        listed = "; ".join(missing[:10])
        more = f"; and {len(missing) - 10} more" if len(missing) > 10 else ""
        raise UserError(f"{listed}{more}", hint=_ROLE)
    if not rules:
        raise UserError(
            "no environment of the default branch is in it", hint="check its name in gen-env.yaml"
        )
