"""What only shows when environments are seen together, or against the repository's policy."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from generator.core.layered import Path, leaves
from generator.core.problem import Problem
from generator.core.rule import Rule
from generator.definition.resolve import Resolved
from generator.kube.hosts import claimed_names
from generator.kube.pods import title_of
from generator.kube.resource import Object
from generator.lint.rule import ERROR
from generator.model.environment import Environment
from generator.release.release import application_name

Identity = tuple[str, ...]
"""What no two environments share."""

NAMESPACE = Rule(
    "estate/duplicate-namespace",
    ERROR,
    "Two environments in one namespace",
    "Their objects have the same names: each sync would undo the other.",
    "Kubernetes",
)
HOST = Rule(
    "estate/duplicate-host",
    ERROR,
    "Two environments under one host name",
    "What serves it sends requests to either, or refuses one of the two.",
    "Kubernetes Ingress; Gateway API; OpenShift Route",
)
DATABASE = Rule(
    "estate/duplicate-database",
    ERROR,
    "Two environments on one metadata database",
    "Their schedulers would run each other's tasks, and a migration of one breaks the other.",
    "Airflow",
)
APPLICATION = Rule(
    "estate/duplicate-application",
    ERROR,
    "Two environments under one Application name",
    "Argo CD keeps only one of them: each would be deployed over the other in turn.",
    "Argo CD",
)
RECORDS = Rule(
    "estate/duplicate-release",
    ERROR,
    "Two environments with one record of Helm",
    "Flux would take the release of one for that of the other, and delete what runs there.",
    "fluxcd.io, HelmRelease",
)
ALLOWED = Rule(
    "policy/team",
    ERROR,
    "Outside of what the team may use",
    "gen-env.yaml bounds its clusters, namespaces, hosts and images.",
    "gen-env.yaml policy",
)


def problems(everybody: Sequence[Resolved]) -> Iterator[Problem]:
    """Findings over all environments of a repository, each at the later of two."""
    yield from _duplicates(
        everybody,
        NAMESPACE,
        lambda item: {
            ("destination", "namespace"): (
                item.cluster.server.rstrip("/").lower(),
                item.environment.namespace,
            )
        },
        "namespace",
    )
    yield from _duplicates(everybody, HOST, _hosts, "host")
    yield from _duplicates(everybody, DATABASE, _database, "database")
    yield from _duplicates(
        everybody,
        APPLICATION,
        lambda item: {("destination", "application"): (application_name(item),)},
        "Application",
    )
    yield from _duplicates(everybody, RECORDS, _records, "Helm release and storageNamespace")
    yield from _root_taken(everybody)
    for item in everybody:
        yield from _allowed(item)


def _root_taken(everybody: Sequence[Resolved]) -> Iterator[Problem]:
    """The app of apps is an Application as well."""
    for item in everybody:
        root = item.settings.repository.argocd.root
        if root.type == "app-of-apps" and application_name(item) == root.name:
            yield item.problem(
                APPLICATION,
                f"the root Application is called {root.name} as well",
                "destination",
                "application",
                hint="give this one another destination.application, or argocd.root another name",
            )


def _named(item: Resolved) -> Iterator[tuple[Path, str, str]]:
    """Where each host name of an environment stands, the name, and the path below it."""
    for way in item.environment.entrances:
        for index, host in enumerate(way.hosts):
            yield way.place(index), host, way.path


def _hosts(item: Resolved) -> dict[Path, Identity]:
    return {place: (host.lower(), path) for place, host, path in _named(item)}


def _matches(value: str, pattern: str) -> bool:
    """A template of the chart could become any name."""
    return pattern == "*" or ("{{" not in value and fnmatch.fnmatchcase(value, pattern))


def hosts_of_objects(item: Resolved, manifests: Iterable[Object]) -> Iterator[Problem]:
    """What a team may not use of the hosts that its objects serve and its definition does not
    name: those of its own manifests and of annotations, and a rule for every host."""
    policy = item.settings.repository.policy.teams.get(item.environment.team)
    if policy is None or policy.hosts is None:
        return
    named = {host for _, host, _ in _named(item)} | {
        host for host, _ in _in_values(item.environment)
    }
    for manifest in manifests:
        for host in claimed_names(manifest):
            if host not in named and not any(_matches(host, each) for each in policy.hosts):
                yield _refused(
                    item, f"{title_of(manifest)}: {_words(item, 'host', host)}", policy.hosts
                )


def _words(item: Resolved, word: str, value: str) -> str:
    return f"team {item.environment.team} may not use {word} {value}"


def _refused(item: Resolved, message: str, patterns: Sequence[str], *path: str | int) -> Problem:
    hint = f"allowed: {', '.join(patterns) or 'none'} (policy.teams in gen-env.yaml)"
    return item.problem(ALLOWED, message, *path, hint=hint)


def _in_values(environment: Environment) -> Iterator[tuple[str, Path]]:
    """Hosts that `values:` gives to an ingress or a route of the chart's, and where; a template
    stands as it is written, and a route without host names serves them all."""
    ingresses = environment.values.get("ingress")
    for path, value in leaves(ingresses if isinstance(ingresses, dict) else {}):
        if path and path[-1] in ("host", "hosts"):
            for host in value if isinstance(value, list) else [value]:
                name = host.get("name") if isinstance(host, dict) else host
                yield str(name), ("values", "ingress", *path)
    routes = environment.values.get("httpRoute")
    for part, given in (routes if isinstance(routes, dict) else {}).items():
        if isinstance(given, dict):
            names = given.get("hostnames") or (["*"] if given.get("enabled") else [])
            for name in names if isinstance(names, list) else [names]:
                yield str(name), ("values", "httpRoute", part)


def _database(item: Resolved) -> dict[Path, Identity]:
    database = item.environment.database
    if database.host is None:
        return {}
    return {("database", "host"): (database.host.lower(), str(database.port), database.name)}


def _records(item: Resolved) -> dict[Path, Identity]:
    """By what Helm finds a release: under Flux it may keep it in another namespace."""
    environment = item.environment
    if environment.engine != "flux":
        return {}
    storage = environment.destination.storage_namespace or environment.namespace
    server = item.cluster.server.rstrip("/").lower()
    return {("destination", "storageNamespace"): (server, storage, environment.release)}


def _duplicates(
    everybody: Sequence[Resolved],
    rule: Rule,
    identities: Callable[[Resolved], Mapping[Path, Identity]],
    word: str,
) -> Iterator[Problem]:
    seen: dict[Identity, str] = {}
    for item in everybody:
        for path, key in identities(item).items():
            if seen.setdefault(key, item.name) != item.name:
                yield item.problem(
                    rule,
                    f"environment {seen[key]} has the same {word}",
                    *path,
                    hint=f"give one of the two another {word}: {rule.why}",
                )


def _allowed(item: Resolved) -> Iterator[Problem]:
    environment = item.environment
    policy = item.settings.repository.policy.teams.get(environment.team)
    if policy is None:
        return
    rows: list[tuple[str, tuple[str, ...] | None, str, Path]] = [
        ("cluster", policy.clusters, environment.destination.cluster, ("destination", "cluster")),
        ("namespace", policy.namespaces, environment.namespace, ("destination", "namespace")),
        *(
            ("namespace", policy.namespaces, value, ("destination", "storageNamespace"))
            for value in filter(None, [environment.destination.storage_namespace])
        ),
        ("image", policy.images, environment.image.repository, ("image", "repository")),
    ]
    rows += [("host", policy.hosts, host, place) for place, host, _ in _named(item)]
    rows += [("host", policy.hosts, host, place) for host, place in _in_values(environment)]
    for word, patterns, value, path in rows:
        if patterns is None or any(_matches(value, item) for item in patterns):
            continue
        yield _refused(item, _words(item, word, value), patterns, *path)
