"""What only shows when environments are seen together, or against the repository's policy."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Iterator, Sequence

from generator.core.problem import Problem
from generator.core.rule import Rule
from generator.definition.resolve import Resolved
from generator.lint.rule import ERROR
from generator.release.release import application_name

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
    "The ingress controller sends requests to either.",
    "Kubernetes Ingress",
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
        lambda item: (item.cluster.server.rstrip("/").lower(), item.environment.namespace),
        ("destination", "namespace"),
        "namespace",
    )
    yield from _duplicates(everybody, HOST, _host, ("ingress", "host"), "host")
    yield from _duplicates(everybody, DATABASE, _database, ("database", "host"), "database")
    application = ("destination", "application")
    yield from _duplicates(
        everybody, APPLICATION, lambda item: (application_name(item),), application, "Application"
    )
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


def _host(item: Resolved) -> tuple[str, ...] | None:
    ingress = item.environment.ingress
    return (ingress.host.lower(), ingress.path) if ingress else None


def _database(item: Resolved) -> tuple[str, ...] | None:
    database = item.environment.database
    if database.host is None:
        return None
    return (database.host.lower(), str(database.port), database.name)


def _duplicates(
    everybody: Sequence[Resolved],
    rule: Rule,
    identity: Callable[[Resolved], tuple[str, ...] | None],
    path: tuple[str, ...],
    word: str,
) -> Iterator[Problem]:
    seen: dict[tuple[str, ...], str] = {}
    for item in everybody:
        key = identity(item)
        if key is None:
            continue
        if key in seen:
            yield item.problem(
                rule,
                f"environment {seen[key]} has the same {word}",
                *path,
                hint=f"give one of the two another {word}: {rule.why}",
            )
        seen.setdefault(key, item.name)


def _allowed(item: Resolved) -> Iterator[Problem]:
    environment = item.environment
    policy = item.settings.repository.policy.teams.get(environment.team)
    if policy is None:
        return
    ingress = environment.ingress
    rows: list[tuple[str, tuple[str, ...] | None, str, tuple[str, ...]]] = [
        ("cluster", policy.clusters, environment.destination.cluster, ("destination", "cluster")),
        ("namespace", policy.namespaces, environment.namespace, ("destination", "namespace")),
        ("image", policy.images, environment.image.repository, ("image", "repository")),
    ]
    if ingress is not None:
        rows.append(("host", policy.hosts, ingress.host, ("ingress", "host")))
    for word, patterns, value, path in rows:
        if patterns is None or any(fnmatch.fnmatchcase(value, item) for item in patterns):
            continue
        yield item.problem(
            ALLOWED,
            f"team {environment.team} may not use {word} {value}",
            *path,
            hint=f"allowed: {', '.join(patterns) or 'none'} (policy.teams in gen-env.yaml)",
        )
