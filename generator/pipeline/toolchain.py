"""The machine's means: chart cache, Helm engine with its cache, chart sources."""

from __future__ import annotations

import dataclasses
import functools
import os
import threading
from pathlib import Path
from typing import Protocol

from generator.chart.cache import ChartCache
from generator.chart.chart import ChartArchive, ChartError, ChartFault
from generator.chart.provider import Charts as Charts
from generator.chart.vendored import Vendored
from generator.core.errors import UserError
from generator.core.files import Files, WorkTree
from generator.definition.definition import SETTINGS, load_settings
from generator.git import command
from generator.model.repository import ChartSource, Repository
from generator.render import library
from generator.render.cache import CachedRenderer, RenderCache, Watch
from generator.render.cache import Render as Render
from generator.render.request import Rendered as Rendered
from generator.render.request import Renderer as Renderer
from generator.render.request import RenderRequest as RenderRequest


def charts(files: Files | None = None, root: Path | None = None) -> Charts:
    """Charts of this machine's cache (GEN_ENV_CHART_CACHE).

    With the `files` of a repository, its own chart where its settings say `vendored`; else a chart
    that the cache lacks is fetched once from the source that they name, unless GEN_ENV_OFFLINE is
    set.
    """
    cache = ChartCache.from_environment()
    if files is None:
        return Charts(cache)
    if (path := vendored_path(files)) is not None:
        # Apart from the others: an archive of the same version here is no other one there.
        own = ChartCache(cache.root / "vendored")
        return Charts(own, vendored=Vendored(files, path, own))
    if os.environ.get("GEN_ENV_OFFLINE"):
        return Charts(cache)
    return Charts(cache, _Fetch(cache, files, root))


def work_tree(root: Path) -> WorkTree:
    """The files on disk below `root`, as a check sees them: with the submodules of git's index."""
    listed = command.in_worktree(root).run("ls-files", "--stage", "-z", check=False)
    entries = (os.fsdecode(entry).partition("\t") for entry in listed.stdout.split(b"\0"))
    return WorkTree(root, frozenset(path for mode, _, path in entries if mode[:6] == "160000"))


def charts_of(known: Charts, files: Files) -> Charts:
    """The charts as one revision has them: one that it carries is its own, whatever its lock says.

    The engine renders no other. A revision that carries none does not get another one's.
    """
    path = vendored_path(files)
    if path is None and known.vendored is None:
        return known
    if path is None or known.vendored is None:
        return charts(files)
    return dataclasses.replace(known, vendored=Vendored(files, path, known.cache))


def vendored_path(files: Files) -> str | None:
    """Where a repository carries its chart; None where the chart comes from elsewhere."""
    repository = settings(files)
    vendored = repository is not None and repository.chart.source == "vendored"
    return repository.chart.path if repository and vendored else None


@dataclasses.dataclass
class _Fetch:
    """Fetches a chart at most once in a run; what went wrong is kept for the person to read."""

    cache: ChartCache
    files: Files
    root: Path | None
    tried: dict[str, str] = dataclasses.field(default_factory=dict)
    lock: threading.Lock = dataclasses.field(default_factory=threading.Lock)

    def __call__(self, version: str) -> str:
        """Try to bring a version into the cache; says why not, or nothing when it is there."""
        with self.lock:
            if version not in self.tried:
                self.tried[version] = self._why_not(version)
            return self.tried[version]

    def _why_not(self, version: str) -> str:
        repository = settings(self.files)
        chosen = repository.chart if repository else ChartSource()
        try:
            _pull(chosen, version, self.root, self.cache, attempts=1)
        except UserError as error:
            return error.message
        return ""


def _pull(
    source: ChartSource, version: str, root: Path | None, cache: ChartCache, *, attempts: int = 4
) -> ChartArchive:
    from generator.chart import source as chart_source
    from generator.chart.chart import read_chart
    from generator.chart.http import POLICY, Client
    from generator.chart.select import choose

    wanted: chart_source.Source
    if source.source == "vendored":
        wanted = chart_source.VendoredSource((root or Path()) / source.path)
    elif source.source == "oci" or source.url.startswith("oci://"):
        address = source.url if source.url.startswith("oci://") else f"oci://{source.url}"
        wanted = chart_source.OciSource(f"{address.rstrip('/')}/airflow")
    else:
        wanted = chart_source.RepositorySource(source.url)
    timeout = 10.0 if attempts > 1 else 3.0
    client = Client(dataclasses.replace(POLICY, connect_seconds=timeout), attempts)
    data = chart_source.pull(wanted, version, client)
    place = source.path if isinstance(wanted, chart_source.VendoredSource) else source.url
    brought = read_chart(data, Path(place))
    if choose([brought.version], version) is None:
        raise ChartError(
            ChartFault.DIGEST,
            f"holds {brought.name} {brought.version}, and {version} was asked for",
            path=place,
            hint="the archive is not what the source lists it as: do not use it",
        )
    return cache.add_bytes(data, place)


def settings(files: Files) -> Repository | None:
    """The repository's settings, or None where gen-env.yaml is missing or broken."""
    try:
        text = files.read(SETTINGS)
        loaded = load_settings(text)[0] if text is not None else None
    except UserError:
        return None
    return loaded.repository if loaded else None


class Repeatable(Protocol):
    """A renderer that can also say what differs when it renders twice."""

    def engine_version(self) -> str:
        """See Renderer."""

    def render(self, request: RenderRequest) -> Rendered:
        """See Renderer."""

    def again(self, request: RenderRequest) -> Rendered:
        """A second render of the same request."""


@dataclasses.dataclass
class _Lazy:
    """A renderer that is only made when something must be rendered."""

    helm: str | None
    watch: Watch | None = None
    made: CachedRenderer | None = None

    @functools.cached_property
    def cache(self) -> RenderCache:
        """Where its renders are kept; one, for each looks at what is there before it first adds."""
        return RenderCache.from_environment()

    def engine_version(self) -> str:
        if not self.helm and library.is_installed():
            return library.version()
        return self._renderer().engine_version()

    def render(self, request: RenderRequest) -> Rendered:
        return self._renderer().render(request)

    def again(self, request: RenderRequest) -> Rendered:
        return self._renderer().again(request)

    def _renderer(self) -> CachedRenderer:
        if self.made is None:
            self.made = renderer(self.helm, self.watch)
        return self.made


def renderer(helm: str | None, watch: Watch | None = None) -> CachedRenderer:
    """Helm with the render cache before it: the SDK, or the binary that is named."""
    from generator.render.engine import choose_engine

    return CachedRenderer(choose_engine(helm), RenderCache.from_environment(), watch)


def lazy(files: Files, helm: str | None = None, watch: Watch | None = None) -> Repeatable:
    """The renderer that the settings ask for, made at first use; `helm` overrides them.

    `watch` is told of every render.
    """
    if helm is None:
        repository = settings(files)
        if repository is not None and repository.helm == "binary":
            helm = os.environ.get("GEN_ENV_HELM", "helm")
    return _Lazy(helm, watch)


def pull(version: str, url: str | None, folder: Path) -> ChartArchive:
    """Fetch a chart from `url`, or from the source that gen-env.yaml in `folder` names."""
    source = ChartSource()
    root = next((at for at in (folder, *folder.parents) if (at / SETTINGS).is_file()), folder)
    repository = settings(WorkTree(root))
    if repository is not None:
        source = repository.chart
    if url is not None:
        kind = "oci" if url.startswith("oci://") else "repository"
        source = ChartSource.model_validate({"source": kind, "url": url})
    return _pull(source, version, root, ChartCache.from_environment())
