"""The caches of this machine that gen-env fills again by itself, and what is dropped of them."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path

from generator.chart.cache import ChartCache
from generator.render.cache import RenderCache


def render_folder() -> Path:
    """Where renders are kept (GEN_ENV_RENDER_CACHE)."""
    return RenderCache.from_environment().root


def evict(before: float) -> Mapping[str, int]:
    """Drop renders beyond the cache's size, and what was not used since `before` (epoch seconds).

    Charts that people added stay: of those only copies of vendored ones are made again. Gives the
    bytes dropped for their age, for each cache.
    """
    renders = RenderCache.from_environment()
    renders.evict()
    vendored = ChartCache.from_environment().root / "vendored"
    return {
        "renders": _drop_old(renders.root, "*/*.render", before),
        "charts": _drop_old(vendored, "*.tgz", before),
    }


def _drop_old(root: Path, pattern: str, before: float) -> int:
    dropped = 0
    for path in root.glob(pattern):
        with contextlib.suppress(OSError):  # another process may be faster
            about = path.stat()
            if about.st_mtime < before:
                path.unlink()
                dropped += about.st_size
    return dropped
