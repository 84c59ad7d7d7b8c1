"""Under which name a chart reads a setting."""

import pytest

from generator.release.spelling import spelled, spelling
from tests import chart_range


@pytest.mark.parametrize(
    ("setting", "names"),
    [
        (
            "workers.celery.keda.enabled",
            {"1.13.1": "workers.keda.enabled", "1.19.0": "workers.keda.enabled"}
            | {"1.20.0": "workers.celery.keda.enabled", "1.22.0": "workers.celery.keda.enabled"},
        ),
        (
            "workers.celery.keda.cooldownPeriod",
            {"1.18.0": "workers.keda.cooldownPeriod"}
            | {"1.19.0": "workers.celery.keda.cooldownPeriod"},
        ),
        (
            "workers.kubernetes.resources",
            {"1.19.0": "workers.resources", "1.20.0": "workers.kubernetes.resources"},
        ),
        (
            "workers.celery.enableDefault",
            {"1.18.0": None, "1.19.0": "workers.celery.enableDefault"},
        ),
        (
            "createUserJob.enabled",
            {"1.6.0": "webserver.defaultUser.enabled", "1.18.0": "webserver.defaultUser.enabled"}
            | {"1.19.0": "createUserJob.enabled"},
        ),
        (
            "apiSecretKeySecretName",
            {"1.16.0": "webserverSecretKeySecretName", "1.17.0": "webserverSecretKeySecretName"}
            | {"1.18.0": "apiSecretKeySecretName"},
        ),
        (
            "workers.celery.securityContexts.pod.fsGroup",
            {"1.9.0": "workers.securityContext.fsGroup"}
            | {"1.10.0": "workers.securityContexts.pod.fsGroup"}
            | {"1.19.0": "workers.celery.securityContexts.pod.fsGroup"},
        ),
        ("securityContexts.pod", {"1.9.0": "securityContext", "1.10.0": "securityContexts.pod"}),
        (
            "postgresql.auth.existingSecret",
            {"1.7.0": "postgresql.existingSecret", "1.8.0": "postgresql.auth.existingSecret"},
        ),
        ("ingress.apiServer.enabled", {"1.16.0": None, "1.17.0": "ingress.apiServer.enabled"}),
        ("dags.gitSync.livenessProbe.enabled", {"1.18.0": None, "1.19.0": None}),
        (
            "otelCollector.metricsEnabled",
            {"1.20.0": None, "1.22.0": "otelCollector.metricsEnabled"},
        ),
        ("jwtSecretName", {"1.16.0": None, "1.17.0": "jwtSecretName"}),
    ],
)
def test_a_setting_goes_by_the_newest_name_that_the_chart_reads(setting, names):
    at_hand = [version for version in names if version in chart_range.VERSIONS]
    if not at_hand:
        pytest.skip(f"needs a chart of {', '.join(names)}")
    own = {version: spelled(setting, chart_range.traits(version)) for version in at_hand}
    assert own == {version: names[version] for version in at_hand}


@pytest.mark.parametrize(
    ("version", "setting", "key", "reshaped"),
    [
        ("1.18.0", "imagePullSecrets", "registry.secretName", True),
        ("1.19.0", "imagePullSecrets", "imagePullSecrets", False),
        ("1.11.0", "dags.gitSync.period", "dags.gitSync.wait", True),
        ("1.18.0", "workers.celery.replicas", "workers.replicas", False),
    ],
)
def test_a_name_whose_value_has_another_form_says_so(version, setting, key, reshaped):
    found = spelling(setting, chart_range.traits(version))
    assert (found.key, found.reshaped) == (key, reshaped)


@chart_range.each_version
def test_every_name_is_one_that_the_chart_reads(version):
    from generator.release.v1.deprecated import OLDER, RENAMED

    traits = chart_range.traits(version)
    names = {spelled(key, traits) for row in (*RENAMED, *OLDER) for key in row.new} - {None}
    assert names
    assert [name for name in names if not traits.has(name)] == []
