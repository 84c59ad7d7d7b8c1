"""What one check may take: time, and objects that are rendered for it."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable

from generator.core.errors import UserError
from generator.pipeline.toolchain import Rendered, Renderer, RenderRequest

MOST_OBJECTS = 200_000
_HINT = "split it into several pull requests; a writer may override this check"


@dataclasses.dataclass
class Bounded:
    """A renderer for one check; raises UserError where the check has taken enough."""

    renderer: Renderer
    seconds: float
    most: int = MOST_OBJECTS
    began: float = dataclasses.field(default_factory=time.monotonic)
    objects: int = 0

    def engine_version(self) -> str:
        return self.renderer.engine_version()

    def render(self, request: RenderRequest) -> Rendered:
        return self._bounded(self.renderer.render, request)

    def again(self, request: RenderRequest) -> Rendered:
        """A second render; of a cache `render` would be the first one once more."""
        return self._bounded(getattr(self.renderer, "again", self.renderer.render), request)

    def _bounded(
        self, render: Callable[[RenderRequest], Rendered], request: RenderRequest
    ) -> Rendered:
        self.require_time()
        found = render(request)
        self.objects += len(getattr(found, "manifests", ()))
        if self.objects > self.most:
            raise UserError(f"not checked: it renders more than {self.most:,} objects", hint=_HINT)
        return found

    def require_time(self) -> None:
        """Raise UserError when time is up; a render that has begun ends within its own bounds."""
        if time.monotonic() - self.began > self.seconds:
            raise UserError(f"not checked: it takes more than {self.seconds:g} s", hint=_HINT)
