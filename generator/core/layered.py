"""Plain nested data: looking into it, and layers of it as one with the source of every value."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Path = tuple[str | int, ...]

# Fields of which only one may stand: a layer that chooses another drops the lower layer's choice.
_ALTERNATIVES: dict[Path, frozenset[str]] = {
    ("auth",): frozenset({"manager", "oidc", "ldap", "defaultUser"}),
    ("dags",): frozenset({"gitSync", "persistence", "bundles", "image"}),
    ("logging",): frozenset({"remote", "persistence"}),
    ("apiServer",): frozenset({"replicas", "autoscaling"}),
    ("triggerer",): frozenset({"replicas", "autoscaling"}),
    ("workers",): frozenset({"replicas", "autoscaling"}),
    ("database",): frozenset({"embedded", "host"}),
    ("broker",): frozenset({"embedded", "host", "sentinel"}),
    ("ca",): frozenset({"configMap", "secret"}),
    ("ingress", "tls"): frozenset({"clusterIssuer", "issuer"}),
    **{
        (part, "disruptionBudget"): frozenset({"maxUnavailable", "minAvailable"})
        for part in ("apiServer", "scheduler", "dagProcessor", "triggerer", "workers", "pgbouncer")
    },
}
# Mappings with a `type` are replaced whole when the type changes.
_TYPED: frozenset[Path] = frozenset(
    {("database",), ("broker",), ("workers", "autoscaling"), ("logging", "remote"), ("metrics",)}
)


@dataclasses.dataclass(frozen=True, slots=True)
class Layer:
    """Some part of a definition and where it stands.

    `source` is for people (`built-in`, `gen-env.yaml defaults.tiers.production`); `path` is the
    file and `prefix` the place in it below which `data` stands, for errors with a line.
    """

    source: str
    data: Mapping[str, Any]
    path: str = ""
    prefix: Path = ()


@dataclasses.dataclass(frozen=True, slots=True)
class Merged:
    """All layers as one, and for every leaf the layer that it came from."""

    data: dict[str, Any]
    origins: Mapping[Path, Layer]

    def origin(self, path: Path) -> Layer | None:
        """The layer of this value, or of the nearest value above or below it."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.origins:
                return self.origins[path[:length]]
        below = [place for place in self.origins if place[: len(path)] == path]
        return self.origins[below[-1]] if below else None


def merge(layers: Sequence[Layer]) -> Merged:
    """Lay each layer over the one before: mappings merge, everything else replaces."""
    data: dict[str, Any] = {}
    origins: dict[Path, Layer] = {}
    for layer in layers:
        _lay(data, layer.data, (), layer, origins)
    return Merged(data, origins)


def _lay(
    target: dict[str, Any],
    source: Mapping[str, Any],
    path: Path,
    layer: Layer,
    origins: dict[Path, Layer],
) -> None:
    _drop_alternatives(target, source, path, origins)
    for key, value in source.items():
        place = (*path, key)
        existing = target.get(key)
        if isinstance(value, Mapping) and isinstance(existing, dict):
            if place in _TYPED and _type(value, existing) != _type(existing, value):
                _forget(origins, place)
                target[key] = {}
            _lay(target[key], value, place, layer, origins)
            continue
        if isinstance(existing, dict):
            _forget(origins, place)
        origins.pop(place, None)  # the latest layer stands last
        origins[place] = layer
        if isinstance(value, Mapping):
            target[key] = {}
            _lay(target[key], value, place, layer, origins)
        else:
            target[key] = value


def alternatives(path: Path) -> list[Path]:
    """The fields that a value at `path` excludes: `dags.gitSync.ref` excludes `dags.image`."""
    return [
        (*parent, other)
        for parent, group in _ALTERNATIVES.items()
        if len(path) > len(parent) and path[: len(parent)] == parent and path[len(parent)] in group
        for other in sorted(group - {str(path[len(parent)])})
    ]


def _type(first: Mapping[str, Any], second: Mapping[str, Any]) -> Any:
    return first.get("type", second.get("type"))


def _drop_alternatives(
    target: dict[str, Any], source: Mapping[str, Any], path: Path, origins: dict[Path, Layer]
) -> None:
    group = _ALTERNATIVES.get(path, frozenset())
    # `embedded: false` chooses nothing: the host below it stays.
    chosen = {key for key in group if source.get(key) not in (None, False, "false")}
    if not chosen:
        return
    for key in group - chosen:
        if key in target and key not in source:
            del target[key]
            _forget(origins, (*path, key))


def _forget(origins: dict[Path, Layer], path: Path) -> None:
    for place in [place for place in origins if place[: len(path)] == path]:
        del origins[place]


def path_of(path: str | Path) -> Path:
    """A dotted path as a tuple; tuples stay, for keys that hold dots."""
    return tuple(path.split(".")) if isinstance(path, str) else path


def lookup(data: Any, path: str | Path) -> Any:
    """The value at a path through mappings and lists, or None where it leads nowhere."""
    for step in path_of(path):
        if isinstance(data, (dict, Mapping)):  # an ABC alone is slow
            data = data.get(step)
        elif isinstance(data, list | tuple) and isinstance(step, int) and 0 <= step < len(data):
            data = data[step]
        else:
            return None
    return data


def in_key_order(data: Any) -> Any:
    """A copy with the keys of every mapping sorted, at any depth."""
    if isinstance(data, (dict, Mapping)):
        return {key: in_key_order(data[key]) for key in sorted(data)}
    return [in_key_order(item) for item in data] if isinstance(data, list | tuple) else data


def leaves(data: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every leaf with its path; lists and empty mappings are leaves."""
    if isinstance(data, Mapping) and data:
        for key, value in data.items():
            yield from leaves(value, (*path, key))
    else:
        yield path, data


def dotted(path: Path) -> str:
    """A path as people write it: `workers.autoscaling.type`, `dags.bundles[0].name`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text
