"""Who can reach the environment from outside: Services, Ingresses, and what limits them."""

from __future__ import annotations

import ipaddress
import itertools
import re
from collections.abc import Iterator, Mapping
from typing import Any

from generator.diff.equality import same
from generator.impact.context import Context, listed
from generator.impact.finding import INFO, WARNING, Finding, ImpactRule
from generator.impact.network_flows import peer_covers
from generator.kube import fields
from generator.kube.hosts import host_names
from generator.kube.resource import Key, Object

EXPOSED = ImpactRule(
    "impact/exposed",
    WARNING,
    "New access from outside, or a limit on it that is removed or changes",
    "Others can reach the environment than before.",
    "Kubernetes",
    also=((INFO, "fewer can reach it, or another controller serves it"),),
)

_ROUTES = ("HTTPRoute", "Ingress", "Route")
_OUTSIDE = frozenset({"LoadBalancer", "NodePort"})
# Annotations by which controllers limit who gets in: ingress-nginx, HAProxy, Traefik, AWS, GCE,
# Azure and their load balancers.
_LIMITS = re.compile(
    r"(?:allow|white|deny|black)-?list|source-?range|inbound-cidrs|load-balancer-internal"
    r"|load-balancer-(?:type|scheme)|/scheme$|/auth[-./]|auth-(?:type|url|secret|tls|signin)"
    r"|middlewares|oauth|/satisfy$|ssl-redirect|force-ssl|snippet|security-groups|\bwaf"
    r"|modsecurity|global-auth|backend-config|frontendconfig|allow-http|konghq\.com/plugins"
    r"|entrypoints|private-ip|allowed-ip-ranges|allowed-service-tags|deny-all-except",
    re.IGNORECASE,
)
_OPEN = frozenset({"external", "false", "internet-facing", "none", "off", "public"})
_CLASS = "kubernetes.io/ingress.class"
# Old and new names of the same lists.
_ALLOW = re.compile(r"(?:allow|white)-?list", re.IGNORECASE)
_DENY = re.compile(r"(?:deny|black)-?list", re.IGNORECASE)


def exposed(context: Context) -> Iterator[Finding]:
    """`impact/exposed`: Services, routes and their limits differ from before."""
    if not context.is_update:
        return
    for key, before, after in context.kept:
        if key.kind == "Service":
            yield from _service(key, before, after)
        if key.kind in _ROUTES:
            yield from _route(key, before, after)
        if key.kind in (*_ROUTES, "Service"):
            yield from _annotations(key, before, after)
    yield from _first(context)


def _first(context: Context) -> Iterator[Finding]:
    """What is added beside what was there: a Service of the outside, a first route."""
    for key, manifest in context.added.items():
        kind = fields.text(manifest, "spec", "type")
        if key.kind == "Service" and kind in _OUTSIDE:
            yield EXPOSED.finding(key, f"is added as {_reached(kind)}")
        if key.kind in _ROUTES and not context.base.of_kind(*_ROUTES):
            yield EXPOSED.finding(
                key, "is the first way in from outside the cluster: nothing served it before"
            )


def _service(key: Key, before: Object, after: Object) -> Iterator[Finding]:
    old, new = (fields.text(side, "spec", "type") or "ClusterIP" for side in (before, after))
    if old != new:
        opens = new in _OUTSIDE and not (old == "LoadBalancer" and new == "NodePort")
        yield EXPOSED.finding(
            key, f"becomes {_reached(new)} (before: {old})", WARNING if opens else INFO
        )
    for field in ("externalIPs", "loadBalancerSourceRanges"):
        yield from _blocks(
            key,
            f"spec.{field}",
            fields.strings(before, "spec", field),
            fields.strings(after, "spec", field),
            limits=field == "loadBalancerSourceRanges",
        )


def _reached(kind: str) -> str:
    return {
        "LoadBalancer": "a LoadBalancer: reachable from outside the cluster without an Ingress",
        "NodePort": "a NodePort: reachable on every node without an Ingress",
        "ExternalName": "an ExternalName: another address answers under its name",
    }.get(kind, f"a {kind}: no longer reachable from outside by itself")


def _route(key: Key, before: Object, after: Object) -> Iterator[Finding]:
    old, new = _controller(before), _controller(after)
    if not same(old, new):
        yield EXPOSED.finding(
            key,
            f"another controller or gateway serves it: {_named(old)} → {_named(new)}; address, "
            "limits and certificates are those of the other one",
        )
    gone, added = _paths(before) - _paths(after), _paths(after) - _paths(before)
    kept_hosts = {host for host, _ in _paths(before)} & {host for host, _ in _paths(after)}
    gone = {item for item in gone if item[0] in kept_hosts}
    added = {item for item in added if item[0] in kept_hosts}
    if gone or added:
        words = [
            f"serves {listed(sorted(f'{host}{path}' for host, path in items))}{rest}"
            for items, rest in ((added, " from now on"), (gone, " no longer"))
            if items
        ]
        yield EXPOSED.finding(
            key, " and ".join(words) + ": links and base_url have to be changed too"
        )


def _controller(manifest: Object) -> Any:
    """The class by its field, or by the annotation that was there before the field."""
    parents = fields.at(manifest, "spec", "parentRefs")
    old = fields.section(manifest, "metadata", "annotations").get(_CLASS)
    return fields.at(manifest, "spec", "ingressClassName") or old or parents or None


def _named(controller: Any) -> str:
    if isinstance(controller, list):
        return listed(map(_parent, controller))
    return str(controller or "the default")


def _parent(item: Any) -> str:
    """A Gateway with what tells it, or one of its listeners, from others."""
    where = "/".join(filter(None, (fields.text(item, "namespace"), fields.text(item, "name"))))
    port = item.get("port") if isinstance(item, Mapping) else None
    listener = fields.text(item, "sectionName") or (f"port {port}" if port else "")
    return f"{where} ({listener})" if listener else where


def _paths(manifest: Object) -> set[tuple[str, str]]:
    """Host and path of everything that an Ingress, an HTTPRoute or a Route serves."""
    found = set()
    if host := fields.text(manifest, "spec", "host"):
        found.add((host, fields.text(manifest, "spec", "path") or "/"))
    if manifest.get("kind") == "HTTPRoute":
        for name, rule in itertools.product(
            host_names(manifest), fields.entries(manifest, "spec", "rules")
        ):
            for match in fields.entries(rule, "matches") or [{}]:
                found.add((name, fields.text(match, "path", "value") or "/"))
    for rule in fields.entries(manifest, "spec", "rules"):
        for path in fields.entries(rule, "http", "paths"):
            found.add((fields.text(rule, "host") or "*", fields.text(path, "path") or "/"))
    return found


def _annotations(key: Key, before: Object, after: Object) -> Iterator[Finding]:
    old, new = (_limits(side) for side in (before, after))
    for present in sorted(old.keys() | new.keys()):
        name = (new.get(present) or old[present])[0]
        values = [side[present][1] if present in side else None for side in (old, new)]
        if same(*values):
            continue
        blocks = [_listed_blocks(value) for value in values]
        if _DENY.search(name) and (blocks[0] or blocks[1]):
            yield from _denied(key, name, *blocks)
        elif blocks[0] or blocks[1]:
            yield from _blocks(key, name, *blocks, limits=True)
        elif present not in new:
            yield EXPOSED.finding(key, f"{name} is removed: what it limited or required is open")
        else:
            opens = present in old or str(values[1]).strip().lower() in _OPEN
            verb = "changes" if present in old else "is added"
            yield EXPOSED.finding(
                key, f"{name} {verb}: it decides who gets in", WARNING if opens else INFO
            )


def _limits(manifest: Object) -> dict[str, tuple[str, Any]]:
    """The annotations that limit who gets in, by the present name of their list: as written."""
    given = fields.section(manifest, "metadata", "annotations")
    return {
        _ALLOW.sub("allowlist", _DENY.sub("denylist", str(name))): (str(name), value)
        for name, value in given.items()
        if _LIMITS.search(str(name))
    }


def _denied(key: Key, name: str, old: Any, new: Any) -> Iterator[Finding]:
    """A list of addresses that are kept out."""
    before, after = (set(side or ()) for side in (old, new))
    free = sorted(block for block in before if not _covered(block, after))
    kept_out = sorted(block for block in after if not _covered(block, before))
    if free:
        yield EXPOSED.finding(key, f"{name} drops {listed(free)}, which get in now")
    if kept_out:
        yield EXPOSED.finding(key, f"{name} adds {listed(kept_out)}, which no longer get in", INFO)


def _listed_blocks(value: Any) -> list[str] | None:
    """The address blocks of a list in one annotation; None where it holds anything else."""
    parts = [part.strip() for part in str(value or "").split(",") if part.strip()]
    return parts if parts and all(map(_is_network, parts)) else None


def _blocks(key: Key, name: str, old: Any, new: Any, *, limits: bool) -> Iterator[Finding]:
    """A list of addresses; where it `limits`, an empty one lets everyone in."""
    before, after = ({str(item) for item in side or ()} for side in (old, new))
    if before == after:
        return
    if limits and not after:
        yield EXPOSED.finding(
            key, f"{name} is removed: addresses other than {listed(sorted(before))} get in"
        )
        return
    if limits and not before:
        yield EXPOSED.finding(key, f"{name}: only {listed(sorted(after))} get in now", INFO)
        return
    wider = sorted(block for block in after if not _covered(block, before))
    fewer = sorted(block for block in before if not _covered(block, after))
    words = [
        f"{verb} {listed(blocks)}" for verb, blocks in (("adds", wider), ("drops", fewer)) if blocks
    ]
    if words:
        yield EXPOSED.finding(key, f"{name} {' and '.join(words)}", WARNING if wider else INFO)


def _covered(block: str, others: set[str]) -> bool:
    return any(peer_covers(other, block) for other in others)


def _is_network(text: str) -> bool:
    try:
        return bool(ipaddress.ip_network(text, strict=False))
    except ValueError:
        return False


FINDERS = (exposed,)
