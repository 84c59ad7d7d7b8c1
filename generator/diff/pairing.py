"""Which object of the base becomes which object of the head."""

from __future__ import annotations

import collections
import json
import re
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from typing import Any

from generator.core.problem import Problem, Severity
from generator.core.rule import Rule
from generator.diff.model import Pair, Side
from generator.kube.resource import Key, Object, key_of

NOT_AN_OBJECT = Rule(
    "diff/not-an-object",
    Severity.ERROR,
    "A rendered document that is not a Kubernetes object",
    "It is not compared, and no cluster takes it.",
    "Kubernetes",
    command="diff",
)
REPEATED = Rule(
    "diff/repeated-object",
    Severity.WARNING,
    "One object twice in a render",
    "The cluster keeps only one of them.",
    "Kubernetes",
    command="diff",
)

_SIMILAR = 0.6
_MAX_CANDIDATES = 4_000
_SUFFIX = re.compile(r"[a-z0-9]{5,64}")

Entry = tuple[Key, Object]


def entries(side: Side) -> tuple[list[Entry], list[Problem]]:
    """The objects of a side with their identity; what is no object becomes a problem.

    Items of a `List` count as objects of their own, as they do for `kubectl apply`.
    """
    found: list[Entry] = []
    problems: list[Problem] = []
    for manifest in _flat(side.manifests):
        if isinstance(manifest, dict) and manifest.get("kind"):
            found.append((key_of(manifest, side.namespace), manifest))
        else:
            problems.append(_no_object(side.revision))
    problems += _repeated(found, side.revision)
    return found, problems


def pair(base: Sequence[Entry], head: Sequence[Entry]) -> list[Pair]:
    """Every object of both sides exactly once, in the one order of objects.

    Stages, each over what the one before left: same identity; same kind, namespace and name in
    another group; same kind and name in another namespace; same kind and namespace, a name that
    differs in a generated suffix, and alike content. The middle two only where there is no choice.
    """
    pairs: list[Pair] = []
    left, right = _identical(base, head, pairs)
    for stage in (_without_group, _without_namespace):
        left, right = _by(stage, left, right, pairs)
    left, right = _alike(left, right, pairs)
    pairs += [Pair(manifest, None, key, None) for key, manifest in left]
    pairs += [Pair(None, manifest, None, key) for key, manifest in right]
    return sorted(pairs, key=lambda item: item.key.sort_key)


def _identical(
    base: Sequence[Entry], head: Sequence[Entry], pairs: list[Pair]
) -> tuple[list[Entry], list[Entry]]:
    waiting: dict[Key, collections.deque[Object]] = {}
    for key, manifest in base:
        waiting.setdefault(key, collections.deque()).append(manifest)
    right: list[Entry] = []
    for key, manifest in head:
        queue = waiting.get(key)
        if queue:
            pairs.append(Pair(queue.popleft(), manifest, key, key))
        else:
            right.append((key, manifest))
    left = [(key, manifest) for key, queue in waiting.items() for manifest in queue]
    return left, right


def _by(
    identity: Callable[[Key], Hashable],
    left: list[Entry],
    right: list[Entry],
    pairs: list[Pair],
) -> tuple[list[Entry], list[Entry]]:
    before, after = _grouped(identity, left), _grouped(identity, right)
    taken: set[int] = set()
    for name, olds in before.items():
        news = after.get(name, [])
        if len(olds) == 1 and len(news) == 1:
            _join(olds[0], news[0], pairs, taken)
    return _rest(left, taken), _rest(right, taken)


def _without_group(key: Key) -> Hashable:
    return (key.kind, key.namespace, key.name)


def _without_namespace(key: Key) -> Hashable:
    return (key.group, key.kind, key.name)


def _neighbourhood(key: Key) -> Hashable:
    return (key.group, key.kind, key.namespace)


def _alike(
    left: list[Entry], right: list[Entry], pairs: list[Pair]
) -> tuple[list[Entry], list[Entry]]:
    before, after = _grouped(_neighbourhood, left), _grouped(_neighbourhood, right)
    taken: set[int] = set()
    for where, olds in before.items():
        news = after.get(where, [])
        # Comparing all with all is quadratic: beyond the bound they stay added and removed.
        if 0 < len(olds) * len(news) <= _MAX_CANDIDATES:
            for old, new in _matches(olds, news):
                _join(old, new, pairs, taken)
    return _rest(left, taken), _rest(right, taken)


def _matches(olds: list[Entry], news: list[Entry]) -> Iterator[tuple[Entry, Entry]]:
    old_leaves = [_leaves(manifest) for _, manifest in olds]
    new_leaves = [_leaves(manifest) for _, manifest in news]
    scores = sorted(
        (-_similarity(old_leaves[i], new_leaves[j]), olds[i][0], news[j][0], i, j)
        for i in range(len(olds))
        for j in range(len(news))
        if _stem(olds[i][0].name) == _stem(news[j][0].name)
    )
    used_old: set[int] = set()
    used_new: set[int] = set()
    for score, _, _, i, j in scores:
        if -score >= _SIMILAR and i not in used_old and j not in used_new:
            used_old.add(i)
            used_new.add(j)
            yield olds[i], news[j]


def _similarity(one: frozenset[str], other: frozenset[str]) -> float:
    union = len(one | other)
    return len(one & other) / union if union else 0.0


def _stem(name: str) -> str:
    """`config-5f8b2c97d4` without what a generator (kustomize, a hash of content) put last."""
    head, dash, tail = name.rpartition("-")
    return head if dash and _SUFFIX.fullmatch(tail) and not tail.isalpha() else name


def _leaves(manifest: Object) -> frozenset[str]:
    """The leaves with their paths; metadata stays out, it says little about similarity."""
    found: set[str] = set()
    stack: list[tuple[str, Any]] = [
        (key, value) for key, value in manifest.items() if key not in ("metadata", "kind")
    ]
    while stack:
        path, value = stack.pop()
        if isinstance(value, dict) and value:
            stack += [(f"{path}.{key}", item) for key, item in value.items()]
        elif isinstance(value, list) and value:
            stack += [(f"{path}[]", item) for item in value]
        else:
            found.add(f"{path}={json.dumps(value, default=str)}")
    return frozenset(found)


def _grouped(
    identity: Callable[[Key], Hashable], items: Iterable[Entry]
) -> dict[Hashable, list[Entry]]:
    groups: dict[Hashable, list[Entry]] = {}
    for entry in items:
        groups.setdefault(identity(entry[0]), []).append(entry)
    return groups


def _join(old: Entry, new: Entry, pairs: list[Pair], taken: set[int]) -> None:
    pairs.append(Pair(old[1], new[1], old[0], new[0]))
    taken.update((id(old), id(new)))


def _rest(items: list[Entry], taken: set[int]) -> list[Entry]:
    return [entry for entry in items if id(entry) not in taken]


def _flat(manifests: Iterable[Any]) -> Iterator[Any]:
    for manifest in manifests:
        if isinstance(manifest, dict) and manifest.get("kind") == "List":
            items = manifest.get("items")
            yield from items if isinstance(items, list) else ()
        elif manifest is not None:
            yield manifest


def _no_object(revision: str) -> Problem:
    return NOT_AN_OBJECT.problem(
        f"the render of {revision} contains a document that is not a Kubernetes object",
        hint="every document needs a kind; look for a template that writes plain text",
    )


def _repeated(found: list[Entry], revision: str) -> list[Problem]:
    counts = collections.Counter(key for key, _ in found)
    return [
        REPEATED.problem(
            f"{key} appears {number} times in the render of {revision}",
            hint="the cluster keeps only one of them: remove or rename the others",
        )
        for key, number in sorted(counts.items())
        if number > 1
    ]
