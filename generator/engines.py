"""The machine's means: chart cache, Helm engine with its cache, chart sources."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

from generator.chart import ChartArchive
from generator.chart_cache import ChartCache
from generator.definition import SETTINGS, load_settings
from generator.errors import UserError
from generator.files import Files, WorkTree
from generator.model.repository import ChartSource, Repository
from generator.pipeline import Charts
from generator.render import Rendered, Renderer, RenderRequest


def charts() -> Charts:
    """Charts of this machine's cache (GEN_ENV_CHART_CACHE)."""
    return Charts(ChartCache.from_environment())


def settings(files: Files) -> Repository | None:
    """The repository's settings, or None where gen-env.yaml is missing or broken."""
    text = files.read(SETTINGS)
    loaded = load_settings(text)[0] if text is not None else None
    return loaded.repository if loaded else None


@dataclasses.dataclass
class _Lazy:
    """A renderer that is only made when something must be rendered."""

    helm: str | None
    made: Renderer | None = None

    def engine_version(self) -> str:
        return self._renderer().engine_version()

    def render(self, request: RenderRequest) -> Rendered:
        return self._renderer().render(request)

    def _renderer(self) -> Renderer:
        if self.made is None:
            self.made = renderer(self.helm)
        return self.made


def renderer(helm: str | None) -> Renderer:
    """Helm with the render cache before it: the SDK, or the binary that is named."""
    from generator.render import choose_engine
    from generator.render_cache import CachedRenderer, RenderCache

    return CachedRenderer(choose_engine(helm), RenderCache.from_environment())


def lazy(files: Files, helm: str | None = None) -> Renderer:
    """The renderer that the settings ask for, made at first use; `helm` overrides them."""
    if helm is None:
        repository = settings(files)
        if repository is not None and repository.helm == "binary":
            helm = os.environ.get("GEN_ENV_HELM", "helm")
    return _Lazy(helm)


def pull(version: str, url: str | None, folder: Path) -> ChartArchive:
    """Fetch a chart from `url`, or from the source that gen-env.yaml in `folder` names."""
    from generator.chart_source import pull as fetch

    source = ChartSource()
    root = folder
    for place in (folder, *folder.parents):
        if (place / SETTINGS).is_file():
            repository = settings(WorkTree(place))
            root = place
            if repository is not None:
                source = repository.chart
            break
    if url is not None:
        kind = "oci" if url.startswith("oci://") else "repository"
        source = ChartSource.model_validate({"source": kind, "url": url})
    try:
        data = fetch(source, version, root=root)
    except OSError as error:
        raise UserError(f"cannot read the chart: {error.strerror}") from None
    return charts().cache.add_bytes(data, source.url)
