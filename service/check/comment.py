"""The one comment of a pull request, within what its forge takes."""

from __future__ import annotations

from collections.abc import Sequence

from generator.report import markdown
from generator.report.budget import SMALLEST, cost
from generator.report.escape import clipped, code, fence, prose
from generator.report.model import Report
from service.model.check import CheckState

_WORDS = {
    CheckState.SUCCESS: "passed",
    CheckState.FAILURE: "failed",
    CheckState.ERROR: "could not be done",
    CheckState.NEUTRAL: "waiting",
}


def word_of(state: CheckState) -> str:
    """How people call a state."""
    return _WORDS.get(state, state.value)


_PATCH = "<details><summary>Patch that brings the tree up to date: git apply</summary>\n\n"
_END = "\n\n</details>\n"


def compose(
    state: CheckState,
    summary: str,
    report: Report,
    *,
    budget: int,
    url: str = "",
    remarks: Sequence[str] = (),
    commands: Sequence[str] = (),
    patch: str = "",
) -> str:
    """The comment in at most `budget` bytes: verdict, remarks, the report, the patch.

    `remarks` are our own sentences, `commands` what a writer may answer with. A patch that takes
    more than a third of the room is named by its size and left out: half a patch is of no use.
    """
    head = f"### gen-env: {word_of(state)}\n\n{prose(clipped(summary, 1_000))}\n\n"
    head += "".join(f"- {prose(clipped(remark, 1_000))}\n" for remark in remarks)
    head += "".join(f"- {code(command)}\n" for command in commands)
    if url:
        head += f"\n[Full report](<{url}>)\n"
    tail = _patched(patch, budget // 3)
    room = budget - cost(head) - cost(tail) - 2
    body = markdown.render(report, budget=room) if room >= SMALLEST else ""
    return f"{head}\n{body}\n{tail}".rstrip("\n") + "\n"


def _patched(patch: str, budget: int) -> str:
    if not patch:
        return ""
    mark = fence(patch)
    text = f"{_PATCH}{mark}diff\n{patch.rstrip()}\n{mark}{_END}"
    if cost(text) <= budget:
        return text
    lines = patch.count("\n")
    return f"The patch has {lines:,} lines and is left out; `gen-env generate` makes it.\n"
