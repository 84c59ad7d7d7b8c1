"""Rules about who gets in and what may be reached: sign-in, policies, Pod Security."""

from __future__ import annotations

from collections.abc import Iterator

from generator.core.rule import NOT_IN_DEVELOPMENT, PRODUCTION_ONLY
from generator.lint.definition.rule import Found, Place, marker
from generator.lint.rule import ERROR, INFO, WARNING
from generator.release.release import Release

FOUND: Found = []
_rule = marker(FOUND)


@_rule(
    "auth/default-user",
    ERROR,
    "A user with a password outside development",
    "One shared password, no second factor, no accountability.",
    NOT_IN_DEVELOPMENT,
)
def _default_user(release: Release) -> Iterator[Place]:
    if release.environment.auth.default_user is not None:
        yield (
            ("auth", "defaultUser"),
            "a default user is for development only",
            "use auth.oidc or auth.ldap",
        )


@_rule(
    "auth/none",
    WARNING,
    "No way to sign in",
    "Without a way to sign in the UI shows a form that no account fits.",
    NOT_IN_DEVELOPMENT,
)
def _no_auth(release: Release) -> Iterator[Place]:
    auth = release.environment.auth
    if (
        auth.oidc is None
        and auth.ldap is None
        and auth.manager is None
        and auth.default_user is None
    ):
        yield ("auth",), "no way to sign in is set", "set auth.oidc, auth.ldap or auth.manager"


@_rule(
    "auth/manager-needs-airflow-3",
    ERROR,
    "An auth manager on Airflow 2",
    "Auth managers of other packages exist since Airflow 3.",
)
def _manager(release: Release) -> Iterator[Place]:
    if release.environment.auth.manager and not release.environment.airflow_3:
        yield ("auth", "manager"), "Airflow 2 has only Flask AppBuilder", "remove auth.manager"


@_rule(
    "network/off",
    WARNING,
    "No network policies in production",
    "Every pod of the cluster can reach the metadata database and the workers' log servers.",
    PRODUCTION_ONLY,
)
def _network(release: Release) -> Iterator[Place]:
    if release.environment.network_policy.mode == "off":
        yield (
            ("networkPolicy", "mode"),
            "the pods are not protected",
            "set networkPolicy.mode to ingress, and to enforce once its peers are known",
        )


@_rule(
    "network/task-egress",
    INFO,
    "Tasks may reach nothing",
    "With enforce, tasks get out only where taskEgress says so.",
)
def _task_egress(release: Release) -> Iterator[Place]:
    policy = release.environment.network_policy
    if policy.mode == "enforce" and not policy.task_egress:
        yield (
            ("networkPolicy", "taskEgress"),
            "tasks may reach nothing outside",
            "list what they need: taskEgress: [{cidr: 10.30.0.0/16, ports: [443]}]",
        )


@_rule(
    "security/pod-security",
    WARNING,
    "The namespace accepts privileged pods",
    "A task could take over its node.",
    NOT_IN_DEVELOPMENT,
)
def _pod_security(release: Release) -> Iterator[Place]:
    if release.environment.security.pod_security == "privileged":
        yield (
            ("security", "podSecurity"),
            "podSecurity is privileged",
            "use restricted, or baseline where tasks need more",
        )


@_rule(
    "security/openshift-group",
    ERROR,
    "Another group under OpenShift",
    "An assigned user id writes to the image's folders only through group 0.",
)
def _openshift(release: Release) -> Iterator[Place]:
    environment = release.environment
    both = environment.security.openshift or release.resolved.cluster.openshift
    if both and environment.security.gid != 0:
        yield (("security", "gid"), "with an assigned uid the image needs group 0", "remove gid")
