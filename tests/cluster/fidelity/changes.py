"""Changes of one or two lines, drawn at random: fields of a definition, and keys of the chart."""

import contextlib
import copy
import dataclasses
import random
import re
import tarfile
import types
import typing

import hypothesis
import yaml
from hypothesis.errors import HypothesisException
from pydantic import BaseModel
from pydantic.alias_generators import to_camel

from generator.model.environment import Environment
from tests import model_strategy

GONE = object()
"""Instead of a value: the line is taken out."""

# What there is to set where the chart has an empty mapping or list: by the end of the key's name.
# Some of it is accepted, some is refused by an API server, some depends on what stands beside it.
_EMPTY = {
    "annotations": ({"example.com/team": "data"}, {"not a key!": "x"}),
    "labels": ({"team": "data"}, {"team": "not a value!"}),
    "nodeselector": ({"disk": "ssd"}, {"disk": "not a value!"}),
    "tolerations": (
        [{"key": "spot", "operator": "Exists"}],
        [{"key": "spot", "operator": "Perhaps"}],
    ),
    "env": ([{"name": "TEAM", "value": "data"}], [{"name": "TEAM"}, {"name": "TEAM"}]),
    "volumes": ([{"name": "scratch", "emptyDir": {}}], [{"name": "Scratch_1", "emptyDir": {}}]),
    "volumemounts": ([{"name": "nowhere", "mountPath": "/scratch"}],),
    "containers": (
        [{"name": "aside", "image": "busybox:1.37"}],
        [{"name": "aside"}, {"name": "aside", "image": "busybox:1.37"}],
    ),
    "resources": (
        {"limits": {"memory": "4096Mi"}},
        {"requests": {"memory": "8Gi"}, "limits": {"memory": "1Gi"}},
    ),
    "strategy": ({"type": "Recreate"}, {"type": "OnDelete"}, {"type": "Sometimes"}),
    "affinity": ({"nodeAffinity": {}},),
    "constraints": (
        [{"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway"}],
        [{"maxSkew": 0, "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway"}],
    ),
    "hostaliases": ([{"ip": "10.0.0.9", "hostnames": ["db.example.com"]}],),
    "args": (["bash", "-c", "exec airflow version"],),
    "command": (["/usr/bin/dumb-init", "--"],),
    "securitycontext": ({"runAsUser": 50000}, {"runAsUser": -1}),
    "pod": ({"runAsUser": 50000, "fsGroup": 0},),
    "container": ({"allowPrivilegeEscalation": False}, {"privilegeEscalation": False}),
    "lifecyclehooks": ({"preStop": {"exec": {"command": ["sleep", "5"]}}},),
}
# Where data and Jobs are: too few of all fields and keys to be met by chance.
_STATE = re.compile(
    r"persist|claim|volume|storage|database|broker|redis|postgres|job|hook|retention|executor", re.I
)
_TEXTS = ("changed", "500m", "2Gi", "Not a Name!", "")
_NUMBERS = (0, 1, 2, 30, -1, 70_000)


@dataclasses.dataclass(frozen=True)
class Change:
    """Lines of one sample's definition, as (path, value)."""

    sample: str
    lines: tuple

    def of(self, definition):
        """The definition with these lines in it."""
        result = copy.deepcopy(definition)
        for path, value in self.lines:
            _set(result, path, value)
        return result

    def __str__(self):
        return f"{self.sample}: " + "; ".join(
            f"{'.'.join(path)} {'removed' if value is GONE else f'= {value!r}'}"
            for path, value in self.lines
        )


class Deck:
    """An endless pack of changes, the same for the same seed.

    `aim` is how many of them are where data and Jobs are.
    """

    def __init__(self, definitions, archive, seed, aim=0.25):
        self._definitions = definitions
        self._fields = dict(fields(Environment))
        self._keys = [(("values", *path), value) for path, value in chart_keys(archive)]
        self._random = random.Random(seed)
        self._aim = aim

    def draw(self):
        """The next change; nobody has looked yet whether gen-env accepts it."""
        sample = self._random.choice(sorted(self._definitions))
        count = self._random.choice((1, 1, 2))
        lines = [line for _ in range(count) if (line := self._line(self._definitions[sample]))]
        return Change(sample, tuple(lines))

    def _line(self, definition):
        kind = self._random.random()
        aimed = self._random.random() < self._aim

        def choose(items, path_of=lambda item: item):
            wanted = [item for item in items if _STATE.search(".".join(path_of(item)))]
            return self._random.choice(wanted if aimed and wanted else items)

        if kind < 0.3:
            path = choose([path for path in self._fields if _has(definition, path)])
            return path, GONE if self._random.random() < 0.4 else self._value(path)
        if kind < 0.6:
            path = choose(list(self._fields))
            return path, self._value(path)
        path, value = choose(self._keys, lambda item: item[0])
        return path, self._other(path[-1], value)

    def _value(self, path):
        return drawn(model_strategy.of_type(self._fields[path]), self._random.getrandbits(32))

    def _other(self, name, value):
        """Another value for a key of the chart."""
        if isinstance(value, bool):
            return not value
        if isinstance(value, int):
            return self._random.choice((*_NUMBERS, value + 1))
        if value in ({}, []):
            fitting = [found for end, found in _EMPTY.items() if name.lower().endswith(end)]
            return self._random.choice(fitting[-1] if fitting else ({"key": "value"}, ["value"]))
        return self._random.choice(_TEXTS)


def fields(model, path=()):
    """Every field of a definition with its type, sections before what is in them."""
    hints = typing.get_type_hints(model, include_extras=True)
    for name, field in model.model_fields.items():
        here = (*path, field.alias or to_camel(name))
        yield here, hints[name]
        for inner in _models(hints[name]):
            yield from fields(inner, here)


def _models(hint):
    if isinstance(hint, type) and issubclass(hint, BaseModel):
        yield hint
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Annotated:
        yield from _models(arguments[0])
    elif origin in (typing.Union, types.UnionType):
        for item in arguments:
            yield from _models(item)


def chart_keys(archive):
    """Every key of the chart's own values that holds no further ones, with what it holds."""
    with tarfile.open(archive) as file:
        name = min((name for name in file.getnames() if name.endswith("/values.yaml")), key=len)
        values = yaml.safe_load(file.extractfile(name).read())
    return list(_leaves(values, ()))


def _leaves(values, path):
    for name, value in values.items():
        if isinstance(value, dict) and value:
            yield from _leaves(value, (*path, str(name)))
        elif not (isinstance(value, list) and value):
            yield (*path, str(name)), value


def drawn(strategy, seed):
    """One value of a strategy; of a few tries the last, as the first ones are the plainest."""
    found = []

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=8,
        database=None,
        deadline=None,
        derandomize=False,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(strategy)
    def take(value):
        found.append(value)

    with contextlib.suppress(HypothesisException):  # fewer tries than wanted
        take()
    return found[-1] if found else GONE


def _has(definition, path):
    for name in path:
        if not isinstance(definition, dict) or name not in definition:
            return False
        definition = definition[name]
    return path[0] not in ("apiVersion", "kind", "metadata")


def _set(target, path, value):
    *sections, last = path
    for name in sections:
        if not isinstance(target.get(name), dict):
            if value is GONE:
                return
            target[name] = {}
        target = target[name]
    if value is GONE:
        target.pop(last, None)
    else:
        target[last] = value
