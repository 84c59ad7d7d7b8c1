"""The host names that an object has served: an Ingress, a route of the Gateway API, a Route."""

from __future__ import annotations

from generator.kube import fields
from generator.kube.resource import Object, key_of

ANY = "*"
_GATEWAY_API = "gateway.networking.k8s.io"
# Annotations by which a controller serves, or publishes in DNS, further names.
_MORE = (
    "nginx.ingress.kubernetes.io/server-alias",
    "external-dns.alpha.kubernetes.io/hostname",
)


def host_names(manifest: Object) -> list[str]:
    """The names that its rules serve, ANY where a rule serves every name; none of other kinds."""
    key = key_of(manifest)
    if key.kind == "Ingress":
        rules = fields.entries(manifest, "spec", "rules")
        found = [fields.text(rule, "host") or ANY for rule in rules]
        return [*found, ANY] if fields.section(manifest, "spec", "defaultBackend") else found
    if key.group == _GATEWAY_API and key.kind.endswith("Route"):
        return fields.strings(manifest, "spec", "hostnames") or [ANY]
    if key.kind == "Route":
        return list(filter(None, [fields.text(manifest, "spec", "host")]))
    return []


def claimed_names(manifest: Object) -> list[str]:
    """The served names, and those that annotations of any object add; sorted."""
    annotations = fields.section(manifest, "metadata", "annotations")
    more = [part for name in _MORE for part in str(annotations.get(name) or "").split(",")]
    return sorted({*host_names(manifest), *filter(None, map(str.strip, more))})
