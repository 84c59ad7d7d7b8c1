import pytest

from generator.lint.objects.pod_security import problems as pod_security_problems
from generator.lint.objects.pod_security import violations
from generator.yaml.writer import dump

SAFE = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}


def spec(context=None, **pod):
    return {"containers": [{"name": "main", "securityContext": context or {}}], **pod}


def controls(pod_spec, level, metadata=None):
    return [item.control for item in violations(metadata or {}, pod_spec, level)]


def test_a_hardened_pod_passes_both_levels():
    assert controls(spec(SAFE), "restricted") == []


def test_an_ordinary_pod_passes_baseline_only():
    assert controls(spec(), "baseline") == []
    assert controls(spec(), "restricted") == [
        "may run as root",
        "may gain privileges",
        "keeps capabilities",
        "runs without seccomp profile",
    ]


def test_privileged_asks_nothing():
    assert controls(spec({"privileged": True}, hostNetwork=True), "privileged") == []


@pytest.mark.parametrize(
    ("bad", "control"),
    [
        (spec(hostNetwork=True), "shares the node's Network"),
        (spec(hostPID=True), "shares the node's PID"),
        (spec(hostIPC=True), "shares the node's IPC"),
        (spec({"privileged": True}), "runs privileged"),
        (
            spec({"capabilities": {"add": ["SYS_ADMIN"]}}),
            "adds capabilities beyond the runtime's own",
        ),
        (spec(volumes=[{"name": "v", "hostPath": {"path": "/"}}]), "mounts a path of the node"),
        (
            {"containers": [{"name": "c", "ports": [{"hostPort": 80}]}]},
            "takes a port of the node",
        ),
        (spec({"procMount": "Unmasked"}), "unmasks /proc"),
        (spec({"seccompProfile": {"type": "Unconfined"}}), "switches seccomp off"),
        (spec({"appArmorProfile": {"type": "Unconfined"}}), "switches AppArmor off"),
        (spec({"seLinuxOptions": {"type": "spc_t"}}), "sets its own SELinux options"),
        (spec({"seLinuxOptions": {"user": "u"}}), "sets its own SELinux options"),
        (spec({"windowsOptions": {"hostProcess": True}}), "runs as host process"),
        (
            spec(securityContext={"sysctls": [{"name": "kernel.msgmax"}]}),
            "sets a sysctl that is not on the safe list",
        ),
    ],
)
def test_baseline_refuses(bad, control):
    assert controls(bad, "baseline") == [control]


@pytest.mark.parametrize(
    "good",
    [
        spec({"capabilities": {"add": ["CHOWN", "NET_BIND_SERVICE"]}}),
        spec({"procMount": "Default"}),
        spec({"seccompProfile": {"type": "Localhost"}}),
        spec({"seLinuxOptions": {"type": "container_t", "level": "s0"}}),
        spec(securityContext={"sysctls": [{"name": "net.ipv4.tcp_syncookies"}]}),
        spec(hostNetwork=False),
    ],
)
def test_baseline_admits(good):
    assert controls(good, "baseline") == []


def test_an_app_armor_annotation_must_keep_a_profile():
    key = "container.apparmor.security.beta.kubernetes.io/main"
    assert controls(spec(), "baseline", {"annotations": {key: "unconfined"}})
    assert not controls(spec(), "baseline", {"annotations": {key: "runtime/default"}})
    assert not controls(spec(), "baseline", {"annotations": {key: "localhost/x"}})


def test_restricted_takes_what_the_pod_says_for_its_containers():
    pod = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    context = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    assert controls(spec(context, securityContext=pod), "restricted") == []
    undone = {**context, "runAsNonRoot": False}
    assert controls(spec(undone, securityContext=pod), "restricted") == ["may run as root"]


def test_root_is_refused_on_pod_and_container():
    found = controls(spec({**SAFE, "runAsUser": 0}, securityContext={"runAsUser": 0}), "restricted")
    assert found == ["runs as root", "runs as root"]


def test_restricted_volumes():
    assert controls(spec(SAFE, volumes=[{"name": "n", "nfs": {}}]), "restricted")
    fine = [{"name": str(n), kind: {}} for n, kind in enumerate(("configMap", "secret", "csi"))]
    assert not controls(spec(SAFE, volumes=fine), "restricted")


def test_only_one_capability_may_be_added():
    bind = {**SAFE, "capabilities": {"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]}}
    more = {**SAFE, "capabilities": {"drop": ["ALL"], "add": ["CHOWN"]}}
    assert controls(spec(bind), "restricted") == []
    assert controls(spec(more), "restricted") == ["adds capabilities"]


def test_init_containers_count():
    pod = {**spec(SAFE), "initContainers": [{"name": "init"}]}
    assert {item.container for item in violations({}, pod, "restricted")} == {"init"}


def test_windows_pods_are_asked_less():
    assert controls({**spec({"runAsNonRoot": True}), "os": {"name": "windows"}}, "restricted") == []


def workload(kind, pod_spec):
    template = {"spec": pod_spec}
    inner = {"jobTemplate": {"spec": {"template": template}}} if kind == "CronJob" else None
    return {
        "apiVersion": "v1",
        "kind": kind,
        "metadata": {"name": "w", "namespace": "n"},
        "spec": inner or {"template": template},
    }


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet", "Job", "CronJob"])
def test_every_kind_of_workload_is_judged(kind):
    problems = list(pod_security_problems([workload(kind, spec({"privileged": True}))], "baseline"))
    assert [problem.rule for problem in problems] == ["pod-security/baseline"]
    assert problems[0].message == f"{kind} n/w: runs privileged (main)"


def test_containers_with_the_same_fault_share_a_problem():
    pod = {"containers": [{"name": "b"}, {"name": "a"}]}
    problems = list(pod_security_problems([workload("Deployment", pod)], "restricted"))
    assert len(problems) == 4
    assert all(problem.message.endswith("(a, b)") for problem in problems)


def test_task_pods_are_judged_inside_their_config_map():
    pod = {"apiVersion": "v1", "kind": "Pod", "spec": spec({"privileged": True})}
    config = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "airflow-config"},
        "data": {"pod_template_file.yaml": dump(pod), "airflow.cfg": "x"},
    }
    [problem] = pod_security_problems([config], "baseline")
    assert problem.message.startswith("task pods (ConfigMap airflow-config")


def test_each_level_has_its_rule():
    owner = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p"},
        "spec": spec({**SAFE, "privileged": True, "runAsNonRoot": False}),
    }
    found = {problem.rule for problem in pod_security_problems([owner], "restricted")}
    assert found == {"pod-security/baseline", "pod-security/restricted"}
