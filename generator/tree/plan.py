"""What must be written and removed so that the repository holds the wanted tree."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Mapping, Sequence

from generator.core.errors import UserError
from generator.core.files import Files
from generator.core.problem import Problem, Severity
from generator.core.rule import Rule
from generator.core.visible import one_line
from generator.definition.definition import FILE_NAME as DEFINITION
from generator.definition.definition import ROOT, SETTINGS
from generator.definition.lock_file import FILE_NAME as LOCK
from generator.engine.argocd import GENERATED
from generator.redaction.text import redact
from generator.seal import sealed_secret
from generator.tree.tree import is_ours
from generator.yaml import reader
from generator.yaml.errors import YamlError
from generator.yaml.limits import Limits
from generator.yaml.scalars import as_json_types

UNREADABLE = Rule(
    "tree/unreadable",
    Severity.ERROR,
    "A file that cannot be read",
    "It cannot be compared with what gen-env would write.",
    also=((Severity.WARNING, "in the service's check, where the change did not bring it"),),
)
NOT_OURS = Rule(
    "tree/not-ours",
    Severity.ERROR,
    "A file that gen-env does not own in place of a generated file",
    "gen-env overwrites its own files only.",
)
STALE = Rule(
    "tree/stale",
    Severity.ERROR,
    "A generated file that nothing needs any more",
    "Argo CD still applies it.",
)
MISSING = Rule(
    "tree/missing", Severity.ERROR, "A generated file that is missing", "Argo CD would prune it."
)
OUT_OF_DATE = Rule(
    "tree/out-of-date",
    Severity.ERROR,
    "A generated file that differs",
    "What is deployed differs from the definition.",
)

_LONGEST = 160
_LIMITS = Limits(size=sealed_secret.MAX_FILE_BYTES)


@dataclasses.dataclass(frozen=True, slots=True)
class Plan:
    """Text by path to write, paths to remove; empty when all is as it should be."""

    writes: Mapping[str, str]
    removals: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()

    @property
    def paths(self) -> tuple[str, ...]:
        """Every path that changes."""
        return tuple(sorted({*self.writes, *self.removals}))

    def __bool__(self) -> bool:
        return bool(self.writes or self.removals)

    def __or__(self, other: Plan) -> Plan:
        return Plan(
            {**self.writes, **other.writes},
            (*self.removals, *other.removals),
            (*self.problems, *other.problems),
        )


def compare(
    files: Files,
    wanted: Mapping[str, str],
    owned: Iterable[str],
    environment: str = "",
    *,
    kept: Collection[str] = (),
) -> Plan:
    """The plan, with a problem for each file that is in the way and is not ours.

    What is ours in an `owned` folder goes unless it is wanted, or `kept` as it is.
    """
    writes: dict[str, str] = {}
    problems: list[Problem] = []
    for path, text in wanted.items():
        try:
            present = files.read(path)
        except UserError as error:
            problems.append(_unreadable(error, environment))
            continue
        if present is not None and present == text.encode():
            continue
        if present is not None and not _replaceable(path, present, text):
            problems.append(_in_the_way(path, environment))
            continue
        writes[path] = text
    stale = []
    for folder in owned:
        for path in files.below(folder):
            if path not in wanted and path not in kept and _is_ours(files, path):
                stale.append(path)
    return Plan(writes, tuple(sorted(stale)), tuple(problems))


def _is_ours(files: Files, path: str) -> bool:
    try:
        return is_ours(files.read(path) or b"")
    except UserError:
        return False  # we write nothing that is too large to read


def _unreadable(error: UserError, environment: str) -> Problem:
    return UNREADABLE.problem(
        error.message,
        environment=environment,
        path=error.path,
        hint=error.hint or "remove it; gen-env generate writes it again",
    )


def _replaceable(path: str, present: bytes, text: str) -> bool:
    if "/secrets/" in path:
        return _only_grows(present, text.encode())
    return is_ours(present) or path.endswith(f"/{LOCK}")


def _only_grows(before: bytes, after: bytes) -> bool:
    """Whether both are the same SealedSecret and no ciphertext goes: keys may only be added."""
    try:
        old, new = (as_json_types(reader.read(text, "", _LIMITS).data) for text in (before, after))
    except YamlError:
        return False
    if not isinstance(old, Mapping) or old.get("kind") != new["kind"]:
        return False
    same = (old.get("metadata") or {}).get("name") == new["metadata"]["name"]
    kept = sealed_secret.encrypted_data(old).items() <= sealed_secret.encrypted_data(new).items()
    return same and kept


def _in_the_way(path: str, environment: str) -> Problem:
    return NOT_OURS.problem(
        "gen-env would write this file, but the existing one is not marked as generated by gen-env",
        environment=environment,
        path=path,
        line=1,
        hint="move your file elsewhere, or remove it if it is an old copy",
    )


def drift(
    files: Files, plan: Plan, environment: str, *, stale: bool = False
) -> tuple[Problem, ...]:
    """The plan as findings: where each file differs from what gen-env would write.

    A tree that was never generated is one finding, and so is one that is older than its definition
    (`stale`).
    """
    command = f"run: gen-env generate {environment}".rstrip()
    source = f"{ROOT}/{environment}/{DEFINITION}" if environment else SETTINGS
    folder = f"{ROOT}/{environment}/{GENERATED}"
    if any(path.startswith(f"{folder}/") for path in plan.writes) and not files.below(folder):
        message = "not generated yet"
        return (MISSING.problem(message, environment=environment, path=source, hint=command),)
    found = [
        _difference(files, path, text, environment, command) for path, text in plan.writes.items()
    ]
    for path in plan.removals:
        found.append(
            STALE.problem(
                "nothing needs this file any more",
                environment=environment,
                path=path,
                hint=command,
            )
        )
    return (_together(found, environment, source, command),) if stale and found else tuple(found)


def _together(found: Sequence[Problem], environment: str, source: str, command: str) -> Problem:
    more = f" and {len(found) - 1} more" if len(found) > 1 else ""
    return OUT_OF_DATE.problem(
        f"edited and not generated yet: {found[0].place} differs{more}",
        environment=environment,
        path=source,
        hint=command,
    )


def _difference(files: Files, path: str, text: str, environment: str, command: str) -> Problem:
    present = files.read(path)
    if present is None:
        return MISSING.problem(
            "this file is missing", environment=environment, path=path, hint=command
        )
    have, want = present.decode("utf-8", "replace"), text
    line = _first_difference(have.splitlines(), want.splitlines())
    message = "differs from the generated content, from this line on"
    if "/secrets/" not in path:
        message += "".join(
            f"\n{sign} {shown}"
            for sign, shown in (("-", _shown(have, line)), ("+", _shown(want, line)))
            if shown is not None
        )
    return OUT_OF_DATE.problem(
        message,
        environment=environment,
        path=path,
        line=line,
        hint=f"{command}; make manual edits in {DEFINITION}",
    )


def _shown(text: str, line: int) -> str | None:
    """A line with its secrets masked; None if the line is missing or masking joins lines."""
    masked = redact(text).splitlines()
    if len(masked) != len(text.splitlines()) or line > len(masked):
        return None
    return one_line(masked[line - 1].rstrip())[:_LONGEST]


def _first_difference(have: list[str], want: list[str]) -> int:
    for number, (mine, yours) in enumerate(zip(have, want, strict=False), start=1):
        if mine != yours:
            return number
    return min(len(have), len(want)) + 1
