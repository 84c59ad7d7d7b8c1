"""Container images that move, everywhere or only in some places."""

from __future__ import annotations

from collections.abc import Iterator

from generator.airflow import image_release
from generator.airflow.image_release import Source
from generator.diff import what_runs
from generator.impact.context import Context, View, listed, verb
from generator.impact.finding import BEFORE, INFO, WARNING, Finding, ImpactRule
from generator.kube import fields

IMAGE = ImpactRule(
    "impact/image",
    WARNING,
    "An image is exchanged in some of its places only, or only its tag beside the same digest",
    "Parts of Airflow then run different code, or the same as before.",
    "gen-env",
    also=((INFO, "everywhere it is used"),),
)
IMAGE_MIXED = ImpactRule(
    "impact/image-mixed",
    WARNING,
    "One repository in several versions at the same time",
    "Parts of Airflow run different code.",
    "gen-env",
    also=(BEFORE,),
)


def image(context: Context) -> Iterator[Finding]:
    """`impact/image`: an image is exchanged; says whether all of its users move together."""
    before, after = _uses(context.base), _uses(context.head)
    moves: dict[tuple[str, str], list[str]] = {}
    for place, new in after.items():
        old = before.get(place)
        if old and old != new:
            moves.setdefault((old, new), []).append(place[0])
    for (old, new), places in sorted(moves.items()):
        users = sorted(set(places))
        digest = image_release.reference(new).digest
        if digest and digest == image_release.reference(old).digest:
            yield IMAGE.finding(
                None,
                f"{old} → {new} in {listed(users)} is the same image: the digest decides, and it "
                "stays; a new tag needs its own digest to have an effect",
            )
            continue
        left = sorted({place[0] for place, name in after.items() if name == old})
        if left:
            yield IMAGE.finding(
                None,
                f"{old} → {new} only in {listed(users)}; {listed(left)} "
                f"{verb(left, 'keeps', 'keep')} the old one",
                brief=f"image {old} → {new} only in {listed(users)}",
            )
        else:
            yield IMAGE.finding(
                None,
                f"{old} → {new} everywhere it is used: {listed(users)}",
                INFO,
                brief="" if _is_airflow(context, new) else f"image {old} → {new}",
            )


def _is_airflow(context: Context, name: str) -> bool:
    """Whether `impact/migration` speaks of this image."""
    return image_release.reference(name) == context.head.runs.image


def mixed(context: Context) -> Iterator[Finding]:
    """`impact/image-mixed`: the same repository in several versions at the same time."""
    before = set(_mixed(context.base))
    for repository, references in _mixed(context.head):
        known = (repository, references) in before
        yield IMAGE_MIXED.finding(
            None,
            f"{repository} runs in {len(references)} versions at once: {listed(references)}"
            + (" (already so before this change)" if known else ""),
            INFO if known else WARNING,
        )


def _uses(view: View) -> dict[tuple[str, str], str]:
    return {
        (work.component, fields.text(container, "name")): fields.text(container, "image")
        for work in view.workloads
        for container in work.containers()
        if fields.text(container, "image")
    }


_HELPERS = ("airflow-pgbouncer", "airflow-statsd-exporter")


def _mixed(view: View) -> Iterator[tuple[str, tuple[str, ...]]]:
    found: dict[str, set[str]] = {}
    for reference in _uses(view).values():
        read = image_release.reference(reference)
        found.setdefault(read.repository, set()).add(read.version)
    # Charts keep helpers (PgBouncer, the exporters) as tags of the image apache/airflow.
    for repository, versions in sorted(found.items()):
        own = sorted(v for v in versions if not v.startswith(_HELPERS))
        if len(own) > 1:
            yield repository, tuple(own)
    yield from _releases(view)


def _releases(view: View) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Components whose images, of one repository or several, hold different releases."""
    running = what_runs.by_component(view.workloads, view.facts)
    known = {name: runs for name, runs in running.items() if runs.source is not Source.CLAIM}
    repositories = {runs.image.repository for runs in known.values()}
    if len({runs.airflow for runs in known.values()}) > 1 and len(repositories) > 1:
        yield "Airflow", tuple(f"{runs.airflow} in {name}" for name, runs in sorted(known.items()))


FINDERS = (image, mixed)
