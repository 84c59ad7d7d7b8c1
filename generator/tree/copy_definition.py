"""A definition made from another environment's, without that one's secrets, hosts and names."""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Iterator, Mapping

from generator.core.layered import Path, alternatives, dotted, leaves
from generator.definition.definition import Definition
from generator.model.environment import Environment
from generator.model.marks import Copied, CopiedByKey, marked
from generator.tree import scaffold
from generator.yaml import edit, reader

_CIDRS: Path = ("database", "cidrs")
_HOSTNAMES: Path = ("gateway", "hostnames")
_LOGS: Path = ("networkPolicy", "peers", "logs")
_OF_NO_PLACE = ("apiVersion", "kind", "metadata")
_ELSEWHERE = re.compile(r"://|\barn:|@[-a-z0-9.]+:")
_QUESTIONS = {
    _CIDRS: "networks of the database server, such as 10.20.0.0/24 (database.cidrs)",
    _LOGS: "networks of the task logs' store, such as 10.40.0.0/24 (networkPolicy.peers.logs)",
}


@dataclasses.dataclass(frozen=True, slots=True)
class Question:
    """A field that the new environment needs a value of its own for."""

    path: Path
    name: str

    @property
    def text(self) -> str:
        """The question as a person reads it."""
        return _QUESTIONS.get(self.path, f"{dotted(self.path)} of {self.name}")

    def value(self, answer: str) -> object:
        """The answer as it stands in the definition."""
        if self.path == _HOSTNAMES:
            return re.split(r"[,\s]+", answer.strip(", "))
        if self.path not in _QUESTIONS:
            return answer
        networks = [part for part in re.split(r"[,\s]+", answer) if part]
        return networks if self.path == _CIDRS else [{"cidr": network} for network in networks]


@dataclasses.dataclass(frozen=True, slots=True)
class Offspring:
    """The new definition's text; fields to ask for; fields left out; fields kept but doubtful."""

    text: str
    questions: tuple[Question, ...]
    left_out: tuple[str, ...]
    doubtful: tuple[str, ...]


def offspring(source: Definition, name: str, given: Mapping[str, str]) -> Offspring:
    """The source's definition as one for `name`; `given` are fields that the user sets.

    Comments are kept. Raises YamlError where a value is shared by an alias or a merge.
    """
    chosen = [tuple(field.split(".")) for field in given]
    asked = [path for path in _asked(source) if not _settled(path, chosen)]
    out = [path for path in _left_out(source) if not _settled(path, chosen)]
    text = _for_editors(source.document.text, name)
    for path in (*_written(source, Copied.DERIVE), *_left_out(source), *_asked(source)):
        text = edit.remove(text, path)
    text, mentioned = _without(text, _hosts(source))
    team, _, last = name.rpartition("/")
    text = edit.set_value(text, ("metadata", "name"), last)
    if team:
        text = edit.set_value(text, ("metadata", "team"), team)
    return Offspring(
        text,
        tuple(Question(path, name) for path in asked),
        tuple(dotted(path) for path in (*out, *mentioned)),
        tuple(dotted(path) for path in _doubtful(text, source.name)),
    )


@functools.cache
def _decisions() -> Mapping[Path, Copied]:
    """What the model says of its fields, in the order in which fields are asked for."""
    found: dict[Path, Copied] = dict(marked(Environment, Copied))
    for path, mark in marked(Environment, CopiedByKey):
        found |= {(*path, key): copied for key, copied in mark.keys.items()}
    order = list(Copied)
    return dict(sorted(found.items(), key=lambda item: order.index(item[1])))


def _written(source: Definition, *decisions: Copied) -> list[Path]:
    """The fields with these decisions that the source writes."""
    return [
        path
        for path, decision in _decisions().items()
        if decision in decisions and _part(source, path) is not None
    ]


def _asked(source: Definition) -> list[Path]:
    decisions = [Copied.ASK_HOST, Copied.ASK, Copied.ASK_URL]
    if _enforced(source):
        decisions.append(Copied.ASK_NETWORKS)
    return _written(source, *decisions)


def _left_out(source: Definition) -> list[Path]:
    decisions = [Copied.FILL_IN]
    if not _enforced(source):
        decisions.append(Copied.ASK_NETWORKS)
    found = _written(source, *decisions)
    # A path without a place for the environment would give both the same values.
    path = source.part("secrets", "path")
    if path is not None and not any(mark in path for mark in ("{environment}", "{namespace}")):
        found.append(("secrets", "path"))
    return found


def _enforced(source: Definition) -> bool:
    return bool(source.part("networkPolicy", "mode") == "enforce")


def _part(source: Definition, path: Path) -> object:
    return source.part(*map(str, path))


def _settled(path: Path, chosen: list[tuple[str, ...]]) -> bool:
    """Whether the user gives this field, what it is part of, or another choice in its place."""
    for field in chosen:
        instead = [other for other in alternatives(field) if path[: len(other)] == other]
        if path[: len(field)] == field or instead:
            return True
    return False


def _for_editors(text: str, name: str) -> str:
    """The first line names the schema by a relative path, which a team makes one folder longer."""
    up = r"\g<1>" + scaffold.to_root(name)
    return re.sub(r"\A(# yaml-language-server: \$schema=)(\.\./)+(?=\.gen-env/)", up, text)


def _hosts(source: Definition) -> tuple[str, ...]:
    written = _written(source, Copied.ASK_HOST, Copied.ASK_URL)
    found = [str(item) for path in written for item in _items(_part(source, path))]
    return tuple(host for host in found if "." in host or "://" in host)


def _without(text: str, hosts: tuple[str, ...]) -> tuple[str, list[Path]]:
    """The text without values that name one of these hosts, and where they stood."""
    removed = []
    for path, value in leaves(reader.read(text, "").data):
        if any(host in str(item) for item in _items(value) for host in hosts):
            text = edit.remove(text, path)
            removed.append(path)
    return text, removed


def _doubtful(text: str, old: str) -> Iterator[Path]:
    """What stays and may be the other environment's: addresses, and values with its name."""
    words = {old, old.rpartition("/")[2]}
    named = re.compile("|".join(rf"\b{re.escape(word)}\b" for word in sorted(words)))
    for path, value in leaves(reader.read(text, "").data):
        texts = [str(item) for item in _items(value) if path[0] not in _OF_NO_PLACE]
        if any(_ELSEWHERE.search(text) or named.search(text) for text in texts):
            yield path


def _items(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]
