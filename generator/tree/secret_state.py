"""The state of every secret that an environment needs."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from generator.release.release import Release
from generator.release.secret import SecretNeed
from generator.seal import sealed_secret
from generator.tree.objects import SecretFile

_MADE = {
    "fernet": "generated",
    "random": "generated",
    "database-uri": "assembled",
    "keda-uri": "assembled",
    "result-backend-uri": "assembled",
    "broker-uri": "assembled",
    "sentinel-kwargs": "assembled",
    "stats-uri": "assembled",
    "pgbouncer-ini": "assembled",
    "pgbouncer-users": "assembled",
}


@dataclasses.dataclass(frozen=True, slots=True)
class Row:
    """One key of one Secret: its state, how a value is made, what reads it."""

    secret: str
    key: str
    state: str
    made: str
    why: str
    readers: tuple[str, ...]
    path: str

    def as_json(self) -> dict[str, Any]:
        """All of it."""
        return {**dataclasses.asdict(self), "readers": list(self.readers)}


def rows(release: Release, files: Sequence[SecretFile]) -> list[Row]:
    """A row for each needed key: sealed, stub, missing, external or existing."""
    by_name = {file.name: file for file in files}
    found = []
    for need in release.needs:
        file = by_name.get(need.name)
        for key in need.keys:
            state = _state(need, file, key.name)
            found.append(
                Row(
                    need.name,
                    key.name,
                    state,
                    _MADE.get(key.source, "given"),
                    need.why,
                    need.restarts,
                    file.path if file else "",
                )
            )
    return found


def _state(need: SecretNeed, file: SecretFile | None, key: str) -> str:
    if need.provider != "sealed-secrets":
        return need.provider.removesuffix("-secrets")
    if file is None:
        return "missing"
    return sealed_secret.state(file.manifest, [key])[key].value
