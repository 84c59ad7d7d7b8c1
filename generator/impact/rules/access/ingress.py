"""Host names under which the environment is reached."""

from __future__ import annotations

from collections.abc import Iterator

from generator.impact.context import Context, View, listed
from generator.impact.finding import INFO, WARNING, Finding, ImpactRule
from generator.kube import fields
from generator.kube.resource import Key

HOST = ImpactRule(
    "impact/host",
    WARNING,
    "A host name is no longer served",
    "Links, redirect URIs of the identity provider and DNS have to be changed too.",
    "gen-env",
    also=((INFO, "a host name is added"),),
)
HOST_ANY = ImpactRule(
    "impact/host-any",
    WARNING,
    "A new ingress rule without a host",
    "It answers for every host name that no other Ingress claims.",
    "Kubernetes Ingress",
)
HOST_TLS = ImpactRule(
    "impact/host-tls",
    WARNING,
    "A host name is served without TLS from now on",
    "Passwords and sessions cross the network in plain text.",
    "Kubernetes Ingress",
)


def host(context: Context) -> Iterator[Finding]:
    """`impact/host`: a host is no longer served, or a new one is."""
    if not context.is_update:
        return
    before, after = _hosts(context.base), _hosts(context.head)
    gone = sorted(before.keys() - after.keys())
    new = sorted(after.keys() - before.keys())
    if gone:
        rest = f"; {listed(new)} takes over" if new else ""
        yield HOST.finding(
            before[gone[0]],
            f"{listed(gone)} is no longer served{rest}: links, redirect URIs of the identity "
            "provider and DNS have to be changed too",
        )
    elif new:
        yield HOST.finding(after[new[0]], f"{listed(new)} is now served: it needs DNS", INFO)


def catch_all(context: Context) -> Iterator[Finding]:
    """`impact/host-any`: a new rule without a host answers for every name."""
    if "*" in _hosts(context.head) and "*" not in _hosts(context.base):
        yield HOST_ANY.finding(
            _hosts(context.head)["*"],
            "answers for every host name that no other Ingress of the controller claims",
        )


def encryption(context: Context) -> Iterator[Finding]:
    """`impact/host-tls`: a host that was served with TLS no longer is."""
    before, after = _encrypted(context.base), _encrypted(context.head)
    for name in sorted(before & _hosts(context.head).keys() - after):
        yield HOST_TLS.finding(_hosts(context.head)[name], f"{name} is served without TLS now")


def _hosts(view: View) -> dict[str, Key]:
    found: dict[str, Key] = {}
    for key, manifest in view.of_kind("Ingress").items():
        for rule in fields.entries(manifest, "spec", "rules"):
            found[fields.text(rule, "host") or "*"] = key
    for key, manifest in view.of_kind("HTTPRoute", "Route").items():
        names = fields.at(manifest, "spec", "hostnames")
        for name in names if isinstance(names, list) else [fields.text(manifest, "spec", "host")]:
            if name:
                found[str(name)] = key
    return found


def _encrypted(view: View) -> set[str]:
    return {
        str(name)
        for manifest in view.of_kind("Ingress").values()
        for entry in fields.entries(manifest, "spec", "tls")
        for name in (
            fields.at(entry, "hosts") if isinstance(fields.at(entry, "hosts"), list) else []
        )
    }


FINDERS = (host, catch_all, encryption)
