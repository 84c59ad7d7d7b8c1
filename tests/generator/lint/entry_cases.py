"""Objects that the API server refuses or takes, for one changed field each.

`tests/generator/lint/test_entry_fields.py` holds the rule to them, `tests/cluster/test_apply.py` a
real API server.
"""

import copy

_PORT = {"name": "http", "port": 80}
_BACKEND = {"service": {"name": "web", "port": {"number": 80}}}
_PATH = {"path": "/", "pathType": "Prefix", "backend": _BACKEND}
_CLAIM = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
_LABELS = {"a": "b"}
_POD = {"containers": [{"name": "web", "image": "web:1"}]}
_TARGET = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}

GOOD = {
    "Service": ("v1", {"ports": [_PORT], "selector": {"app": "web"}}),
    "Ingress": (
        "networking.k8s.io/v1",
        {"rules": [{"host": "a.example.com", "http": {"paths": [_PATH]}}]},
    ),
    "NetworkPolicy": ("networking.k8s.io/v1", {"podSelector": {}, "policyTypes": ["Ingress"]}),
    "HorizontalPodAutoscaler": (
        "autoscaling/v2",
        {"scaleTargetRef": _TARGET, "minReplicas": 1, "maxReplicas": 2},
    ),
    "PodDisruptionBudget": (
        "policy/v1",
        {"selector": {"matchLabels": {"a": "b"}}, "maxUnavailable": 1},
    ),
    "PersistentVolumeClaim": ("v1", _CLAIM),
    "Deployment": (
        "apps/v1",
        {
            "selector": {"matchLabels": _LABELS},
            "template": {"metadata": {"labels": _LABELS}, "spec": _POD},
        },
    ),
}


def made(kind, **fields):
    """A good object of that kind with these fields of `spec` put over it; None takes one out."""
    version, spec = GOOD[kind]
    spec = {**copy.deepcopy(spec), **fields}
    spec = {name: value for name, value in spec.items() if value is not None}
    return {"apiVersion": version, "kind": kind, "metadata": {"name": "web"}, "spec": spec}


def _balancer(**fields):
    return made("Service", type="LoadBalancer", **fields)


def _routed(**fields):
    path = {name: value for name, value in {**_PATH, **fields}.items() if value is not None}
    return made("Ingress", rules=[{"http": {"paths": [path]}}])


def _host(name):
    return made("Ingress", rules=[{"host": name, "http": {"paths": [_PATH]}}])


def _peer(**peer):
    return made("NetworkPolicy", ingress=[{"from": [peer]}])


def _block(cidr, *without):
    return _peer(ipBlock={"cidr": cidr, **({"except": [*without]} if without else {})})


def _port(**port):
    return made("NetworkPolicy", ingress=[{"ports": [port]}])


def _template(**spec):
    template = {"metadata": {"labels": _LABELS}, "spec": {**_POD, **spec}}
    return made("Deployment", template=template)


def _on_nodes(**expression):
    terms = [{"matchExpressions": [expression]}]
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}
    return _template(affinity={"nodeAffinity": required})


def _apart(**selector):
    term = {"topologyKey": "zone", "labelSelector": selector}
    required = {"requiredDuringSchedulingIgnoredDuringExecution": [term]}
    return _template(affinity={"podAntiAffinity": required})


def _expression(**row):
    return made("NetworkPolicy", podSelector={"matchExpressions": [row]})


REFUSED = [
    _template(nodeSelector={"disk": "not a value!"}),
    _template(nodeSelector={"&a": "ssd"}),
    _template(nodeSelector={"disk": "two\nlines"}),
    made("Service", selector={"app": "no value!"}),
    made("NetworkPolicy", podSelector={"matchLabels": {"app": "a b"}}),
    made("NetworkPolicy", ingress=[{"from": [{"podSelector": {"matchLabels": {"a b": "c"}}}]}]),
    made("PodDisruptionBudget", selector={"matchLabels": {"app": "x" * 64}}),
    _apart(matchLabels={"app": "a b"}),
    _expression(key="a", operator="In"),
    _expression(key="a", operator="Exists", values=["b"]),
    _expression(key="a", operator="Gt", values=["1"]),
    _expression(key="a b", operator="Exists"),
    _expression(key="a", operator="In", values=["b c"]),
    _on_nodes(key="a", operator="In"),
    _on_nodes(key="a", operator="Gt", values=["1", "2"]),
    _on_nodes(key="a", operator="Near", values=["1"]),
    _on_nodes(key="a b", operator="Exists"),
    made("Service", type="Loadbalancer"),
    made("Service", ports=[]),
    made("Service", type="NodePort", clusterIP="None"),
    made("Service", type="LoadBalancer", clusterIP="None"),
    made("Service", type="ExternalName"),
    made("Service", type="ExternalName", externalName="not a name"),
    made("Service", loadBalancerSourceRanges=["10.0.0.0/8"]),
    made("Service", loadBalancerClass="example.com/nlb"),
    made("Service", allocateLoadBalancerNodePorts=False),
    _balancer(loadBalancerSourceRanges=["value"]),
    _balancer(loadBalancerSourceRanges=["10.0.0.1"]),
    _balancer(externalTrafficPolicy="local"),
    made("Service", externalIPs=["a.example.com"]),
    made("Service", externalIPs=["127.0.0.1"]),
    made("Service", externalIPs=["0.0.0.0"]),
    made("Service", externalIPs=["169.254.1.1"]),
    made("Service", externalTrafficPolicy="Local"),
    made("Service", internalTrafficPolicy="Nearest"),
    made("Service", ports=[{**_PORT, "nodePort": 30080}]),
    made("Service", sessionAffinity="Client"),
    made(
        "Service",
        sessionAffinity="ClientIP",
        sessionAffinityConfig={"clientIP": {"timeoutSeconds": 86_401}},
    ),
    made(
        "Service",
        sessionAffinity="ClientIP",
        sessionAffinityConfig={"clientIP": {"timeoutSeconds": 0}},
    ),
    made("Ingress", rules=None),
    _host("A.example.com"),
    _host("*.*.example.com"),
    _host("10.0.0.1"),
    _host("a.example.com/path"),
    made("Ingress", tls=[{"hosts": ["not a host"]}]),
    _routed(pathType="prefix"),
    _routed(path="airflow"),
    _routed(path=None),
    _routed(path="airflow", pathType="ImplementationSpecific"),
    _routed(path="/a//b"),
    _routed(path="/a/../b"),
    _routed(path="/a/."),
    _routed(path="/a%2fb"),
    _routed(backend={}),
    _routed(backend={**_BACKEND, "resource": {"kind": "Bucket", "name": "a"}}),
    _routed(backend={"service": {"name": "web"}}),
    _routed(backend={"service": {"name": "web", "port": {"name": "http", "number": 80}}}),
    made("NetworkPolicy", policyTypes=["ingress"]),
    _peer(),
    _peer(ipBlock={"cidr": "10.0.0.0/8"}, podSelector={}),
    _block("10.0.0.1"),
    _block("10.0.0.0/33"),
    _block("10.0.0.0/8", "11.0.0.0/16"),
    _block("10.0.0.0/8", "10.0.0.0/8"),
    _block("10.0.0.0/8", "fd00::/64"),
    _block("10.0.0.0/8", "ten"),
    _port(port=0),
    _port(port=70_000),
    _port(port=80, protocol="HTTP"),
    _port(port="http", endPort=90),
    _port(endPort=90),
    _port(port=80, endPort=79),
    _port(port=80, endPort=65_536),
    made("HorizontalPodAutoscaler", minReplicas=0),
    made("HorizontalPodAutoscaler", minReplicas=3),
    made("HorizontalPodAutoscaler", minReplicas=None, maxReplicas=0),
    made("PodDisruptionBudget", minAvailable=1),
    made("PodDisruptionBudget", maxUnavailable="101%"),
    made("PodDisruptionBudget", maxUnavailable=None, minAvailable="200%"),
    made("PersistentVolumeClaim", accessModes=[]),
    made("PersistentVolumeClaim", accessModes=["ReadWrite"]),
    made("PersistentVolumeClaim", accessModes=["ReadWriteOncePod", "ReadWriteOnce"]),
    made("PersistentVolumeClaim", resources={}),
    made("PersistentVolumeClaim", resources={"requests": {"storage": "0"}}),
    made("PersistentVolumeClaim", resources={"requests": {"storage": "0Gi"}}),
    made("PersistentVolumeClaim", resources=None),
]

TAKEN = [
    _template(nodeSelector={"example.com/disk": "", "kubernetes.io/arch": "arm64"}),
    _apart(matchLabels={"app": "a"}, matchExpressions=[{"key": "b", "operator": "DoesNotExist"}]),
    _expression(key="a", operator="NotIn", values=["b", ""]),
    _on_nodes(key="a", operator="Gt", values=["1"]),
    _on_nodes(key="a", operator="DoesNotExist"),
    *(made(kind) for kind in GOOD),
    made("Service", clusterIP="None", ports=[]),
    made("Service", type="ExternalName", externalName="db.example.com", ports=None),
    made("Service", type="ExternalName", externalName="db.example.com."),
    _balancer(),
    _balancer(
        loadBalancerSourceRanges=["10.0.0.0/8", " 11.0.0.0/8 "],
        loadBalancerClass="example.com/nlb",
        allocateLoadBalancerNodePorts=False,
        externalTrafficPolicy="Local",
    ),
    made("Service", type="NodePort", externalTrafficPolicy="Local"),
    made("Service", loadBalancerSourceRanges=[]),
    made("Service", externalIPs=["10.1.2.3"], externalTrafficPolicy="Local"),
    made("Service", internalTrafficPolicy="Local"),
    made("Service", ports=[{**_PORT, "nodePort": 0}]),
    made(
        "Service",
        sessionAffinity="ClientIP",
        sessionAffinityConfig={"clientIP": {"timeoutSeconds": 86_400}},
    ),
    made("Service", sessionAffinityConfig={"clientIP": {"timeoutSeconds": 60}}),
    made("Service", sessionAffinity="ClientIP"),
    made("Ingress", rules=None, defaultBackend=_BACKEND),
    _host("*.example.com"),
    made("Ingress", tls=[{"hosts": ["a.example.com", "*.example.com"], "secretName": "tls"}]),
    _routed(path="/a/.b"),
    _routed(path="/a..b", pathType="Exact"),
    _routed(path=None, pathType="ImplementationSpecific"),
    _routed(path="/a//*", pathType="ImplementationSpecific"),
    _routed(backend={"service": {"name": "web", "port": {"name": "http"}}}),
    _routed(
        backend={"resource": {"apiGroup": "storage.example.com", "kind": "Bucket", "name": "a"}}
    ),
    _peer(podSelector={}, namespaceSelector={}),
    _block("10.0.0.0/8", "10.1.0.0/16"),
    _block("0.0.0.0/0", "10.0.0.0/8", "169.254.169.254/32"),
    _block("fd00::/8", "fd00:1::/64"),
    _port(port="http"),
    _port(protocol="UDP"),
    _port(port=80, endPort=80),
    _port(port=8_000, endPort=65_535),
    made("HorizontalPodAutoscaler", minReplicas=None),
    made("PodDisruptionBudget", maxUnavailable="100%"),
    made("PodDisruptionBudget", maxUnavailable=None, minAvailable="50%"),
    made("PersistentVolumeClaim", accessModes=["ReadWriteOnce", "ReadOnlyMany"]),
]
