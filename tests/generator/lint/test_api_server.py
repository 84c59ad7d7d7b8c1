"""What the API server refuses: found in rendered objects, with the place it comes from."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.helmvalues.values import ValuesInput, merged
from generator.lint.objects import api_server
from generator.lint.objects.context import Context, RenderedInput
from generator.yaml.writer import dump
from tests.effort import examples
from tests.generator.lint.entry_cases import made

GOOD_PROBE = {"httpGet": {"path": "/", "port": "http"}, "periodSeconds": 10}


def problems(*manifests, **context):
    return list(api_server.problems(RenderedInput(manifests, Context(**context))))


def rules(*manifests, **context):
    return [problem.rule for problem in problems(*manifests, **context)]


def pod(spec=None, metadata=None, **container):
    return {
        "kind": "Pod",
        "metadata": {"name": "web", **(metadata or {})},
        "spec": {"containers": [{"name": "main", "image": "i", **container}], **(spec or {})},
    }


def service(**port):
    return {"kind": "Service", "metadata": {"name": "web"}, "spec": {"ports": [port]}}


def named(kind, name, **more):
    return {"kind": kind, "metadata": {"name": name}, **more}


def amounts(requests, limits):
    return pod(resources={"requests": requests, "limits": limits})


def cron(schedule):
    return named("CronJob", "nightly", spec={"schedule": schedule})


def _job(limit):
    return {"spec": {"backoffLimit": limit}}


def rolled(**amounts):
    return named("Deployment", "web", spec={"strategy": {"rollingUpdate": amounts}})


def tolerating(**toleration):
    return pod({"tolerations": [toleration]})


def spread(**constraint):
    wish = {"topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule", "maxSkew": 1}
    return pod({"topologySpreadConstraints": [{**wish, **constraint}]})


VOLUME = {"volumes": [{"name": "v", "emptyDir": {}}]}
TWO = {"volumes": [{"name": "a", "emptyDir": {}}, {"name": "b", "emptyDir": {}}]}


def limits_of(kind, amounts):
    return named("LimitRange", "l", spec={"limits": [{"type": kind, "max": amounts}]})


def claiming(volume, **container):
    claims = [{"metadata": {"name": volume}, "spec": made("PersistentVolumeClaim")["spec"]}]
    template = {"spec": pod(**container)["spec"]}
    return named("StatefulSet", "s", spec={"volumeClaimTemplates": claims, "template": template})


# Rule → (what breaks it, the nearest that does not).
CASES = {
    "kubernetes/invalid-field": (
        [
            named("ResourceQuota", "quota", spec={"hard": {"gpus": "2"}}),
            named("Deployment", "web", spec={"replicas": -1}),
            named("CronJob", "c", spec={"schedule": "@daily", "failedJobsHistoryLimit": -1}),
            named("CronJob", "c", spec={"schedule": "@daily", "jobTemplate": _job(-1)}),
            rolled(maxSurge="many"),
            rolled(maxSurge=0, maxUnavailable="0%"),
            named("PodDisruptionBudget", "web", spec={"minAvailable": "half"}),
            pod(securityContext={"runAsUser": -1}),
            pod({"securityContext": {"fsGroup": 2**31}}),
            tolerating(value="x"),
            tolerating(key="x", operator="Perhaps"),
            tolerating(key="x", operator="Exists", value="y"),
            tolerating(key="x", effect="Never"),
            tolerating(key="x", tolerationSeconds=5),
            spread(maxSkew=0),
            spread(whenUnsatisfiable="Wait"),
            pod(volumeMounts=[{"name": "nowhere", "mountPath": "/x"}]),
            pod({"priorityClassName": "Not a Name!"}),
            pod({"serviceAccountName": "-a"}),
            pod({"dnsPolicy": "Perhaps"}),
            pod(imagePullPolicy="Sometimes"),
            pod(image=""),
            pod(image=" i"),
            limits_of("Container", {"3.10": "0"}),
        ],
        [
            named("ResourceQuota", "quota", spec={"hard": {"requests.example.com/gpu": "2"}}),
            named("ResourceQuota", "quota", spec={"hard": {"count/jobs.batch": "2", "pods": "9"}}),
            named("Deployment", "web", spec={"replicas": 0}),
            named("CronJob", "c", spec={"schedule": "@daily", "jobTemplate": _job(0)}),
            rolled(maxSurge="25%", maxUnavailable=0),
            rolled(maxUnavailable=0),
            named("PodDisruptionBudget", "web", spec={"minAvailable": "50%"}),
            pod(securityContext={"runAsUser": 0}),
            pod({"securityContext": {"fsGroup": 2**31 - 1}}),
            tolerating(operator="Exists"),
            tolerating(key="x", value="y", effect="NoSchedule"),
            tolerating(key="x", effect="NoExecute", tolerationSeconds=5),
            spread(whenUnsatisfiable="ScheduleAnyway"),
            pod(VOLUME, volumeMounts=[{"name": "v", "mountPath": "/x"}]),
            claiming("v", volumeMounts=[{"name": "v", "mountPath": "/x"}]),
            pod({"priorityClassName": "a.b", "dnsPolicy": "Default"}, imagePullPolicy="Never"),
            limits_of("Container", {"memory": "1Gi", "example.com/gpu": "1"}),
            limits_of("PersistentVolumeClaim", {"storage": "1Gi"}),
        ],
    ),
    "kubernetes/requests-over-limits": (
        [
            amounts({"memory": "8Gi"}, {"memory": "4Gi"}),
            amounts({"cpu": 1}, {"cpu": "999m"}),
            amounts({"example.com/gpu": 1}, {"example.com/gpu": 2}),
        ],
        [
            amounts({"memory": "4Gi"}, {"memory": "4096Mi"}),
            amounts({"memory": "4Gi"}, {"cpu": 1}),
            amounts({"example.com/gpu": 1}, {"example.com/gpu": "1"}),
        ],
    ),
    "kubernetes/invalid-quantity": (
        [
            amounts({"memory": "4GB"}, {}),
            amounts({"cpu": "-1"}, {}),
            amounts({"cpus": 1}, {}),
            pod({"volumes": [{"name": "v", "emptyDir": {"sizeLimit": "big"}}]}),
            named("ResourceQuota", "q", spec={"hard": {"pods": "many"}}),
        ],
        [
            amounts({"memory": "4G", "hugepages-2Mi": "4Mi", "ephemeral-storage": "1e9"}, {}),
            pod({"volumes": [{"name": "v", "emptyDir": {"sizeLimit": "1Gi"}}]}),
            named("ResourceQuota", "q", spec={"hard": {"pods": 10}}),
        ],
    ),
    "kubernetes/duplicate-entry": (
        [
            pod({"initContainers": [{"name": "main", "image": "i"}]}),
            pod({"volumes": [{"name": "v"}, {"name": "v"}]}),
            pod(TWO, volumeMounts=[{"name": n, "mountPath": "/x"} for n in "ab"]),
            pod(ports=[{"name": "a", "containerPort": 1}, {"name": "a", "containerPort": 2}]),
            pod(ports=[{"containerPort": 1}, {"containerPort": 1, "protocol": "TCP"}]),
        ],
        [
            pod({"initContainers": [{"name": "init", "image": "i"}]}),
            pod(TWO, volumeMounts=[{"name": "a", "mountPath": f"/{n}"} for n in "xy"]),
            pod(ports=[{"containerPort": 1}, {"containerPort": 1, "protocol": "UDP"}]),
        ],
    ),
    "kubernetes/duplicate-variable": (
        [pod(env=[{"name": "A", "value": "1"}, {"name": "A", "value": "2"}])],
        [pod(env=[{"name": "A", "value": "1"}, {"name": "a", "value": "2"}])],
    ),
    "kubernetes/invalid-name": (
        [
            named("ConfigMap", "Not_A_Name"),
            named("Service", "1web"),
            named("CronJob", "x" * 53, spec={"schedule": "@daily"}),
            named("Namespace", "a.b"),
            pod(metadata={"labels": {"x": "y" * 64}}),
            pod(metadata={"labels": {"x": "a=b"}}),
            pod(metadata={"labels": {"a/b/c": "d"}}),
            pod(metadata={"annotations": {"x" * 64: "d"}}),
            pod({"volumes": [{"name": "My Volume"}]}),
            pod(ports=[{"name": "longer-than-port", "containerPort": 1}]),
            service(name="http", port=80, targetPort="longer-than-port"),
        ],
        [
            named("ConfigMap", "a.b-c"),
            named("Role", "a:b"),
            named("CronJob", "x" * 52, spec={"schedule": "@daily"}),
            pod(metadata={"labels": {"example.com/x": "y" * 63, "empty": ""}}),
            pod(ports=[{"name": "exactly15chars-", "containerPort": 1}][:0]),
            pod(ports=[{"name": "exactly-15chars", "containerPort": 1}]),
            service(name="longer-than-a-port", port=80, targetPort="http"),
            {"kind": "ConfigMap", "metadata": {"generateName": "Bad_"}},
        ],
    ),
    "kubernetes/annotations-too-large": (
        [pod(metadata={"annotations": {"k": "v" * 256 * 1024}})],
        [pod(metadata={"annotations": {"k": "v" * (256 * 1024 - 1)}})],
    ),
    "kubernetes/invalid-port": (
        [pod(ports=[{"containerPort": 65536}]), service(port=0)],
        [pod(ports=[{"containerPort": 65535, "hostPort": 0}]), service(port=80, nodePort=0)],
    ),
    "kubernetes/invalid-probe": (
        [
            pod(livenessProbe={"periodSeconds": 10}),
            pod(livenessProbe={**GOOD_PROBE, "exec": {"command": ["true"]}}),
            pod(livenessProbe={**GOOD_PROBE, "successThreshold": 2}),
            pod(startupProbe={**GOOD_PROBE, "failureThreshold": -1}),
            pod(readinessProbe={**GOOD_PROBE, "terminationGracePeriodSeconds": 5}),
            pod(readinessProbe={"tcpSocket": {"port": 0}}),
        ],
        [
            pod(livenessProbe={**GOOD_PROBE, "successThreshold": 1, "timeoutSeconds": 0}),
            pod(readinessProbe={**GOOD_PROBE, "successThreshold": 2}),
        ],
    ),
    "kubernetes/invalid-schedule": (
        [cron("0 0 * * 7"), cron("0 24 * * *"), cron("0 0 * *"), cron("@reboot"), cron(None)],
        [cron("*/5 0-6,12 ? JAN-mar mon"), cron("@every 1h30m"), cron("@daily")],
    ),
}
BAD = [(rule, item) for rule, (bad, _) in CASES.items() for item in bad]
GOOD = [item for _, good in CASES.values() for item in good]


@pytest.mark.parametrize(("rule", "manifest"), BAD)
def test_what_the_api_server_refuses_is_found(rule, manifest):
    assert set(rules(manifest)) == {rule}


@pytest.mark.parametrize("manifest", GOOD)
def test_what_it_takes_is_let_pass(manifest):
    assert rules(manifest) == []


def over(user, defaults=None, built_in=lambda path: False):
    """A worker whose requests are above its limits, rendered from these values."""
    values = ValuesInput(
        user,
        merged(defaults or {}, user),
        "1.22.0",
        locate=lambda path: ("v.yaml", len(path)),
        defaults=defaults or {},
        built_in=built_in,
    )
    return problems(amounts({"memory": "8Gi"}, {"memory": "4Gi"}), values=values)


REQUESTS = {"workers": {"resources": {"requests": {"memory": "8Gi"}}}}
LIMITS = {"workers": {"resources": {"limits": {"memory": "4Gi"}}}}


def test_a_request_above_the_limit_names_where_the_limit_comes_from():
    [own] = over(merged(LIMITS, REQUESTS))
    assert own.place == "v.yaml:4"
    assert own.message.endswith(
        "requests 8Gi of memory, above the limit of 4Gi, "
        "from workers.resources.limits.memory (v.yaml:4)"
    )
    [chart] = over(REQUESTS, LIMITS)
    assert chart.message.endswith("(the chart's default)")
    [gen_env] = over(merged(LIMITS, REQUESTS), built_in=lambda path: "limits" in path)
    assert gen_env.message.endswith("(gen-env's default)")


def test_requests_and_limits_of_two_sections_of_one_component_meet():
    celery = {"workers": {**LIMITS["workers"], "celery": REQUESTS["workers"]}}
    [problem] = over(celery)
    assert "from workers.resources.limits.memory" in problem.message
    assert "from" not in over({"x": REQUESTS["workers"], "y": LIMITS["workers"]})[0].message


def test_one_pair_of_amounts_is_one_finding_for_all_containers():
    twice = pod({"initContainers": [{"name": "init", "image": "i", "resources": {
        "requests": {"cpu": 2}, "limits": {"cpu": 1}}}]}, resources={
        "requests": {"cpu": 2}, "limits": {"cpu": 1}})  # fmt: skip
    [problem] = problems(twice)
    assert "container init and 1 more" in problem.message


DOUBLE = pod(env=[{"name": "A", "value": "1"}, {"name": "A", "value": "2"}])


def severity(manifest=DOUBLE, **context):
    return problems(manifest, **context)[0].severity


def test_a_variable_twice_is_an_error_where_server_side_apply_refuses_it():
    assert severity() == "warning"
    assert severity(server_side=True) == "error"
    option = "argocd.argoproj.io/sync-options"
    own = {"annotations": {option: "Prune=false,ServerSideApply=true"}}
    assert severity({**DOUBLE, "metadata": {"name": "x", **own}}) == "error"
    off = {"annotations": {option: "ServerSideApply=false"}}
    assert severity({**DOUBLE, "metadata": {"name": "x", **off}}, server_side=True) == "warning"


def test_the_executor_gives_the_first_container_of_task_pods_its_image():
    nameless = {"name": "base"}
    for spec, count in (
        ({"containers": [nameless]}, 0),
        ({"containers": [nameless, {"name": "sidecar"}]}, 1),
        ({"containers": [nameless], "initContainers": [nameless]}, 1),
    ):
        data = {"pod_template_file.yaml": dump({"kind": "Pod", "spec": spec})}
        found = rules({**named("ConfigMap", "c"), "data": data})
        assert found.count("kubernetes/invalid-field") == count


def test_blanks_around_an_image_are_refused_when_the_pods_are_made():
    [problem] = problems(pod(image="i "))
    assert problem.message.endswith("has blanks around it: its pods are refused")


def test_task_pods_are_made_without_server_side_apply():
    text = dump({"metadata": {"name": "x"}, "spec": DOUBLE["spec"]})
    task = {**named("ConfigMap", "c"), "data": {"pod_template_file.yaml": text}}
    assert severity(task, server_side=True) == "warning"


def twice_by(user):
    values = ValuesInput(user, user, "1.22.0", locate=lambda path: ("v.yaml", 7))
    [problem] = problems(DOUBLE, values=values)
    return problem


def test_both_places_of_a_variable_are_named():
    rows = [{"name": "A", "value": "1"}]
    message = twice_by({"env": rows, "extraEnv": "- name: A\n  value: '2'"}).message
    assert "env[0] (v.yaml:7) and extraEnv (v.yaml:7)" in message
    message = twice_by({"env": rows, "scheduler": {"env": rows}}).message
    assert "env[0] (v.yaml:7) and scheduler.env[0] (v.yaml:7)" in message


def test_the_charts_own_variable_can_be_switched_off():
    secret = [{"envName": "A", "secretName": "s", "secretKey": "k"}]
    problem = twice_by({"secret": secret, "enableBuiltInSecretEnvVars": {"A": True}})
    assert "secret[0] (v.yaml:7) and the chart itself" in problem.message
    assert problem.hint.endswith("enableBuiltInSecretEnvVars.A: false")


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.just("http"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["containers", "env", "ports", "name", "resources", "requests", "limits"]
            )
            | st.sampled_from(["cpu", "volumes", "livenessProbe", "httpGet", "port", "labels"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@examples(40)
@given(JUNK, JUNK, st.sampled_from(["Pod", "Service", "CronJob", "ResourceQuota"]))
def test_malformed_objects_are_left_to_the_schema(spec, metadata, kind):
    problems({"kind": kind, "metadata": metadata, "spec": spec})


@pytest.mark.parametrize(("part", "key"), [("hostAliases", "ip"), ("imagePullSecrets", "name")])
def test_two_entries_of_one_key_stop_server_side_apply_alone(part, key):
    manifest = pod({part: [{key: "10.0.0.9"}, {key: "10.0.0.9"}]})
    for server_side, severity in ((True, "error"), (False, "warning")):
        (one,) = problems(manifest, server_side=server_side)
        assert (one.rule, one.severity) == ("kubernetes/duplicate-entry", severity)


def test_a_label_of_many_objects_is_one_finding_with_their_number():
    many = [named("ConfigMap", name) for name in ("a", "b", "c")]
    for item in many:
        item["metadata"]["labels"] = {"team": "x" * 64}
    [problem] = problems(*many)
    assert problem.message.startswith("ConfigMap a and 2 more objects: the value of label team")
