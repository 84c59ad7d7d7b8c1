"""Service, Ingress and APIService, by gitops-engine's checks of the same names."""

from __future__ import annotations

from generator.health.status import Health, healthy, progressing
from generator.kube.fields import condition, entries, text
from generator.kube.resource import Object


def assess_service(manifest: Object) -> Health:
    """Only a Service of type LoadBalancer has anything to wait for: its address."""
    if text(manifest, "spec", "type") != "LoadBalancer":
        return healthy(f"type {text(manifest, 'spec', 'type') or 'ClusterIP'} needs no address")
    return _assess_address(manifest, "see the Service's events and the load balancer's controller")


def assess_ingress(manifest: Object) -> Health:
    """Healthy once its controller has written an address."""
    name = text(manifest, "spec", "ingressClassName") or "the default class"
    return _assess_address(manifest, f"check that the controller of {name} runs")


def assess_api_service(manifest: Object) -> Health:
    """Whether the aggregated API answers; Argo CD gives it time whatever the reason."""
    available = condition(manifest, "Available")
    if available is None:
        return progressing("waiting to be processed by the API server's aggregator")
    if available.status == "True":
        return healthy(available.words or "available")
    return progressing(f"not available: {available.words}; check the Service behind it")


def _assess_address(manifest: Object, advice: str) -> Health:
    addresses = entries(manifest, "status", "loadBalancer", "ingress")
    if not addresses:
        return progressing(f"has no address yet: {advice}")
    names = [text(item, "hostname") or text(item, "ip") for item in addresses]
    return healthy(f"reachable at {', '.join(filter(None, names)) or 'its controller'}")
