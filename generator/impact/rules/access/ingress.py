"""Host names under which the environment is reached."""

from __future__ import annotations

from collections.abc import Iterator

from generator.impact.context import Context, View, listed
from generator.impact.finding import INFO, WARNING, Finding, ImpactRule
from generator.kube import fields
from generator.kube.hosts import host_names
from generator.kube.resource import Key

HOST = ImpactRule(
    "impact/host",
    WARNING,
    "A host name is no longer served, or by another kind of object",
    "Links, redirect URIs of the identity provider and DNS have to be changed too.",
    "gen-env",
    also=((INFO, "a host name is added, or something else serves it as well"),),
)
HOST_ANY = ImpactRule(
    "impact/host-any",
    WARNING,
    "A new ingress rule without a host",
    "It answers for every host name that no other Ingress or route claims.",
    "Kubernetes Ingress; Gateway API",
)
HOST_TLS = ImpactRule(
    "impact/host-tls",
    WARNING,
    "A host name is served without TLS from now on",
    "Passwords and sessions cross the network in plain text.",
    "Kubernetes Ingress; OpenShift Route",
)


def host(context: Context) -> Iterator[Finding]:
    """`impact/host`: a host is no longer served, or a new one is."""
    if not context.is_update:
        return
    before, after = _hosts(context.base), _hosts(context.head)
    yield from _moved(before, after)
    gone = sorted(before.keys() - after.keys())
    new = sorted(after.keys() - before.keys())
    if gone:
        rest = f"; {listed(new)} takes over" if new else ""
        yield HOST.finding(
            before[gone[0]][0],
            f"{listed(gone)} is no longer served{rest}: links, redirect URIs of the identity "
            "provider and DNS have to be changed too",
        )
    elif new:
        yield HOST.finding(after[new[0]][0], f"{listed(new)} is now served: it needs DNS", INFO)


def catch_all(context: Context) -> Iterator[Finding]:
    """`impact/host-any`: a new rule without a host answers for every name."""
    if "*" in _hosts(context.head) and "*" not in _hosts(context.base):
        yield HOST_ANY.finding(
            _hosts(context.head)["*"][0],
            "answers for every host name that nothing else of its controller claims",
        )


def encryption(context: Context) -> Iterator[Finding]:
    """`impact/host-tls`: a host that was served with TLS no longer is.

    An HTTPRoute does not say where TLS ends, so that nothing is said of it.
    """
    after = _hosts(context.head)
    for name in sorted(_encrypted(context.base) & after.keys() - _encrypted(context.head)):
        plain = [key for key in after[name] if key.kind != "HTTPRoute"]
        if plain:
            yield HOST_TLS.finding(plain[0], f"{name} is served without TLS now")


def _moved(before: Hosts, after: Hosts) -> Iterator[Finding]:
    """Hosts that objects of another kind serve: another address, and other limits."""
    moves: dict[tuple[Key, str, bool], list[str]] = {}
    for name in sorted(before.keys() & after.keys()):
        old, new = ({key.kind for key in side[name]} for side in (before, after))
        added = [key for key in after[name] if key.kind not in old]
        if added:
            moves.setdefault((added[0], ", ".join(sorted(old)), old <= new), []).append(name)
    for (key, kinds, stays), names in moves.items():
        unread = "; whether its listener ends TLS was not read" if key.kind == "HTTPRoute" else ""
        if stays:
            words = f"serves {listed(names)} as well as the {kinds}: DNS decides which{unread}"
        else:
            words = (
                f"serves {listed(names)} in place of the {kinds}: DNS has to lead to another "
                f"address, and its limits and certificate count{unread}"
            )
        yield HOST.finding(key, words, INFO if stays else WARNING)


Hosts = dict[str, list[Key]]
"""Host names, `*` for any, and what serves them."""


def _hosts(view: View) -> Hosts:
    found: Hosts = {}
    for key, manifest in view.of_kind("Ingress", "HTTPRoute", "Route").items():
        for name in host_names(manifest):
            found.setdefault(name, []).append(key)
    return found


def _encrypted(view: View) -> set[str]:
    """Hosts that an Ingress or a Route serves with TLS alone."""
    found = {
        name
        for manifest in view.of_kind("Ingress").values()
        for entry in fields.entries(manifest, "spec", "tls")
        for name in fields.strings(entry, "hosts")
    }
    for manifest in view.of_kind("Route").values():
        tls = fields.section(manifest, "spec", "tls")
        if tls and tls.get("insecureEdgeTerminationPolicy") != "Allow":
            found.add(fields.text(manifest, "spec", "host"))
    return found


FINDERS = (host, catch_all, encryption)
