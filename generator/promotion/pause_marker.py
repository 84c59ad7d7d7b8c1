"""A pause in a definition's text, and taking back exactly that: a marked line and one value."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

from generator.core.errors import UserError
from generator.core.layered import Path
from generator.model.base import seconds_of
from generator.yaml import edit, reader
from generator.yaml.edit import MISSING, alike, get

_MARK = "# Paused by gen-env"
_WORDS = "`gen-env pause ENV --resume` takes this line and the change back"
_MARKED = re.compile(rf"^{re.escape(_MARK)} \((?P<what>[^)\n]*)\)[^\r\n]*\r?\n", re.MULTILINE)
_AUTOMATED: Path = ("sync", "automated")
_WINDOWS: Path = ("sync", "windows")


@dataclasses.dataclass(frozen=True, slots=True)
class DenyWindow:
    """A deny window from `schedule` on for `duration`; by default one that never ends.

    A person may still sync by hand. Argo CD has no window that comes once: a dated one would come
    again after a year, if it were not taken back.
    """

    schedule: str = "* * * * *"
    duration: str = "24h"

    def as_data(self) -> dict[str, Any]:
        """The window as it stands in a definition."""
        return {
            "kind": "deny",
            "schedule": self.schedule,
            "duration": self.duration,
            "timeZone": "UTC",
            "manualSync": True,
        }


def is_paused(text: str) -> bool:
    """Whether a pause of ours stands in the definition."""
    return _MARKED.search(text) is not None


def with_window(text: str, halt: DenyWindow, file: str) -> str:
    """The text with the window added; raises YamlError where it cannot be edited in place."""
    assert seconds_of(halt.duration) > 0
    data = reader.read(text, file).data
    windows = get(data, _WINDOWS)
    number = len(windows) if isinstance(windows, list) else 0
    first = _first_missing(data, _WINDOWS)
    what = ".".join(map(str, first)) if first else f"sync.windows {number}"
    edited = edit.set_value(text, (*_WINDOWS, number), halt.as_data(), file=file)
    return _marked(edited, what, file)


def without_automation(text: str, file: str) -> str:
    """The text with sync.automated false; raises YamlError where it cannot be edited in place."""
    data = reader.read(text, file).data
    written = get(data, _AUTOMATED)
    first = _first_missing(data, _AUTOMATED)
    what = ".".join(map(str, first)) if first else f"sync.automated was {written}"
    edited = edit.set_value(text, _AUTOMATED, False, file=file)
    return _marked(edited, what, file)


def resumed(text: str, file: str) -> str:
    """The text without the pause: everything else as it is now.

    Raises UserError when no pause of ours stands there, or when it was edited since.
    """
    match = _MARKED.search(text)
    if match is None:
        raise UserError("this definition has no pause by gen-env", path=file)
    plain = text[: match.start()] + text[match.end() :]
    what, _, rest = match["what"].partition(" ")
    data = reader.read(plain, file).data
    path: Path = tuple(what.split("."))
    line = text[: match.start()].count("\n") + 1
    if what == "sync.windows" and rest.isdigit():
        path = (*_WINDOWS, int(rest))
        return _removed(plain, data, path, _is_halt(get(data, path)), file, line)
    if rest.startswith("was "):
        still = str(get(data, _AUTOMATED)) == "false"
        _require(still, file, line)
        before = reader.read(rest.removeprefix("was "), file).data
        return edit.set_scalar(plain, _AUTOMATED, before, file=file)
    windows = get(data, _WINDOWS)
    ours = isinstance(windows, list) and len(windows) == 1 and _is_halt(windows[0])
    ours = ours or str(get(data, _AUTOMATED)) == "false"
    return _removed(plain, data, path, ours and _alone(get(data, path)), file, line)


def kept(present: str, past: str, file: str) -> str:
    """The past text paused exactly if the present one is: a pause outlives a rollback."""
    plain = resumed(past, file) if is_paused(past) else past
    if not is_paused(present):
        return plain
    windows = get(reader.read(present, file).data, _WINDOWS)
    halts = [item for item in windows if _is_halt(item)] if isinstance(windows, list) else []
    if halts:
        halt = DenyWindow(str(halts[-1]["schedule"]), str(halts[-1]["duration"]))
        return with_window(plain, halt, file)
    return without_automation(plain, file)


def _removed(text: str, data: Any, path: Path, ours: bool, file: str, line: int) -> str:
    _require(ours and get(data, path) is not MISSING, file, line)
    return edit.remove(text, path, file=file)


def _require(ours: bool, file: str, line: int) -> None:
    if not ours:
        raise UserError(
            "the lines that the pause wrote were edited since",
            path=file,
            line=line,
            hint="undo the pause by hand, and remove this line",
        )


def _alone(value: Any) -> bool:
    """Whether nothing was added beside what the pause wrote."""
    return not isinstance(value, dict) or len(value) == 1


def _is_halt(window: Any) -> bool:
    if not isinstance(window, dict) or window.get("kind") != "deny":
        return False
    halt = DenyWindow(str(window.get("schedule")), str(window.get("duration")))
    expected = {key: str(value) for key, value in halt.as_data().items()}
    return {key: str(value).lower() for key, value in window.items()} == {
        key: value.lower() for key, value in expected.items()
    }


def _first_missing(data: Any, path: Path) -> Path | None:
    """The shortest part of the path that is not there: removing it takes all of it back."""
    for length in range(1, len(path) + 1):
        if get(data, path[:length]) is MISSING:
            return path[:length]
    return None


def _marked(text: str, what: str, file: str) -> str:
    """A comment line above `sync`, or at the top where no line can stand there."""
    document = reader.read(text, file)
    mark = document.marks.get(("sync",))
    at = 1 if text.startswith("\ufeff") else 0
    if mark is not None:
        start = text.rfind("\n", 0, mark.key_start) + 1
        at = start if start == mark.key_start else at
    end = "\r\n" if "\r\n" in text else "\n"
    marked = f"{text[:at]}{_MARK} ({what}): {_WORDS}{end}{text[at:]}"
    if not alike(reader.read(marked, file).data, document.data):
        raise UserError("the pause cannot be marked in this definition", path=file)
    return marked
