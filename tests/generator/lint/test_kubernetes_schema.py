import json

import pytest

from generator.lint.objects.kubernetes_schema import is_builtin, nearest, supported
from generator.lint.objects.kubernetes_schema import problems as kubernetes_problems
from generator.yaml.writer import dump


def deployment(**container):
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "a", "namespace": "n"},
        "spec": {
            "selector": {"matchLabels": {"a": "b"}},
            "template": {
                "metadata": {"labels": {"a": "b"}},
                "spec": {"containers": [{"name": "c", "image": "i", **container}]},
            },
        },
    }


def problems(manifest, version="1.34.2"):
    return list(kubernetes_problems([manifest], version))


def messages(manifest, version="1.34.2"):
    return [problem.message for problem in problems(manifest, version)]


def test_a_valid_object_passes():
    assert problems(deployment()) == []


def test_unknown_fields_are_refused_with_a_suggestion():
    [problem] = problems(deployment(imagePullPolic="Always"))
    assert problem.rule == "kubernetes/schema"
    assert problem.message == (
        "Deployment n/a: unknown key spec.template.spec.containers[0].imagePullPolic"
    )
    assert problem.hint == "did you mean imagePullPolicy?"


def test_wrong_types_are_refused():
    assert messages(deployment(image=3)) == [
        "Deployment n/a: spec.template.spec.containers[0].image must be text, not a number"
    ]


def test_numbers_and_text_are_both_quantities_and_ports():
    resources = {"limits": {"cpu": 1, "memory": "1Gi"}}
    probe = {"httpGet": {"port": "http", "path": "/"}}
    assert messages(deployment(resources=resources, livenessProbe=probe)) == []


def test_values_are_never_quoted():
    found = problems(deployment(env=[{"name": "A", "value": 4711}], args="s3cr3t"))
    assert found
    text = json.dumps([problem.as_json() for problem in found])
    assert "4711" not in text
    assert "s3cr3t" not in text


def test_a_removed_api_names_its_successor():
    ingress = {
        "apiVersion": "networking.k8s.io/v1beta1",
        "kind": "Ingress",
        "metadata": {"name": "x"},
    }
    [problem] = problems(ingress)
    assert problem.rule == "kubernetes/unknown-kind"
    assert problem.hint == "use networking.k8s.io/v1"


def test_an_api_that_will_go_is_a_warning():
    scaler = {
        "apiVersion": "autoscaling/v2beta2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "x"},
        "spec": {"maxReplicas": 2, "scaleTargetRef": {"kind": "Deployment", "name": "a"}},
    }
    [problem] = problems(scaler, "1.25.3")
    assert (problem.rule, problem.severity) == ("kubernetes/deprecated-api", "warning")
    assert "1.26" in problem.message
    assert problem.hint == "use autoscaling/v2"
    assert [p.rule for p in problems(scaler, "1.26")] == ["kubernetes/unknown-kind"]


def test_a_version_without_schemas_uses_the_nearest_and_says_so():
    [problem] = problems(deployment(), "1.99.1")
    assert (problem.rule, problem.severity) == ("kubernetes/version-approximate", "info")
    assert nearest((1, 99)) == supported()[-1]
    assert nearest((1, 9)) == supported()[0]
    assert nearest((1, 31)) == (1, 31)


def test_a_version_that_is_none_is_refused():
    with pytest.raises(ValueError, match=r"1\.34\.2"):
        problems(deployment(), "stable")


def test_the_pod_template_of_task_pods_is_checked_too():
    pod = {"metadata": {"name": "x"}, "spec": {"containers": [{"name": "base", "imag": "i"}]}}
    config = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "airflow-config"},
        "data": {"pod_template_file.yaml": dump(pod)},
    }
    assert messages(config) == [
        "pod template in ConfigMap airflow-config: unknown key spec.containers[0].imag"
    ]


def test_custom_resources_are_somebody_elses():
    custom = {"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject", "metadata": {"name": "x"}}
    assert not is_builtin(custom)
    assert problems(custom) == []
    assert is_builtin({"apiVersion": "extensions/v1beta1"})
    assert is_builtin({"apiVersion": "networking.k8s.io/v1"})
    assert not is_builtin({"apiVersion": "gateway.networking.k8s.io/v1"})


def test_the_file_of_an_object_is_named():
    [problem] = kubernetes_problems([deployment(x=1)], "1.34", where=lambda _: "a/b.yaml")
    assert problem.path == "a/b.yaml"
