"""What moves from one definition to another, field by field, and what stays on purpose."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from generator.core.errors import UserError
from generator.core.layered import Path, leaves
from generator.definition.definition import Definition
from generator.definition.lock_file import Lock
from generator.yaml import edit, reader
from generator.yaml.edit import MISSING, alike, get
from generator.yaml.errors import YamlError

_IDENTITY = (("apiVersion",), ("kind",), ("metadata",), ("suppress",))
# Where a definition may leave out the whole part and have it from the defaults.
_OWN_PART = frozenset({"airflow", "chart", "values"})
_SHOWN = 120


@dataclasses.dataclass(frozen=True, slots=True)
class Move:
    """One field that changes: its dotted name, the value in the target, the value proven.

    A value is what stands in the file: a scalar's source text, a mapping, a list, or MISSING.
    """

    field: str
    old: Any
    new: Any

    @property
    def path(self) -> Path:
        """The field as steps."""
        return tuple(self.field.split("."))

    @property
    def old_text(self) -> str:
        """The old value for people."""
        return _shown(self.old)

    @property
    def new_text(self) -> str:
        """The new value for people."""
        return _shown(self.new)


@dataclasses.dataclass(frozen=True, slots=True)
class Choice:
    """Everything there is to say about the two definitions."""

    moves: tuple[Move, ...]
    stays: tuple[str, ...]
    """Promoted fields that do not move, each with its reason."""
    remarks: tuple[str, ...]
    """What a reviewer should know about the fields that move."""


@dataclasses.dataclass(frozen=True, slots=True)
class Difference:
    """A field that differs and was not promoted; its values are nobody's business here."""

    field: str
    where: str


def choose(
    source: Definition, target: Definition, fields: Sequence[str], lock: Lock | None
) -> Choice:
    """The moves from `source` to `target`; `lock` is the source's.

    Raises UserError for a field that cannot be one, and where an image would be named by a new tag
    and an old digest.
    """
    moves, stays = [], []
    for field in dict.fromkeys(fields):
        path = _path(field)
        new, old = get(source.data, path), get(target.data, path)
        if new is MISSING or new is None:
            stays.append(f"`{field}`: not set in {source.name}")
        elif (missing := _missing_part(source, target, path)) is not None:
            stays.append(f"`{field}`: {target.name} does not write `{missing}`")
        elif not _same(old, new, path):
            moves.append(Move(field, old, new))
    moves += _chart_digest(source, target, moves, lock)
    _require_matching_digest(source, target, moves)
    return Choice(tuple(moves), tuple(stays), tuple(_remarks(source, target, moves)))


def edited(target: Definition, moves: Sequence[Move]) -> str:
    """The target's text with the moves made and every other byte kept; raises YamlError."""
    text = target.document.text
    for move in moves:
        if move.new is MISSING:
            text = edit.remove(text, move.path, file=target.path)
        else:
            text = _written(text, move, target)
    return text


def _written(text: str, move: Move, target: Definition) -> str:
    """The value in the quotes that the target has, and without any where it had none."""
    edited = edit.set_value(text, move.path, move.new, file=target.path)
    before = target.document.marks.get(move.path)
    if not isinstance(move.new, str) or (before is not None and before.style):
        return edited
    document = reader.read(edited, target.path)
    mark = document.marks[move.path]
    bare = f"{edited[: mark.start]}{move.new}{edited[mark.end :]}"
    try:
        same = alike(reader.read(bare, target.path).data, document.data)
    except YamlError:
        return edited
    return bare if same else edited


def drift(source: Definition, target: Definition, fields: Sequence[str]) -> tuple[Difference, ...]:
    """What else differs between the two, by name alone: values may be secret."""
    left, right = (_own(item.data, fields) for item in (source, target))
    found = []
    for path in sorted({*left, *right}):
        name = ".".join(path)
        if path not in left:
            found.append(Difference(name, f"only in {target.name}"))
        elif path not in right:
            found.append(Difference(name, f"only in {source.name}"))
        elif not _same(left[path], right[path], path):
            found.append(Difference(name, "differs"))
    return tuple(found)


def _path(field: str) -> Path:
    path = tuple(field.split("."))
    if "" in path or path[:1] in _IDENTITY or path[:1] == ("destination",):
        raise UserError(
            f"promotion.fields: {field} cannot be promoted",
            path="gen-env.yaml",
            hint="it belongs to one environment alone; see docs/promotion.md",
        )
    return path


def _missing_part(source: Definition, target: Definition, path: Path) -> str | None:
    """The part that only the source chose (another way to get DAGs, another image)."""
    if path[0] in _OWN_PART or len(path) < 2:
        return None
    parent = path[:-1]
    absent = not isinstance(get(target.data, parent), Mapping)
    return ".".join(map(str, parent)) if absent else None


def _chart_digest(
    source: Definition, target: Definition, moves: Sequence[Move], lock: Lock | None
) -> Iterator[Move]:
    """A digest that pins the target's chart goes along with the version, or it would not fit."""
    fields = {move.field: move for move in moves}
    version, old = fields.get("chart.version"), target.part("chart", "digest")
    if version is None or old is None or "chart.digest" in fields:
        return
    known = lock.chart_digest if lock and lock.chart_version == str(version.new) else None
    new = source.part("chart", "digest") or known or MISSING
    if not _same(old, new, ("chart", "digest")):
        yield Move("chart.digest", old, new)


def _require_matching_digest(source: Definition, target: Definition, moves: Sequence[Move]) -> None:
    names = {move.field for move in moves}
    pinned, path = target.part("image", "digest"), ("image", "digest")
    stuck = "image.tag" in names and "image.digest" not in names and pinned is not None
    if stuck and not _alike_at(source, target, path):
        raise UserError(
            f"image.tag would move, but image.digest of {target.name} would still name the old"
            " image, and a digest wins over a tag",
            path=target.path,
            line=target.document.line(path),
            hint=f"write the verified image.digest into {source.path} (and keep it among"
            " promotion.fields), or remove it here",
        )


def _remarks(source: Definition, target: Definition, moves: Sequence[Move]) -> Iterator[str]:
    names = {move.field: move for move in moves}
    ref = names.get("dags.gitSync.ref")
    if ref is not None:
        if not _is_revision(str(ref.new)):
            yield (
                f"`dags.gitSync.ref` is `{ref.new}`, which may point to another commit later:"
                " what runs may not be what was verified"
            )
        if not _alike_at(source, target, ("dags", "gitSync", "repository")):
            yield "`dags.gitSync.repository` differs: the same revision must exist in both"
    image = names.keys() & {"image.tag", "image.digest"}
    if image and not _alike_at(source, target, ("image", "repository")):
        yield "`image.repository` differs: the same image must have been copied there"
    if "airflow.version" in names and source.part("image") and "image.tag" not in names:
        yield "the Airflow version moves and `image.tag` does not: check that the image fits"


def _is_revision(ref: str) -> bool:
    hexadecimal = 7 <= len(ref) <= 64 and all(digit in "0123456789abcdef" for digit in ref.lower())
    return hexadecimal or ref.startswith("refs/tags/") or ref.lstrip("v").replace(".", "").isdigit()


def _alike_at(source: Definition, target: Definition, path: Path) -> bool:
    return _same(get(source.data, path), get(target.data, path), path)


def _own(data: Mapping[str, Any], fields: Sequence[str]) -> dict[tuple[str, ...], Any]:
    promoted = [tuple(field.split(".")) for field in fields]
    skipped = [*_IDENTITY, *promoted]
    return {
        tuple(map(str, path)): value
        for path, value in leaves(data)
        if path and not any(path[: len(prefix)] == prefix for prefix in skipped)
    }


def _same(left: Any, right: Any, path: Path) -> bool:
    """Equal for the reader of the file: quotes matter to Helm, and to no field of ours."""
    if left is MISSING or right is MISSING:
        return left is right
    if isinstance(left, str) and isinstance(right, str) and path[0] != "values":
        return str.__str__(left) == str.__str__(right)
    return alike(left, right)


def _shown(value: Any) -> str:
    if value is MISSING:
        return "—"
    if isinstance(value, Mapping | list | tuple):
        return f"({len(value)} entries)"
    from generator.redaction.text import redact

    text = redact(str(value))
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
