"""What a new environment is written with on the chart that it names, so that `validate` passes."""

from __future__ import annotations

from collections.abc import Sequence

from generator.actions.lifecycle.new_draft import Draft
from generator.chart.chart import ChartError
from generator.core.counted import counted
from generator.core.problem import Problem
from generator.helmvalues.values import ValuesInput, merged
from generator.kube.pods import pod_templates
from generator.lint.objects import pod_security
from generator.lint.values import images
from generator.pipeline import generate
from generator.release import chart_lines
from generator.release.chart_lines import Level
from generator.render.request import Renderer

Notes = tuple[str, ...]

_DATABASE_IMAGE = {"repository": "bitnamilegacy/postgresql", "tag": "16.1.0-debian-11-r15"}
"""That of charts from 1.19 on (their values.yaml); 1.12 to 1.18 have its tag of bitnami/."""
_LEVEL = ("security", "podSecurity")


def without_inexpressible(draft: Draft, given: Sequence[str]) -> tuple[Draft, Notes]:
    """The draft without the user that the template adds, where its chart has no way to give it.

    Also what to do instead. `given` are fields that the command line sets: those stay.
    """
    asked = any(field.split(".")[0] == "auth" for field in given)
    refused = () if asked or draft.value("auth") is None else draft.refused
    less = draft.with_fields({"auth": None}) if refused else draft
    reasons = [item for item in refused if item not in less.refused]
    if not reasons:
        return draft, ()
    create = "add a user yourself once Airflow runs: airflow users create, in the webserver"
    return less, tuple(f"left out: {item}; {create}" for item in reasons)


def with_database_image(draft: Draft) -> tuple[Draft, Notes]:
    """The draft with an image that is there, where its chart's own database has one that is not.

    Also what to know of it, and where the chart is not available what was not checked.
    """
    built = draft.built
    if built.release is None or not built.release.environment.database.embedded:
        return draft, ()
    try:
        archive = generate.archive_for(built, draft.charts)
    except ChartError:
        return draft, ()
    if archive is None:
        version = built.release.environment.chart.version
        return draft, (
            f"{draft.charts.missing(version)}: whether the image of its database is still there was"
            " not checked",
        )
    own = built.release.values
    values = ValuesInput(own, merged(archive.values(), own), archive.version)
    gone = images.gone_image(values)
    if not gone or values.given("postgresql.image"):
        return draft, ()
    place = "values.postgresql.image"
    name = ":".join(_DATABASE_IMAGE.values())
    note = (
        f"the chart's database is {gone}, which its registry no longer has: {place} names {name},"
        " which nobody updates; for data that must last set database.host"
    )
    return draft.with_fields({f"{place}.{key}": value for key, value in _DATABASE_IMAGE.items()}), (
        note,
    )


def with_pod_security(draft: Draft, renderer: Renderer | None) -> tuple[Draft, Notes]:
    """The draft with the level `baseline`, where pods of its chart cannot be restricted.

    Also which, or that this was not checked. Only charts of which gen-env's own samples are not
    rendered are looked at.
    """
    release, resolved = draft.built.release, draft.built.resolved
    if release is None or resolved is None or renderer is None:
        return draft, ()
    environment, chosen = release.environment, resolved.merged.origin(_LEVEL)
    asked, version = environment.security.pod_security, environment.chart.version
    is_chosen = chosen is not None and bool(chosen.path)
    if asked != "restricted" or is_chosen or chart_lines.level(version) is Level.TRIED:
        return draft, ()
    problems: list[Problem] = []
    result = generate.render_release(draft.built, draft.charts, renderer, problems)
    if result is None:
        why = problems[0].message
        return draft, (f"whether the pods can be {asked} was not checked: {why}",)
    kept_out = sorted(
        pod.title
        for pod in pod_templates(result.manifests)
        if pod_security.violations(pod.metadata, pod.spec, asked)
    )
    if not kept_out:
        return draft, ()
    note = (
        f"chart {version} has no keys for what the level restricted asks of "
        f"{counted(len(kept_out), 'workload')} ({', '.join(kept_out)}): "
        f"{'.'.join(_LEVEL)} is baseline"
    )
    return draft.with_fields({".".join(_LEVEL): "baseline"}), (note,)
