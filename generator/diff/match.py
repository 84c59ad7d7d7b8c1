"""Which environment of the base is which of the head."""

from __future__ import annotations

import dataclasses
from collections.abc import Hashable, Mapping


@dataclasses.dataclass(frozen=True, order=True, slots=True)
class EnvironmentPair:
    """An environment by its name at head (at base for a removed one).

    `old_name` is set for a renamed one; `in_base` and `in_head` say where it is.
    """

    name: str
    old_name: str | None
    in_base: bool
    in_head: bool


def pair_environments(
    base: Mapping[str, Hashable | None], head: Mapping[str, Hashable | None]
) -> tuple[EnvironmentPair, ...]:
    """Every environment of both sides once, by name.

    The mappings give what an environment is beyond its name: cluster, namespace and release (None
    when unknown). One that only the base has and one that only the head has are the same,
    renamed, if both are the only ones there with the same identity.
    """
    gone = _by_identity({name: base[name] for name in base.keys() - head.keys()})
    new = _by_identity({name: head[name] for name in head.keys() - base.keys()})
    renamed = {
        new[identity][0]: old[0]
        for identity, old in gone.items()
        if len(old) == 1 and len(new.get(identity, ())) == 1
    }
    names = (base.keys() | head.keys()) - set(renamed.values())
    return tuple(
        sorted(
            EnvironmentPair(name, renamed.get(name), name in base or name in renamed, name in head)
            for name in names
        )
    )


def _by_identity(side: Mapping[str, Hashable | None]) -> dict[Hashable, list[str]]:
    found: dict[Hashable, list[str]] = {}
    for name, identity in sorted(side.items()):
        if identity is not None:
            found.setdefault(identity, []).append(name)
    return found
