"""What holds an environment back as it stands, as plain data that can be kept and asked later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from generator.core.files import Files
from generator.definition.definition import Definition, Settings
from generator.model.base import seconds_of
from generator.model.sync import Window
from generator.pipeline.generate import build
from generator.promotion.sync_windows import WindowError, frozen_until


def read(files: Files, settings: Settings | None, definition: Definition) -> Mapping[str, Any]:
    """`windows`, and `soak` in seconds, of an environment; empty where it cannot be resolved."""
    resolved = build(files, settings, definition).resolved if settings else None
    if settings is None or resolved is None:
        return {}
    tiers = {str(name): policy for name, policy in settings.repository.policy.tiers.items()}
    policy = tiers.get(str(resolved.environment.metadata.tier))
    soak = seconds_of(policy.soak) if policy and policy.soak else 0.0
    windows = resolved.environment.sync.windows
    return {"windows": [window.model_dump(by_alias=True) for window in windows], "soak": soak}


def frozen(windows: Sequence[Mapping[str, Any]], now: datetime) -> datetime | None:
    """The end of the freeze that `windows` (of `read`) hold at `now`; datetime.max without an end.

    None where nothing denies. Raises ValueError where that cannot be told.
    """
    try:
        return frozen_until([Window.model_validate(window) for window in windows], now)
    except WindowError as error:
        raise ValueError(str(error)) from None
