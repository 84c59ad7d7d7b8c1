"""Whether images are in their registries, asked within bounds: names come from a pull request."""

from __future__ import annotations

import dataclasses
import re
import time
from collections.abc import Callable, Collection, Iterable, Iterator

from generator.airflow.image_release import reference
from generator.chart.http import Client
from generator.core.errors import UserError
from generator.core.http_policy import Policy
from generator.image.registry import ACCEPT, located, remote

MOST = 20
_LONGEST = 500
SECONDS = 30.0
"""For all of them; one look-up that has begun may take three answers of 5 s more."""
_POLICY = Policy(
    max_bytes=4 << 20, connect_seconds=5, read_seconds=5, total_seconds=5, redirects=3
)  # fmt: skip
# distribution-spec 1.1, "Pulling manifests": what a tag or digest may be.
_VERSION = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}|sha(256:[0-9a-f]{64}|512:[0-9a-f]{128})")


@dataclasses.dataclass(frozen=True, slots=True)
class Answer:
    """Whether the image is there; None where nobody knows, with the reason."""

    image: str
    there: bool | None
    reason: str = ""


def look_up(
    images: Iterable[str], registries: Collection[str], clock: Callable[[], float] = time.monotonic
) -> Iterator[Answer]:
    """One answer for each image, in order; requests go to these registries (hosts) alone."""
    end, asked = clock() + SECONDS, 0
    for image in images:
        host, _ = located(reference(image).repository)
        if host not in registries:
            yield Answer(image, None, f"{host} is not one of policy.registries")
        elif asked == MOST or clock() > end:
            bound = f"{MOST} images" if asked == MOST else f"{SECONDS:.0f} s"
            yield Answer(image, None, f"not more than {bound} are spent on look-ups in one check")
        else:
            asked += 1
            yield _looked_up(image)


def _looked_up(image: str) -> Answer:
    parts = reference(image)
    # Of a tag and a digest the runtime takes the digest.
    wanted = parts.digest or parts.tag or "latest"
    if len(image) > _LONGEST or not _VERSION.fullmatch(wanted):
        return Answer(image, None, "it is not the name of an image")
    try:
        place = remote(parts.repository, Client(_POLICY, attempts=1))
        return Answer(image, place.has(wanted, ACCEPT))
    except UserError as error:
        return Answer(image, None, error.message)
