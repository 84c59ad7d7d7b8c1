import pytest

from generator.core.rule import registered
from generator.lint.objects.consistency import Context, problems
from generator.lint.objects.context import RenderedInput
from generator.lint.objects.references import declared_secrets

LABELS = {"app": "a"}


def meta(name, **more):
    return {"name": name, "namespace": "airflow", **more}


def workload(kind="Deployment", name="web", spec=None, labels=LABELS, replicas=2, **container):
    main = {
        "name": "main",
        "image": "i",
        "resources": {"requests": {"cpu": "1"}},
        "ports": [{"name": "http", "containerPort": 8080}],
        **container,
    }
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": meta(name),
        "spec": {
            "replicas": replicas,
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [main], **(spec or {})},
            },
        },
    }


def thing(kind, name="x", **more):
    return {"apiVersion": "v1", "kind": kind, "metadata": meta(name), **more}


def service(selector=LABELS, port="http", labels=None, name="web"):
    made = thing(
        "Service",
        name,
        spec={"selector": selector, "ports": [{"name": "web", "port": 80, "targetPort": port}]},
    )
    made["metadata"]["labels"] = labels or {"svc": "web"}
    return made


def rules(*manifests, tier="", **more):
    context = Context(tier=tier, **more)
    return sorted(problem.rule for problem in problems(manifests, context))


def secret_env(name="db", key="connection", optional=None):
    reference = {"name": name, "key": key}
    if optional is not None:
        reference["optional"] = optional
    return [{"name": "A", "valueFrom": {"secretKeyRef": reference}}]


SEALED = thing("SealedSecret", "db", spec={"encryptedData": {"connection": "AgA"}})
MONITOR_OK = {"selector": {"matchLabels": {"svc": "web"}}, "endpoints": [{"port": "web"}]}


# Rule → (objects that break it, objects that don't).
def scaling(name):
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": name}
    return {"maxReplicas": 3, "scaleTargetRef": target}


CASES = {
    "rendered/duplicate": (
        [thing("ConfigMap"), thing("ConfigMap")],
        [thing("ConfigMap"), thing("Secret")],
    ),
    "rendered/namespace": (
        [{**thing("ConfigMap"), "metadata": {"name": "x", "namespace": "other"}}],
        [{**thing("ConfigMap"), "metadata": {"name": "x"}}],
    ),
    "rendered/helm-hook": (
        [{**thing("Job"), "metadata": meta("x", annotations={"helm.sh/hook": "post-install"})}],
        [{**thing("Job"), "metadata": meta("x", annotations={"helm.sh/hook": "test"})}],
    ),
    "rendered/plain-secret": (
        [thing("Secret", data={"a": "Yg=="})],
        [SEALED, thing("Secret")],
    ),
    "rendered/no-resources": (
        [workload(resources={})],
        [workload()],
    ),
    "rendered/account-missing": (
        [workload(spec={"serviceAccountName": "web"})],
        [workload(spec={"serviceAccountName": "web"}), thing("ServiceAccount", "web")],
    ),
    "rendered/secret-missing": (
        [workload(env=secret_env())],
        [workload(env=secret_env()), SEALED],
    ),
    "rendered/secret-key-missing": (
        [workload(env=secret_env(key="url")), SEALED],
        [workload(env=secret_env(key="url", optional=True)), SEALED],
    ),
    "rendered/config-map-missing": (
        [workload(envFrom=[{"configMapRef": {"name": "settings"}}])],
        [
            workload(envFrom=[{"configMapRef": {"name": "settings"}}]),
            thing("ConfigMap", "settings"),
        ],
    ),
    "rendered/service-without-pods": (
        [service({"app": "b"}), workload()],
        [service(), workload()],
    ),
    "rendered/service-port": (
        [service(port="grpc"), workload()],
        [service(port=8080), workload()],
    ),
    "rendered/monitor-selects-nothing": (
        [
            thing("ServiceMonitor", spec={**MONITOR_OK, "endpoints": [{"port": "metrics"}]}),
            service(),
            workload(),
        ],
        [thing("ServiceMonitor", spec=MONITOR_OK), service(), workload()],
    ),
    "rendered/policy-selects-nothing": (
        [thing("NetworkPolicy", spec={"podSelector": {"matchLabels": {"app": "b"}}}), workload()],
        [thing("NetworkPolicy", spec={"podSelector": {}}), workload()],
    ),
    "rendered/budget-blocks-drains": (
        [
            thing(
                "PodDisruptionBudget", spec={"selector": {"matchLabels": LABELS}, "minAvailable": 2}
            ),
            workload(),
        ],
        [
            thing(
                "PodDisruptionBudget", spec={"selector": {"matchLabels": LABELS}, "minAvailable": 1}
            ),
            workload(),
        ],
    ),
    "rendered/two-budgets": (
        [
            thing(
                "PodDisruptionBudget",
                n,
                spec={"selector": {"matchLabels": LABELS}, "maxUnavailable": 1},
            )
            for n in ("a", "b")
        ]
        + [workload()],
        [
            thing(
                "PodDisruptionBudget",
                "a",
                spec={"selector": {"matchLabels": LABELS}, "maxUnavailable": 1},
            ),
            workload(),
        ],
    ),
    "rendered/target-missing": (
        [
            thing(
                "HorizontalPodAutoscaler",
                spec=scaling("w"),
            )
        ],
        [
            thing(
                "HorizontalPodAutoscaler",
                spec=scaling("web"),
            ),
            workload(),
        ],
    ),
}


@pytest.mark.parametrize(
    "selector",
    [
        {"matchLabels": {"kubernetes_pod_operator": "True"}},
        {"matchLabels": {"tier": "airflow", "dag_id": "x"}},
        {"matchExpressions": [{"key": "task_id", "operator": "Exists"}]},
    ],
)
def test_a_policy_for_pods_that_tasks_start_selects_what_no_manifest_has(selector):
    policy = thing("NetworkPolicy", spec={"podSelector": selector})
    assert "rendered/policy-selects-nothing" not in rules(policy, workload())


def test_a_policy_that_excludes_such_pods_is_held_to_the_others():
    selector = {"matchExpressions": [{"key": "dag_id", "operator": "DoesNotExist"}]}
    selector["matchLabels"] = {"app": "b"}
    policy = thing("NetworkPolicy", spec={"podSelector": selector})
    assert "rendered/policy-selects-nothing" in rules(policy, workload())


def test_every_rule_has_a_case():
    elsewhere = {"rendered/config-map-elsewhere"}
    assert set(CASES) | elsewhere == {rule.id for rule in registered() if rule.area == "rendered"}


def test_a_config_map_that_may_be_made_elsewhere_is_named_once():
    users = [{"envFrom": [{"configMapRef": {"name": "settings"}}]}] * 2
    both = [workload(name=f"web-{n}", **user) for n, user in enumerate(users)]
    [problem] = [
        item
        for item in problems(both, Context(complete=False))
        if item.rule.startswith("rendered/config-map")
    ]
    assert (problem.rule, problem.severity) == ("rendered/config-map-elsewhere", "info")
    assert problem.message.startswith("must exist: ConfigMap settings")


@pytest.mark.parametrize("rule", CASES)
def test_what_breaks_the_rule_is_found(rule):
    assert rules(*CASES[rule][0]) == [rule]


@pytest.mark.parametrize("rule", CASES)
def test_what_does_not_is_let_pass(rule):
    assert rules(*CASES[rule][1]) == []


def test_helm_hooks_are_fine_for_helm_and_flux():
    hook = CASES["rendered/helm-hook"][0]
    assert rules(*hook, engine="helm") == []
    assert rules(*hook, engine="flux") == []


def test_an_argo_hook_beside_the_helm_hook_decides():
    annotations = {"helm.sh/hook": "post-install", "argocd.argoproj.io/hook": "Sync"}
    assert rules({**thing("Job"), "metadata": meta("x", annotations=annotations)}) == []


def test_severity_follows_the_tier():
    plain = [thing("Secret", data={"a": "Yg=="})]

    def severity(tier):
        return [problem.severity for problem in problems(plain, Context(tier=tier))]

    assert (severity("production"), severity("development")) == (["error"], ["warning"])
    assert rules(workload(resources={}), tier="development") == []


def test_secrets_that_exist_outside_are_known_by_name_and_key():
    pod = workload(env=secret_env())
    assert rules(pod, secrets={"db": None}) == []
    assert rules(pod, secrets={"db": frozenset({"connection"})}) == []
    assert rules(pod, secrets={"db": frozenset({"url"})}) == ["rendered/secret-key-missing"]


def test_config_maps_that_others_make_are_known_by_name():
    user = workload(envFrom=[{"configMapRef": {"name": "settings"}}])
    assert "rendered/config-map-missing" not in rules(user, config_maps=frozenset({"settings"}))


def test_where_the_cluster_may_hold_more_secrets_none_is_called_missing():
    assert rules(workload(env=secret_env()), complete=False) == []


@pytest.mark.parametrize(
    "spec",
    [
        {"volumes": [{"name": "v", "secret": {"secretName": "gone"}}]},
        {"imagePullSecrets": [{"name": "gone"}]},
        {"volumes": [{"name": "v", "projected": {"sources": [{"secret": {"name": "gone"}}]}}]},
        {
            "initContainers": [
                {
                    "name": "i",
                    "image": "i",
                    "envFrom": [{"secretRef": {"name": "gone"}}],
                    "resources": {"requests": {"cpu": "1"}},
                }
            ]
        },
    ],
)
def test_every_way_to_use_a_secret_is_followed(spec):
    assert rules(workload(spec=spec)) == ["rendered/secret-missing"]


def test_a_mounted_file_is_a_key():
    volume = {"volumes": [{"name": "v", "secret": {"secretName": "ssh"}}]}
    pod = workload(
        spec=volume, volumeMounts=[{"name": "v", "mountPath": "/k", "subPath": "gitSshKey"}]
    )
    assert rules(pod, secrets={"ssh": frozenset({"gitSshKey"})}) == []
    assert rules(pod, secrets={"ssh": frozenset({"key"})}) == ["rendered/secret-key-missing"]


def test_a_pull_secret_needs_the_docker_configuration():
    pod = workload(spec={"imagePullSecrets": [{"name": "r"}]})
    assert rules(pod, secrets={"r": frozenset({"password"})}) == ["rendered/secret-key-missing"]
    assert rules(pod, secrets={"r": frozenset({".dockerconfigjson"})}) == []


def ingress(**metadata):
    backend = {"service": {"name": "web", "port": {"name": "web"}}}
    return {
        **thing("Ingress"),
        "metadata": meta("x", **metadata),
        "spec": {
            "tls": [{"secretName": "tls"}],
            "rules": [
                {"http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}}
            ],
        },
    }


def test_an_ingress_needs_its_certificate_unless_an_issuer_makes_it():
    base = [service(), workload()]
    assert set(rules(ingress(), *base)) == {"rendered/secret-missing"}
    issued = ingress(annotations={"cert-manager.io/cluster-issuer": "le"})
    assert rules(issued, *base) == []
    assert rules(ingress(), *base, thing("Certificate", spec={"secretName": "tls"})) == []


def test_an_ingress_needs_a_service_with_that_port():
    secrets = {"tls": None}
    assert rules(ingress(), service(name="other"), workload(), secrets=secrets) == [
        "rendered/target-missing"
    ]
    assert rules(ingress(), service(), workload(), secrets=secrets) == []


@pytest.mark.parametrize(
    "way",
    [
        thing("HTTPRoute", spec={"rules": [{"backendRefs": [{"name": "web", "port": 80}]}]}),
        thing("Route", spec={"to": {"name": "web"}, "port": {"targetPort": "http"}}),
    ],
    ids=lambda way: way["kind"],
)
def test_a_route_needs_a_service_with_that_port(way):
    named = thing(
        "Service", "web", spec={"selector": LABELS, "ports": [{"name": "http", "port": 80}]}
    )
    other = thing("Service", "web", spec={"selector": LABELS, "ports": [{"name": "x", "port": 81}]})
    assert "rendered/target-missing" not in rules(way, named, workload())
    for services in ([], [other]):
        assert "rendered/target-missing" in rules(way, *services, workload())


def test_secrets_are_known_by_what_makes_them():
    external = thing(
        "ExternalSecret",
        "e",
        spec={"target": {"name": "made"}, "data": [{"secretKey": "a"}]},
    )
    whole = thing("ExternalSecret", "w", spec={"dataFrom": [{"extract": {"key": "k"}}]})
    sealed = thing(
        "SealedSecret",
        "s",
        spec={"encryptedData": {"k": "v"}, "template": {"metadata": {"name": "other"}}},
    )
    made = declared_secrets(RenderedInput((external, whole, sealed), Context()))
    assert made == {"made": frozenset({"a"}), "w": None, "other": frozenset({"k"})}


def test_a_binding_to_an_account_that_is_not_there():
    subject = {"kind": "ServiceAccount", "name": "gone", "namespace": "airflow"}
    binding = thing("RoleBinding", subjects=[subject])
    assert rules(binding) == ["rendered/account-missing"]
    assert rules(thing("RoleBinding", subjects=[{**subject, "namespace": "monitoring"}])) == []
    assert rules(binding, thing("ServiceAccount", "gone")) == []


def test_pod_monitors_look_at_the_pods_themselves():
    spec = {"selector": {"matchLabels": LABELS}, "podMetricsEndpoints": [{"port": "http"}]}
    assert rules(thing("PodMonitor", spec=spec), workload()) == []
    wrong = {**spec, "podMetricsEndpoints": [{"port": "x"}]}
    assert rules(thing("PodMonitor", spec=wrong), workload()) == [
        "rendered/monitor-selects-nothing"
    ]


def test_a_monitor_of_another_namespace_is_none_of_ours():
    spec = {"selector": {"matchLabels": {"a": "b"}}, "namespaceSelector": {"matchNames": ["db"]}}
    assert rules(thing("ServiceMonitor", spec=spec)) == []


def test_an_autoscaled_workload_is_not_held_to_its_replicas():
    budget = thing(
        "PodDisruptionBudget", spec={"selector": {"matchLabels": LABELS}, "minAvailable": 2}
    )
    scaled = workload()
    del scaled["spec"]["replicas"]
    assert rules(budget, scaled) == []


def test_a_budget_without_selector_is_about_no_pod_and_one_with_an_empty_one_about_all():
    everything = thing("PodDisruptionBudget", spec={"selector": {}, "maxUnavailable": 0})
    nothing = thing("PodDisruptionBudget", spec={"maxUnavailable": 0})
    assert rules(everything, workload()) == ["rendered/budget-blocks-drains"]
    assert rules(nothing, workload()) == []


def test_the_same_name_in_another_namespace_is_no_duplicate():
    other = {**thing("ConfigMap"), "metadata": {"name": "x", "namespace": "b"}}
    assert rules(thing("ConfigMap"), other, other_namespaces=("b",)) == []
