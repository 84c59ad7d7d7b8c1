"""CustomResourceDefinition, after Argo CD's `apiextensions.k8s.io` check."""

from __future__ import annotations

from generator.health.status import Health, degraded, healthy, progressing
from generator.kube.fields import condition, conditions
from generator.kube.resource import Object


def assess_definition(manifest: Object) -> Health:
    """Established, with its names accepted and a structural schema."""
    if not conditions(manifest):
        return progressing("waiting for the API server to process the definition")
    for kind, bad, words in (
        ("NamesAccepted", "False", "its names are taken"),
        ("NonStructuralSchema", "True", "its schema is not structural"),
    ):
        found = condition(manifest, kind)
        if found is not None and found.status == bad:
            return degraded(f"{words}: {found.words}")
    established = condition(manifest, "Established")
    if established is not None and established.status == "True":
        return healthy("established")
    if established is not None and established.reason == "Installing":
        return progressing("being installed")
    return degraded("not established: " + (established.words if established else "no reason given"))
