"""The lock of an image: every package that is installed, by version and by its files' digests."""

from __future__ import annotations

import itertools
import re

from generator.core.errors import UserError
from generator.image_build.requirements import Inputs, normal

FILE_NAME = "requirements.lock"
_HEAD = "# Locked by gen-env image lock"
_PIN = re.compile(r"(?P<name>[A-Za-z0-9._-]+)(?:\[[^\]]*\])?==(?P<version>[^\s;\\]+)")
_HASH = re.compile(r"    --hash=sha256:[0-9a-f]{64}(?: \\)?")
_COUNT = re.compile(r"^# packages ([0-9]+)$", re.MULTILINE)
_INPUTS = re.compile(r"^# inputs (sha256:[0-9a-f]{64})$", re.MULTILINE)


def text(environment: str, inputs: Inputs, compiled: str) -> str:
    """The lock file: what it is of, and the packages.

    Raises UserError for a line that is neither a package of one version nor its digest: nothing
    else may come into an image, the address of an index least of all.
    """
    lines = _packages(compiled)
    if any(_foreign(line) for line in lines):
        raise UserError(
            "the lock would hold a line that is not a package of one version",
            hint="write requirements as NAME or NAME==VERSION",
        )
    if not lines:
        raise UserError("the lock would be empty")
    body = "".join(f"{line}\n" for line in lines)
    count = sum(map(_is_pin, lines))
    return f"{_HEAD} {environment}\n{inputs_line(inputs)}\n# packages {count}\n{body}"


def _packages(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip() and not line.startswith("#")]


def _foreign(line: str) -> bool:
    return not (_HASH.fullmatch(line) or _is_pin(line))


def _is_pin(line: str) -> bool:
    return _PIN.match(line) is not None and "://" not in line and " @ " not in line


def inputs_line(inputs: Inputs) -> str:
    """The line by which a lock, and the build itself, tells whether it fits."""
    return f"# inputs {inputs.digest}"


def fault(present: bytes | None, inputs: Inputs, path: str) -> str:
    """Why the image cannot be built with the lock that is there; '' where it can."""
    if present is None:
        return f"{path} not found"
    content = present.decode("utf-8", "replace")
    stated = _INPUTS.search(content)
    if b"\r" in present:
        return f"{path} has line ends of Windows: git changes them on checkout"
    if stated is None:
        return f"{path} does not say what it was made from"
    if stated[1] != inputs.digest:
        return f"{path} was made from other requirements"
    return _damage(content, path)


def _damage(content: str, path: str) -> str:
    """What an edit by hand, a merge or a cut left in a lock; '' for a whole one."""
    lines, count = _packages(content), _COUNT.search(content)
    foreign = next((line for line in lines if _foreign(line)), None)
    if foreign is not None:
        number = content.splitlines().index(foreign) + 1
        return f"{path}:{number} is not a package of one version or its digest"
    found = sum(map(_is_pin, lines))
    if (lines and lines[-1].endswith("\\")) or (count and found != int(count[1])):
        wanted = f" of {count[1]}" if count else ""
        return f"{path} is cut off or was edited: it has {found}{wanted} packages"
    for line, after in itertools.pairwise((*lines, "")):
        continued, has_digest = line.endswith("\\"), _HASH.fullmatch(after) is not None
        if continued != has_digest or (_is_pin(line) and not has_digest):
            number = content.splitlines().index(line) + 1
            return f"{path}:{number} was edited: every package has its digests below it"
    return ""


def versions(present: bytes) -> dict[str, str]:
    """The locked packages: normalised name → version."""
    found = map(_PIN.match, present.decode("utf-8", "replace").splitlines())
    return {normal(match["name"]): match["version"] for match in found if match is not None}
