"""Many renders at once, in the order asked for and in bounded memory."""

from __future__ import annotations

import collections
import concurrent.futures
import os
from collections.abc import Callable, Iterable, Iterator, Sequence

from generator.render.request import Rendered, Renderer, RenderRequest

Progress = Callable[[int], None]
"""Called in the caller's thread with the number of renders done so far."""

_CEILING = 8


def default_jobs() -> int:
    """One render keeps one processor busy; each takes some 150 MiB."""
    return max(1, min(_CEILING, len(os.sched_getaffinity(0))))


def render_each(
    renderer: Renderer,
    requests: Iterable[RenderRequest],
    *,
    jobs: int | None = None,
    progress: Progress | None = None,
) -> Iterator[Rendered]:
    """The outcomes in the order of the requests, `jobs` renders at a time.

    Never more than twice `jobs` outcomes wait to be taken, however many requests there are. When
    the caller stops early (or is interrupted), what has not begun is dropped.
    """
    jobs = jobs or default_jobs()
    waiting: collections.deque[concurrent.futures.Future[Rendered]] = collections.deque()
    pool = concurrent.futures.ThreadPoolExecutor(jobs, thread_name_prefix="render")
    done = 0
    try:
        for request in requests:
            waiting.append(pool.submit(renderer.render, request))
            if len(waiting) >= 2 * jobs:
                yield waiting.popleft().result()
                done = _tell(progress, done)
        while waiting:
            yield waiting.popleft().result()
            done = _tell(progress, done)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def render_many(
    renderer: Renderer,
    requests: Sequence[RenderRequest],
    *,
    jobs: int | None = None,
    progress: Progress | None = None,
) -> list[Rendered]:
    """As `render_each`, all in one list; equal requests are rendered once."""
    places: dict[tuple[object, ...], int] = {}
    distinct: list[RenderRequest] = []
    for request in requests:
        if places.setdefault(_identity(request), len(distinct)) == len(distinct):
            distinct.append(request)
    rendered = list(render_each(renderer, distinct, jobs=jobs, progress=progress))
    return [rendered[places[_identity(request)]] for request in requests]


def _identity(request: RenderRequest) -> tuple[object, ...]:
    return (
        request.chart,
        request.release,
        request.namespace,
        request.values_json(),
        request.kube_version,
        request.api_versions,
        request.include_crds,
    )


def _tell(progress: Progress | None, done: int) -> int:
    if progress is not None:
        progress(done + 1)
    return done + 1
