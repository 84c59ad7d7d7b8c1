"""Entries of lists that the API server reads by key: each key may stand there once."""

from __future__ import annotations

import collections
from collections.abc import Hashable, Iterable, Iterator, Mapping
from typing import Any

from generator.core.problem import Problem, Severity
from generator.core.rule import Rule
from generator.kube.fields import entries, section
from generator.kube.pods import PodTemplate, containers, template_of, title_of
from generator.kube.resource import Object
from generator.lint.objects.context import RenderedInput
from generator.lint.values.origins import place_text, variable_paths

VARIABLE = Rule(
    "kubernetes/duplicate-variable",
    Severity.WARNING,
    "One environment variable twice",
    "Server-side apply refuses the object; otherwise one of the two is dropped silently.",
    "kubernetes.io, Server-Side Apply, merge strategy",
    also=((Severity.ERROR, "the objects are applied by server-side apply or Flux"),),
)
ENTRY = Rule(
    "kubernetes/duplicate-entry",
    Severity.ERROR,
    "Two entries of one key",
    "The API server refuses the object: names of containers, volumes and ports, and mount paths, "
    "are unique.",
    "kubernetes.io, API reference",
    also=((Severity.WARNING, "only server-side apply refuses it"),),
)

_SYNC_OPTIONS = "argocd.argoproj.io/sync-options"


def problems(rendered: RenderedInput) -> Iterator[Problem]:
    """Duplicates among containers, volumes, mounts, ports and variables."""
    variables: dict[str, list[tuple[PodTemplate, str]]] = {}
    for template in rendered.templates:
        yield from _of_pod(rendered, template)
        for _, container in containers(template.spec):
            for name in twice(row.get("name") for row in entries(container, "env")):
                place = (template, str(container.get("name")))
                variables.setdefault(str(name), []).append(place)
    for name, users in variables.items():
        yield _variable(rendered, name, users)
    for service in rendered.of("Service"):
        yield from _ports(rendered, service, title_of(service), entries(service, "spec", "ports"))


def twice(items: Iterable[Hashable]) -> list[Hashable]:
    """What stands there more than once, None aside, in order."""
    counts = collections.Counter(item for item in items if item is not None)
    return [item for item, count in counts.items() if count > 1]


def is_server_side(rendered: RenderedInput, owner: Object) -> bool:
    """Whether that object is applied by server-side apply, by its own option or by its engine's."""
    own = section(owner, "metadata", "annotations").get(_SYNC_OPTIONS)
    options = {part.strip() for part in str(own or "").split(",")}
    if "ServerSideApply=false" in options:
        return False
    return rendered.context.server_side or "ServerSideApply=true" in options


def _of_pod(rendered: RenderedInput, template: PodTemplate) -> Iterator[Problem]:
    owner, title = template.owner, template.title
    everyone = [container for _, container in containers(template.spec)]
    rows: list[tuple[str, Iterable[Hashable]]] = [
        ("container", (str(item.get("name")) for item in everyone)),
        ("volume", (item.get("name") for item in entries(template.spec, "volumes"))),
    ]
    for container in everyone:
        mounts = [str(row.get("mountPath")) for row in entries(container, "volumeMounts")]
        rows.append((f"container {container.get('name')}: mount path", mounts))
    for what, names in rows:
        for name in twice(names):
            yield _entry(rendered, owner, f"{title}, {what} {name}")
    strict = template_of(owner) is not None and is_server_side(rendered, owner)
    for part, key in (("hostAliases", "ip"), ("imagePullSecrets", "name")):
        # The API server itself lets these pass, and client-side apply puts them together.
        for name in twice(str(item.get(key)) for item in entries(template.spec, part)):
            severity = Severity.ERROR if strict else Severity.WARNING
            yield _entry(rendered, owner, f"{title}, {part} {name}", severity)
    for container in everyone:
        where = f"{title}, container {container.get('name')}"
        yield from _ports(rendered, owner, where, entries(container, "ports"))


def _ports(
    rendered: RenderedInput, owner: Object, where: str, ports: list[Mapping[str, Any]]
) -> Iterator[Problem]:
    for name in twice(row.get("name") for row in ports):
        yield _entry(rendered, owner, f"{where}, port name {name}")
    of_service = owner.get("kind") == "Service"
    key = "port" if of_service else "containerPort"
    for pair in twice((row.get(key), row.get("protocol") or "TCP") for row in ports):
        assert isinstance(pair, tuple)
        # Of a pod the API server itself lets it pass.
        strict = of_service or is_server_side(rendered, owner)
        severity = Severity.ERROR if strict else Severity.WARNING
        yield _entry(rendered, owner, f"{where}, port {pair[0]}/{pair[1]}", severity)


def _entry(
    rendered: RenderedInput, owner: Object, what: str, severity: Severity = Severity.ERROR
) -> Problem:
    return ENTRY.problem(
        f"{what} appears twice",
        path=rendered.context.where(owner),
        hint="remove one of the two, or rename it",
        severity=severity,
    )


def _variable(rendered: RenderedInput, name: str, users: list[tuple[PodTemplate, str]]) -> Problem:
    template, container = min(users, key=lambda user: template_of(user[0].owner) is None)
    # Task pods are made one by one, without server-side apply.
    strict = any(
        template_of(user.owner) is not None and is_server_side(rendered, user.owner)
        for user, _ in users
    )
    who = f"{template.title}, container {container}"
    who += f" and {len(users) - 1} more" if len(users) > 1 else ""
    path, line, places = _places(rendered, name, template.owner)
    effect = "server-side apply refuses it" if strict else "one of the two is dropped"
    return VARIABLE.problem(
        f"{who}: {name} is set twice{places}; {effect}",
        path=path,
        line=line,
        hint=_hint(rendered, name),
        severity=Severity.ERROR if strict else Severity.WARNING,
    )


def _hint(rendered: RenderedInput, name: str) -> str:
    values = rendered.context.values
    if values and values.on(("enableBuiltInSecretEnvVars", name)):
        return f"remove one of the two, or set enableBuiltInSecretEnvVars.{name}: false"
    return "remove one of the two"


def _places(rendered: RenderedInput, name: str, owner: Object) -> tuple[str, int | None, str]:
    """File and line of the user's last key, and all places in words."""
    values = rendered.context.values
    paths = variable_paths(values, name) if values else []
    if not values or not paths:
        return rendered.context.where(owner), None, ""
    places = [place_text(values, path) for path in paths]
    places += ["the chart itself"] if len(places) == 1 else []
    return *values.locate(paths[-1]), ", by " + " and ".join(places)
