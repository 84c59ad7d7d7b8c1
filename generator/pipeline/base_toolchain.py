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

from generator.chart import vendored
from generator.chart.cache import ChartCache
from generator.core.errors import UserError
from generator.core.files import Files
from generator.model.repository import Repository
from generator.pipeline import toolchain
from generator.pipeline.toolchain import Charts

Fetch = Callable[[Files], Charts]


@contextlib.contextmanager
def charts(
    base: Files, head: Files, repository: Repository, fetch: Fetch = toolchain.charts
) -> Iterator[Charts]:
    """This machine's cache and then the source that the base names.

    Vendored charts come from both revisions into a cache of their own, which is gone at the end.
    """
    if repository.chart.source != "vendored":
        yield fetch(base)
        return
    with tempfile.TemporaryDirectory(prefix="gen-env-charts-") as folder:
        cache = ChartCache(Path(folder), repository.chart.path)
        faults: list[str] = []
        for files in (base, head):
            try:
                _add(cache, repository.chart.path, files)
            except UserError as error:
                faults.append(error.message)
        yield Charts(cache, lambda version: "; ".join(faults) or "the vendored one differs")


def _add(cache: ChartCache, path: str, files: Files) -> None:
    packed = vendored.archive(files, path)
    if packed is None:
        raise UserError(f"no chart in {path}")
    cache.add_bytes(packed, path, official=False)


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
