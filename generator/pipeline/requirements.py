"""What the environments of a repository need of the machine that verifies them: charts, rights."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from generator.cluster import Cluster
from generator.core.errors import UserError
from generator.core.files import Files
from generator.engine.deployment import hub_rules
from generator.manifests import rbac
from generator.manifests.rbac import Rule
from generator.pipeline import side
from generator.tree import catalogue
from generator.tree.catalogue import Catalogue

__all__ = ["Need", "Rule", "missing_rights", "needs"]


@dataclasses.dataclass(frozen=True, slots=True)
class Need:
    """What one environment needs; `hub` is where its Application is."""

    environment: str
    cluster: str
    chart: str
    digest: str | None
    here: tuple[Rule, ...]
    hub: tuple[Rule, ...]


def needs(files: Files) -> tuple[Need, ...]:
    """Those of every environment that has a generated tree.

    Raises UserError where the repository's own settings cannot be read.
    """
    found = catalogue.load(files)
    if found.settings is None:
        raise UserError(found.problems[0].message, hint="see gen-env validate")
    return tuple(
        need
        for name in sorted(found.definitions)
        if (need := _need(files, name, found)) is not None
    )


def _need(files: Files, name: str, found: Catalogue) -> Need | None:
    assert found.settings is not None
    inputs = side.inputs(files, name, found.settings)
    if inputs is None or inputs.target is None or inputs.deployment is None:
        return None
    built, repository = inputs.built, found.settings.repository
    resolved = built.resolved if built else None
    wanted = [way.kind for way in resolved.environment.entrances] if resolved else []
    return Need(
        name,
        side.cluster_name(repository, inputs),
        resolved.environment.chart.version if resolved else "",
        built.lock.chart_digest if built and built.lock else None,
        rbac.environment_rules(inputs.target[1], wanted=wanted),
        hub_rules(inputs.deployment, repository),
    )


def missing_rights(cluster: Cluster, rules: Iterable[Rule]) -> list[str]:
    """What the API server would refuse of these rules, a sentence each; raises ClusterError."""
    return [str(item) for item in rbac.self_check(cluster, dict.fromkeys(rules))]
