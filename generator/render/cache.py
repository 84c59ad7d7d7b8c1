"""Renders on disk, by the content of everything they depend on."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from generator.core.errors import UserError
from generator.core.problem import Problem, Severity
from generator.render.request import Rendered, Renderer, RenderRequest, RenderResult, canonical

# Raise it when what is stored, or what we make of Helm's output, changes.
FORMAT = 3
DEFAULT_BYTES = 256 << 20
_SUFFIX = ".render"


def cache_root(environ: Mapping[str, str]) -> Path:
    """Where renders are kept: GEN_ENV_RENDER_CACHE, else below XDG_CACHE_HOME or ~/.cache."""
    given = environ.get("GEN_ENV_RENDER_CACHE")
    if given:
        return Path(given).expanduser()
    base = environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "gen-env" / "renders"


def whole_charts(environ: Mapping[str, str]) -> bool:
    """Whether Helm gets each chart as it was released: GEN_ENV_WHOLE_CHARTS says so."""
    return bool(environ.get("GEN_ENV_WHOLE_CHARTS"))


def cache_key(request: RenderRequest, engine: str) -> str:
    """A hash of all that the result depends on. Raises UserError when the chart is not readable."""
    try:
        chart = hashlib.sha256(request.chart.read_bytes()).hexdigest()
    except OSError as error:
        message = f"cannot read the chart archive: {error.strerror}"
        raise UserError(message, path=str(request.chart)) from error
    parts = {
        "format": FORMAT,
        "engine": engine,
        "chart": chart,
        "release": request.release,
        "namespace": request.namespace,
        "values": request.values,
        "kubernetes": request.kube_version,
        "apis": sorted(set(request.api_versions)),
        "crds": request.include_crds,
    }
    if whole_charts(os.environ):
        parts["whole"] = True
    return hashlib.sha256(canonical(parts).encode("utf-8", "surrogatepass")).hexdigest()


class RenderCache:
    """A folder of results, open to its owner alone because a render may hold secrets.

    Safe for several processes: entries appear whole or not at all, carry a checksum, and may vanish
    at any time. The oldest in use go first once all together exceed `max_bytes`.
    """

    def __init__(self, root: Path, *, max_bytes: int = DEFAULT_BYTES) -> None:
        self.root = root
        self.max_bytes = max_bytes
        self._written = max_bytes  # so that the first entry looks at what others left

    @classmethod
    def from_environment(cls) -> RenderCache:
        """The cache that this process's environment names."""
        return cls(cache_root(os.environ))

    def get(self, key: str) -> RenderResult | None:
        """The result kept under a key; None when there is none, or it is damaged."""
        body = self.get_bytes(key)
        return None if body is None else _decode(json.loads(body))

    def get_bytes(self, key: str) -> bytes | None:
        """What is kept under a key; None when there is nothing, or it is damaged."""
        path = self._path(key)
        try:
            self._check_owner()
            with path.open("rb") as file:
                # Somebody may have put it there while the folder was open to others.
                if os.fstat(file.fileno()).st_uid != os.geteuid():
                    return None
                data = file.read()
            os.utime(path)
        except OSError:
            return None
        checksum, _, body = data.partition(b"\n")
        return body if checksum.decode("ascii", "replace") == _checksum(key, body) else None

    def put(self, key: str, result: RenderResult) -> None:
        """Keep a result. A full or read-only disk loses the entry, not the render."""
        self.put_bytes(key, canonical(_encode(result)).encode("utf-8", "surrogatepass"))

    def put_bytes(self, key: str, body: bytes) -> None:
        """Keep something else that belongs to renders, as `put` does."""
        data = f"{_checksum(key, body)}\n".encode() + body
        path = self._path(key)
        with contextlib.suppress(OSError):
            self._prepare(path.parent)
            with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
                temporary = Path(file.name)
                try:
                    file.write(data)
                    file.flush()
                    temporary.replace(path)
                except BaseException:
                    temporary.unlink(missing_ok=True)
                    raise
            self._written += len(data)
        if self._written > self.max_bytes // 16:
            self._written = 0
            self.evict()

    def evict(self) -> None:
        """Remove what was not used for longest until the rest fits."""
        entries: list[tuple[float, int, Path]] = []
        for path in self.root.glob(f"*/*{_SUFFIX}"):
            with contextlib.suppress(OSError):
                about = path.stat()
                entries.append((about.st_mtime, about.st_size, path))
        total = sum(size for _, size, _ in entries)
        for _, size, path in sorted(entries, key=lambda entry: entry[:2]):
            if total <= self.max_bytes:
                return
            with contextlib.suppress(OSError):
                path.unlink()
            total -= size

    def _path(self, key: str) -> Path:
        return self.root / key[:2] / f"{key}{_SUFFIX}"

    def _prepare(self, folder: Path) -> None:
        self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._check_owner()
        folder.mkdir(exist_ok=True, mode=0o700)

    def _check_owner(self) -> None:
        about = self.root.stat()
        if about.st_uid != os.geteuid():
            raise UserError(
                "the render cache belongs to another user, who could read and change it",
                path=str(self.root),
                hint="set GEN_ENV_RENDER_CACHE to a folder of your own",
            )
        if about.st_mode & 0o077:
            self.root.chmod(0o700)


@dataclasses.dataclass(frozen=True, slots=True)
class Render:
    """One render that was asked for, for those who count: cached, rendered or failed."""

    release: str
    outcome: str
    began: float
    seconds: float


Watch = Callable[[Render], None]


class CachedRenderer:
    """An engine whose results are kept; failures are tried anew each time.

    `watch` is told of every render when it is over, in the thread that asked for it.
    """

    def __init__(self, inner: Renderer, cache: RenderCache, watch: Watch | None = None) -> None:
        self.inner = inner
        self.cache = cache
        self._watch = watch

    def engine_version(self) -> str:
        """That of the engine behind the cache."""
        return self.inner.engine_version()

    def render(self, request: RenderRequest) -> Rendered:
        """The kept result, or a new one that is kept from now on."""
        return self._answer(request, second=False)

    def again(self, request: RenderRequest) -> Rendered:
        """A second render of the same request, made once and kept beside the first.

        What differs between the two is random; see `render_random.compare`.
        """
        return self._answer(request, second=True)

    def _answer(self, request: RenderRequest, *, second: bool) -> Rendered:
        began, started = time.time(), time.perf_counter()
        key = self._key(request, second=second)
        answer: Rendered | None = self.cache.get(key) if key else None
        cached = answer is not None
        if answer is None:
            answer = self._made(request, second=second)
            if key and isinstance(answer, RenderResult):
                self.cache.put(key, answer)
        if self._watch:
            made = "rendered" if isinstance(answer, RenderResult) else "failed"
            seconds = time.perf_counter() - started
            self._watch(Render(request.release, "cached" if cached else made, began, seconds))
        return answer

    def _made(self, request: RenderRequest, *, second: bool) -> Rendered:
        again: Callable[[RenderRequest], Rendered] = getattr(self.inner, "again", self.inner.render)
        return again(request) if second else self.inner.render(request)

    def _key(self, request: RenderRequest, *, second: bool) -> str | None:
        try:
            key = cache_key(request, self.inner.engine_version())
        except UserError:
            return None
        return hashlib.sha256(f"again {key}".encode()).hexdigest() if second else key


def _checksum(key: str, body: bytes) -> str:
    return hashlib.sha256(key.encode() + body).hexdigest()


def _encode(result: RenderResult) -> dict[str, Any]:
    return {
        "manifests": list(result.manifests),
        "notes": result.notes,
        "problems": [problem.as_json() for problem in result.problems],
        "engine": result.engine,
    }


def _decode(stored: Mapping[str, Any]) -> RenderResult:
    return RenderResult(
        manifests=tuple(stored["manifests"]),
        notes=stored["notes"],
        problems=tuple(
            Problem(**{**problem, "severity": Severity(problem["severity"])})
            for problem in stored["problems"]
        ),
        engine=stored["engine"],
    )
