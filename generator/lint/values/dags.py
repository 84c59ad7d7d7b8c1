"""Checks of the ways in which DAG files reach the pods."""

from __future__ import annotations

import re
from collections.abc import Iterator

from generator.core.layered import lookup
from generator.helmvalues.values import ValuesInput
from generator.lint.rule import ERROR, INFO, WARNING, Finding, check

_SYNC = "dags.gitSync"
_SAMPLE = "https://github.com/apache/airflow.git"
_GIT_BUNDLE = "GitDagBundle"
_LOCAL_BUNDLE = "LocalDagBundle"


def syncing(values: ValuesInput) -> bool:
    """Whether git-sync runs."""
    return values.on(f"{_SYNC}.enabled")


def _ssh(values: ValuesInput) -> bool:
    return bool(re.match(r"ssh://|[^/@:]+@[^/:]+:", values.text(f"{_SYNC}.repo")))


@check(
    "dags/sample-repository",
    ERROR,
    "git-sync with the chart's sample settings",
    why="Repository, branch and sub path default to Airflow's own source tree of long ago.",
)
def sample_repository(values: ValuesInput) -> Iterator[Finding]:
    """The chart's default repository or sub path."""
    if not syncing(values):
        return
    if values.text(f"{_SYNC}.repo") == _SAMPLE:
        yield Finding(
            f"{_SYNC}.enabled",
            "Airflow runs the example DAGs of its own source tree: no repository is set",
            f"set {_SYNC}.repo",
        )
    elif not values.given(f"{_SYNC}.subPath") and lookup(values.user, f"{_SYNC}.subPath") != "":
        yield Finding(
            f"{_SYNC}.repo",
            "no DAG appears unless they are in tests/dags, the chart's default sub path",
            f'set {_SYNC}.subPath to the folder of your DAGs, or to "" for the whole repository',
        )


@check(
    "dags/ref-overridden",
    ERROR,
    "git-sync follows branch, not ref",
    why="git-sync 4 lets the older branch setting override ref, and the chart fills branch with "
    "v2-2-stable unless it is set.",
    source="kubernetes/git-sync v4, main.go; chart 1.22.0, templates/_helpers.yaml",
)
def ref_overridden(values: ValuesInput) -> Iterator[Finding]:
    """`branch` differs from `ref`, or both are empty."""
    if not syncing(values) or values.text("images.gitSync.tag").lstrip("v").startswith("3"):
        return
    branch, rev = values.text(f"{_SYNC}.branch"), values.text(f"{_SYNC}.rev")
    ref = values.text(f"{_SYNC}.ref")
    if branch and rev not in ("", "HEAD"):
        yield Finding(
            f"{_SYNC}.rev",
            "git-sync exits at once: it takes branch or rev, not both",
            f"remove {_SYNC}.rev, and set branch and ref to the same value",
        )
    elif not values.given(f"{_SYNC}.branch") and not values.given(f"{_SYNC}.ref"):
        if values.text(f"{_SYNC}.repo") != _SAMPLE:
            yield Finding(
                f"{_SYNC}.repo",
                "git-sync asks your repository for the branch v2-2-stable, the chart's default",
                f"set {_SYNC}.branch and {_SYNC}.ref to the same branch, tag or commit",
            )
    elif branch and branch != ref and values.given(f"{_SYNC}.ref"):
        yield Finding(
            f"{_SYNC}.ref",
            "DAGs come from dags.gitSync.branch, whatever dags.gitSync.ref says",
            f"set {_SYNC}.branch to the same value as {_SYNC}.ref",
        )
    elif not branch and rev and rev != ref:
        yield Finding(
            f"{_SYNC}.branch",
            "DAGs come from the repository's default branch: an empty branch makes git-sync take "
            "rev, which is HEAD",
            f"set {_SYNC}.branch to the same value as {_SYNC}.ref",
        )


@check(
    "dags/two-credentials",
    WARNING,
    "Two kinds of git credentials",
    why="With an SSH key the chart does not render the user and password.",
)
def two_credentials(values: ValuesInput) -> Iterator[Finding]:
    """SSH key and credentials Secret together."""
    key = values.on(f"{_SYNC}.sshKeySecret") or values.on(f"{_SYNC}.sshKey")
    if syncing(values) and key and values.on(f"{_SYNC}.credentialsSecret"):
        yield Finding(
            f"{_SYNC}.credentialsSecret",
            "the credentials are ignored: the SSH key wins",
            "keep the one that fits the repository's URL",
        )


@check(
    "dags/credentials-do-not-fit",
    ERROR,
    "Credentials that do not fit the repository's URL",
    why="git uses SSH keys for ssh URLs only, and user and password for https URLs only.",
    source="git",
)
def credentials_do_not_fit(values: ValuesInput) -> Iterator[Finding]:
    """An ssh URL without a key, or an https URL with nothing but one."""
    if not syncing(values):
        return
    key = values.on(f"{_SYNC}.sshKeySecret") or values.on(f"{_SYNC}.sshKey")
    own = values.on(f"{_SYNC}.env") or values.on(f"{_SYNC}.envFrom")
    if _ssh(values) and not key and not own:
        yield Finding(
            f"{_SYNC}.repo",
            "git-sync cannot clone: an SSH URL needs a key",
            f"set {_SYNC}.sshKeySecret to a Secret with the key gitSshKey",
        )
    elif values.text(f"{_SYNC}.repo").startswith("http") and key:
        path = f"{_SYNC}.sshKeySecret"
        yield Finding(
            path if values.given(path) else f"{_SYNC}.sshKey",
            "the SSH key is not used for an https URL, so that a private repository is refused",
            f"use the repository's SSH URL, or {_SYNC}.credentialsSecret",
        )


@check(
    "dags/host-not-verified",
    WARNING,
    "The git host is not verified",
    why="Without knownHosts the chart switches the check off: whoever answers may serve the DAGs.",
)
def host_not_verified(values: ValuesInput) -> Iterator[Finding]:
    """SSH without `knownHosts`."""
    key = values.on(f"{_SYNC}.sshKeySecret") or values.on(f"{_SYNC}.sshKey")
    if syncing(values) and key and not values.text(f"{_SYNC}.knownHosts"):
        yield Finding(
            f"{_SYNC}.sshKeySecret" if values.given(f"{_SYNC}.sshKeySecret") else _SYNC,
            "whoever answers for the git host can put code on your workers",
            f"set {{key:{_SYNC}.knownHosts}} to the host's public keys (ssh-keyscan, then compare)",
        )


@check(
    "dags/no-liveness-probe",
    INFO,
    "git-sync without a liveness probe",
    why="A git-sync that hangs goes unnoticed: DAGs stay as they are.",
)
def no_liveness_probe(values: ValuesInput) -> Iterator[Finding]:
    """The recommended settings without the probe itself."""
    recommended = values.on(f"{_SYNC}.recommendedProbeSetting")
    if syncing(values) and recommended and not values.on(f"{_SYNC}.livenessProbe.enabled"):
        yield Finding(
            f"{_SYNC}.recommendedProbeSetting",
            "a git-sync that hangs is never restarted",
            f"set {{key:{_SYNC}.livenessProbe.enabled}}: true",
            requires=f"{_SYNC}.recommendedProbeSetting",
        )


@check(
    "dags/sync-and-volume",
    WARNING,
    "git-sync and a DAG volume together",
    why="Then only the DAG processor syncs, everybody else reads the volume; persistence.subPath "
    "is not applied to git-sync's mount. Upstream advises against it.",
    also=((ERROR, "subPath is set"),),
)
def sync_and_volume(values: ValuesInput) -> Iterator[Finding]:
    """Both on."""
    if not syncing(values) or not values.on("dags.persistence.enabled"):
        return
    sub_path = values.on("dags.persistence.subPath")
    yield Finding(
        "dags.persistence.subPath" if sub_path else "dags.persistence.enabled",
        "pods read another folder than git-sync writes: subPath applies to one of them only"
        if sub_path
        else "tasks see new DAG files only when the volume shows them, and not all at once",
        "use one of the two; git-sync alone is the usual choice",
        ERROR if sub_path else None,
    )


@check(
    "dags/volume-access-mode",
    ERROR,
    "A DAG volume that one node can mount",
    why="Scheduler, DAG processor, triggerer and workers all mount it; ReadWriteOnce ties them to "
    "one node.",
)
def volume_access_mode(values: ValuesInput) -> Iterator[Finding]:
    """ReadWriteOnce, the chart's default, for a claim that the chart makes."""
    own = values.on("dags.persistence.existingClaim")
    mode = values.text("dags.persistence.accessMode")
    if values.on("dags.persistence.enabled") and not own and mode.startswith("ReadWriteOnce"):
        path = "dags.persistence.accessMode"
        yield Finding(
            path if values.given(path) else "dags.persistence",
            "pods on a second node never start: the volume can be mounted on one",
            "set dags.persistence.accessMode: ReadWriteMany and a storage class that has it",
        )


@check(
    "dags/sync-feeds-no-bundle",
    WARNING,
    "git-sync that no bundle reads",
    why="On Airflow 3 the DAG processor reads bundles; files that git-sync brings belong to a "
    "LocalDagBundle.",
)
def sync_feeds_no_bundle(values: ValuesInput) -> Iterator[Finding]:
    """git-sync on with only other bundles."""
    path = "dagProcessor.dagBundleConfigList"
    classes = [str(row.get("classpath")) for row in values.rows(path)]
    local = any(_LOCAL_BUNDLE in name for name in classes)
    if values.airflow3 and syncing(values) and values.given(path) and not local:
        yield Finding(
            path,
            "the DAGs that git-sync fetches are never parsed: no bundle reads them",
            "switch dags.gitSync off, or add the LocalDagBundle again",
        )


@check(
    "dags/bundle-without-connection",
    WARNING,
    "A git bundle whose connection is not given",
    why="DAG processor and every worker clone the repository themselves, so the connection must "
    "reach them by variable or secrets backend.",
    source="apache-airflow-providers-git",
)
def bundle_without_connection(values: ValuesInput) -> Iterator[Finding]:
    """`git_conn_id` without a visible source for the connection."""
    if values.on("extraEnvFrom") or values.on("config.secrets.backend"):
        return
    path = "dagProcessor.dagBundleConfigList"
    for index, row in enumerate(values.rows(path)):
        identity = lookup(row, "kwargs.git_conn_id")
        if _GIT_BUNDLE not in str(row.get("classpath")) or not isinstance(identity, str):
            continue
        if not values.sets_variable(f"AIRFLOW_CONN_{identity.upper()}"):
            yield Finding(
                (*path.split("."), index),
                "workers cannot clone the bundle unless its connection is in the database",
                f"set AIRFLOW_CONN_{identity.upper()} from a Secret, under secret",
            )


@check(
    "dags/ssh-key-unreadable",
    ERROR,
    "git-sync cannot read its key",
    why="The key is mounted with mode 0440, readable by the pod's fsGroup only.",
)
def ssh_key_unreadable(values: ValuesInput) -> Iterator[Finding]:
    """A pod security context without `fsGroup`."""
    key = values.on(f"{_SYNC}.sshKeySecret") or values.on(f"{_SYNC}.sshKey")
    pod = values.table("securityContexts.pod")
    if syncing(values) and key and pod and pod.get("fsGroup") is None:
        yield Finding(
            "securityContexts.pod",
            "git-sync cannot read its SSH key: the pods have no fsGroup",
            "set {key:securityContexts.pod.fsGroup}: 0",
        )
