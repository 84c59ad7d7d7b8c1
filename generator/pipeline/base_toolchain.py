"""Charts and custom resource definitions for one check: from the base's source, never the head's.

A vendored chart is content of the repository, so it comes from both commits; where it stands is
said by the base.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from generator.chart.cache import ChartCache
from generator.chart.vendored import Vendored
from generator.core.files import Files
from generator.model.repository import Repository
from generator.pipeline import toolchain
from generator.pipeline.toolchain import Charts

Fetch = Callable[[Files], Charts]


@contextlib.contextmanager
def charts(
    base: Files, repository: Repository, fetch: Fetch = toolchain.charts
) -> Iterator[Charts]:
    """This machine's cache and then the source that the base names.

    Vendored charts (`toolchain.charts_of`) get a cache of their own, which is gone at the end.
    """
    if repository.chart.source != "vendored":
        yield fetch(base)
        return
    with tempfile.TemporaryDirectory(prefix="gen-env-charts-") as folder:
        cache = ChartCache(Path(folder), repository.chart.path)
        yield Charts(cache, vendored=Vendored(base, repository.chart.path, cache))


@contextlib.contextmanager
def crds(base: Files, repository: Repository) -> Iterator[Path | None]:
    """The folder of CustomResourceDefinitions: this machine's, or the base's for this while."""
    given = os.environ.get("GEN_ENV_CRDS")
    if given or not repository.crds:
        yield Path(given) if given else None
        return
    with tempfile.TemporaryDirectory(prefix="gen-env-crds-") as folder:
        root = Path(folder)
        for path in base.below(repository.crds):
            # The mirror's reader has refused every name that leads out of the folder.
            target = root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(base.read(path) or b"")
        yield root / repository.crds
