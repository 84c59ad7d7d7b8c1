"""What the checks of lint/values/dags.py must find, and what they must let pass."""

from tests.generator.lint.cases.common import given

SYNC = {
    "dags.gitSync.enabled": True,
    "dags.gitSync.repo": "https://git.example.com/dags.git",
    "dags.gitSync.subPath": "dags",
    "dags.gitSync.ref": "main",
    "dags.gitSync.branch": "main",
}
SSH = {**SYNC, "dags.gitSync.repo": "git@git.example.com:dags.git"}
GIT_BUNDLE = {
    "name": "git",
    "classpath": "airflow.providers.git.bundles.git.GitDagBundle",
    "kwargs": {"git_conn_id": "dags"},
}

CASES = {
    "dags/sample-repository": (
        [
            {"dags.gitSync.enabled": True},
            {
                "dags.gitSync.enabled": True,
                "dags.gitSync.repo": "https://git.example.com/dags.git",
                "dags.gitSync.branch": "main",
            },
        ],
        [SYNC, given(SYNC, {"dags.gitSync.subPath": ""})],
    ),
    "dags/ref-overridden": (
        [
            given(SYNC, {"dags.gitSync.branch": "v2-2-stable"}),
            given(SYNC, {"dags.gitSync.branch": ""}),
            given(SYNC, {"dags.gitSync.rev": "abc"}),
            {
                "dags.gitSync.enabled": True,
                "dags.gitSync.repo": "https://git.example.com/dags.git",
            },
        ],
        [SYNC, given(SYNC, {"images.gitSync.tag": "v3.6.9", "dags.gitSync.branch": "x"})],
    ),
    "dags/two-credentials": (
        [given(SSH, {"dags.gitSync.sshKeySecret": "k", "dags.gitSync.credentialsSecret": "c"})],
        [given(SSH, {"dags.gitSync.sshKeySecret": "k"})],
    ),
    "dags/credentials-do-not-fit": (
        [SSH, given(SYNC, {"dags.gitSync.sshKeySecret": "k"})],
        [given(SSH, {"dags.gitSync.sshKeySecret": "k"}), SYNC],
    ),
    "dags/host-not-verified": (
        [given(SSH, {"dags.gitSync.sshKeySecret": "k"})],
        [given(SSH, {"dags.gitSync.sshKeySecret": "k", "dags.gitSync.knownHosts": "h k"})],
    ),
    "dags/no-liveness-probe": (
        [given(SYNC, {"dags.gitSync.recommendedProbeSetting": True})],
        [
            given(
                SYNC,
                {
                    "dags.gitSync.recommendedProbeSetting": True,
                    "dags.gitSync.livenessProbe.enabled": True,
                },
            )
        ],
    ),
    "dags/sync-and-volume": (
        [given(SYNC, {"dags.persistence.enabled": True})],
        [SYNC, {"dags.persistence.enabled": True}],
    ),
    "dags/volume-access-mode": (
        [{"dags.persistence.enabled": True}],
        [
            {"dags.persistence.enabled": True, "dags.persistence.accessMode": "ReadWriteMany"},
            {"dags.persistence.enabled": True, "dags.persistence.existingClaim": "c"},
        ],
    ),
    "dags/sync-feeds-no-bundle": (
        [given(SYNC, {"dagProcessor.dagBundleConfigList": [GIT_BUNDLE]})],
        [SYNC, {"dagProcessor.dagBundleConfigList": [GIT_BUNDLE]}],
    ),
    "dags/bundle-without-connection": (
        [{"dagProcessor.dagBundleConfigList": [GIT_BUNDLE]}],
        [
            {
                "dagProcessor.dagBundleConfigList": [GIT_BUNDLE],
                "secret": [{"envName": "AIRFLOW_CONN_DAGS", "secretName": "g"}],
            },
            {
                "dagProcessor.dagBundleConfigList": [GIT_BUNDLE],
                "extraEnvFrom": "- secretRef: {name: c}",
            },
        ],
    ),
    "dags/ssh-key-unreadable": (
        [given(SSH, {"dags.gitSync.sshKeySecret": "k", "securityContexts.pod": {"runAsUser": 1}})],
        [
            given(
                SSH,
                {
                    "dags.gitSync.sshKeySecret": "k",
                    "securityContexts.pod": {"runAsUser": 1, "fsGroup": 0},
                },
            )
        ],
    ),
}
