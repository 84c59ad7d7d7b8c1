"""Airflow, Python and the providers of an image, from the metadata of the installed packages."""

from __future__ import annotations

import dataclasses
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping

from generator.image.layers import Image, Layers

# `…/lib/python3.12/site-packages/apache_airflow_core-3.2.2.dist-info/METADATA` (PEP 376, PEP 427).
_METADATA = re.compile(
    r"(?:(?:.*/)?lib/python(?P<python>3\.\d+)/)?(?:.*/)?(?:site|dist)-packages/"
    r"apache_airflow(?P<name>[a-z0-9_]*)-(?P<version>[^/-]+)\.dist-info/METADATA"
)
_PROVIDER = "_providers_"
_HIDDEN = ".wh."
_OPAQUE = ".wh..wh..opq"


@dataclasses.dataclass(frozen=True, slots=True)
class Contents:
    """What is installed; `providers` by their short names, None where nobody looked."""

    airflow: str
    python: str
    providers: Mapping[str, str] | None


def contents(place: Layers, image: Image) -> Contents:
    """What one image holds, its layers laid over each other.

    Raises UserError where no Airflow is installed, or one package in two versions.
    """
    packages: dict[str, set[str]] = defaultdict(set)
    pythons: set[str] = set()
    for path in _present(place, image):
        match = _METADATA.fullmatch(path)
        if match is not None:
            packages[match["name"]].add(match["version"])
            pythons |= {match["python"]} - {None}
    for name, versions in packages.items():
        if len(versions) > 1:
            raise place.error(
                f"apache_airflow{name} is installed in {len(versions)} versions: "
                f"{', '.join(sorted(versions))}"
            )
    airflow = packages.get("_core") or packages.get("")
    if not airflow:
        raise place.error("no Airflow is installed in the image")
    providers = {
        name.removeprefix(_PROVIDER).replace("_", "-"): min(versions)
        for name, versions in sorted(packages.items())
        if name.startswith(_PROVIDER)
    }
    return Contents(min(airflow), min(pythons) if len(pythons) == 1 else "", providers)


def _present(place: Layers, image: Image) -> Iterable[str]:
    """Paths of package metadata in the image; a whiteout hides what lower layers have (OCI)."""
    present: set[str] = set()
    for layer in image.layers:
        added: set[str] = set()
        hidden: set[str] = set()
        for member in place.files(layer):
            path = member.name.removeprefix("./").removeprefix("/")
            folder, _, name = path.rpartition("/")
            if name == _OPAQUE:
                hidden.add(f"{folder}/")
            elif name.startswith(_HIDDEN):
                hidden.add(f"{folder}/{name.removeprefix(_HIDDEN)}".removeprefix("/"))
            elif not member.isdir() and _METADATA.fullmatch(path):
                added.add(path)
        present = {path for path in present if not _is_below(path, hidden)} | added
    return sorted(present)


def _is_below(path: str, hidden: set[str]) -> bool:
    """Whether the path, or a folder that it lies in, is hidden; a folder's content ends in `/`."""
    parts = path.split("/")
    above = ["/".join(parts[:end]) for end in range(1, len(parts) + 1)]
    return not hidden.isdisjoint([*above, *(f"{folder}/" for folder in above[:-1])])
