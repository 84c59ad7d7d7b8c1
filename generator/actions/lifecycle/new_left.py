"""What is left for a person to do after `new`."""

from __future__ import annotations

from collections.abc import Iterator

from generator.actions.lifecycle.new_questions import MONITORS, has_monitors
from generator.core.counted import counted
from generator.core.problem import Severity
from generator.engine import argocd
from generator.lint.definition import all as definition_rules
from generator.model.image import Image
from generator.release.release import Release
from generator.tree.plan import Plan


def steps(release: Release, plan: Plan) -> Iterator[str]:
    """The steps in order: what the definition lacks, secrets, what the cluster lacks, the sync."""
    name, environment = release.resolved.name, release.environment
    own_image = environment.image.repository != Image().repository
    if environment.dags.image is not None and not own_image:
        yield "bring DAGs: set dags.gitSync, or image.repository to an image that holds them"
    for item in definition_rules.problems(release):
        if item.severity is not Severity.INFO and item.rule != "network/off":
            yield f"{item.message}: {item.hint}"
    stubs = sum("/secrets/" in path for path in plan.writes)
    if stubs:
        yield f"seal {counted(stubs, 'secret')}: gen-env secrets {name} lists them"
    cluster = environment.destination.cluster
    if environment.network_policy.mode == "off":
        yield (
            f"for network policies, set ingress.namespace of the cluster {cluster} and"
            " networkPolicy.mode: ingress"
        )
    if not environment.metrics.service_monitor and not has_monitors(release.resolved.cluster):
        yield (
            f"for a ServiceMonitor, list {MONITORS}/v1 in apiVersions of the cluster {cluster},"
            " if it has the Prometheus operator, and set metrics.serviceMonitor"
        )
    if environment.engine == "argocd" and not argocd.is_automated(environment):
        yield "after the merge sync it by hand: sync.automated is false in this tier"
    elif stubs:
        yield "automated sync begins once every secret is sealed"
    yield f"gen-env validate {name}, then open a pull request"
