"""A verdict as a page of its own, for whoever follows the link of its status."""

from __future__ import annotations

import functools

import jinja2

from generator.verify.result import Verdict


@functools.cache
def _template() -> jinja2.Template:
    loader = jinja2.PackageLoader("service.follow_up", ".")
    made = jinja2.Environment(loader=loader, autoescape=True, undefined=jinja2.StrictUndefined)
    return made.get_template("verdict.html")


def render(verdict: Verdict) -> str:
    """The page; it needs nothing else, and nothing in it is taken for markup."""
    return _template().render(
        verdict=verdict,
        unread=[(it.what, it.where, it.reason) for it in verdict.basis.not_read],
        conditions=[
            (it.name, it.state.value, it.message, it.evidence, it.time) for it in verdict.conditions
        ],
        objects=[
            (f"{it.key.kind} {it.key.name}", it.health.status.value, it.health.message)
            for it in verdict.resources
        ],
    )
