"""Update strategies that the API server does not take."""

from __future__ import annotations

from collections.abc import Iterator

from generator.impact.apply import is_server_side
from generator.impact.context import Context, listed
from generator.impact.finding import ERROR, WARNING, Finding, ImpactRule
from generator.kube import fields

REFUSED = ImpactRule(
    "impact/refused",
    ERROR,
    "An update strategy that the API server does not take",
    "The sync fails.",
    "Kubernetes",
    also=((WARNING, "under server-side apply, and how the object is applied is not known"),),
)

_STRATEGIES = {
    "DaemonSet": ("updateStrategy", ("OnDelete", "RollingUpdate")),
    "Deployment": ("strategy", ("Recreate", "RollingUpdate")),
    "StatefulSet": ("updateStrategy", ("OnDelete", "RollingUpdate")),
}


def strategy(context: Context) -> Iterator[Finding]:
    """`impact/refused`: an update strategy that the API server does not take.

    kubernetes/pkg/apis/apps/validation: `rollingUpdate` may stand only beside RollingUpdate. The
    server itself filled it in before, and server-side apply does not take it away; client-side
    apply does (`retainKeys`).
    """
    for key, before, after in context.kept:
        known = _STRATEGIES.get(key.kind)
        if known is None:
            continue
        field, kinds = known
        old, new = (fields.section(side, "spec", field) for side in (before, after))
        kind = fields.text(new, "type") or "RollingUpdate"
        if kind not in kinds:
            yield REFUSED.finding(
                key, f"spec.{field}.type {kind} is not one of {listed(kinds)}: the sync fails"
            )
        elif kind != "RollingUpdate" and new.get("rollingUpdate") is not None:
            yield REFUSED.finding(
                key, f"spec.{field} {kind} has rollingUpdate beside it: the sync fails"
            )
        elif kind != "RollingUpdate" and fields.text(old, "type") in ("", "RollingUpdate"):
            server_side = is_server_side(context, after)
            if server_side is not False:
                yield REFUSED.finding(
                    key,
                    f"spec.{field} becomes {kind}, and under server-side apply the rollingUpdate "
                    "that the API server filled in stays beside it: the sync fails; "
                    "let the object be created again (Force=true,Replace=true)",
                    ERROR if server_side else WARNING,
                )


FINDERS = (strategy,)
