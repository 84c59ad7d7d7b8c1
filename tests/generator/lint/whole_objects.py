"""Objects of each kind with nearly every field, for tests that change one at a time."""

LABELS = {"a": "b"}
EXPR = {"key": "x", "operator": "In", "values": ["y"]}
SEL = {"matchLabels": {"a": "b"}, "matchExpressions": [EXPR]}
HTTP = {
    "path": "/health",
    "port": 8080,
    "scheme": "HTTP",
    "host": "a.example.com",
    "httpHeaders": [{"name": "X-A", "value": "b"}],
}
PROBE = {
    "initialDelaySeconds": 1,
    "periodSeconds": 5,
    "timeoutSeconds": 2,
    "failureThreshold": 3,
    "successThreshold": 1,
}
SELINUX = {"level": "s0:c1,c2", "role": "r", "type": "t", "user": "u"}
CSC = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"], "add": ["CHOWN"]},
    "privileged": False,
    "procMount": "Default",
    "readOnlyRootFilesystem": True,
    "runAsGroup": 1,
    "runAsUser": 1,
    "runAsNonRoot": True,
    "seLinuxOptions": SELINUX,
    "seccompProfile": {"type": "RuntimeDefault"},
    "appArmorProfile": {"type": "RuntimeDefault"},
}
KEYREF = {"name": "s", "key": "k", "optional": True}
ITEMS = [{"key": "k", "path": "p/q", "mode": 256}]
VOLS = [
    {"name": "v-empty", "emptyDir": {"medium": "Memory", "sizeLimit": "1Gi"}},
    {
        "name": "v-cm",
        "configMap": {"name": "c", "items": ITEMS, "defaultMode": 420, "optional": True},
    },
    {
        "name": "v-secret",
        "secret": {"secretName": "s", "items": ITEMS, "defaultMode": 420, "optional": False},
    },
    {"name": "v-pvc", "persistentVolumeClaim": {"claimName": "data", "readOnly": False}},
    {"name": "v-host", "hostPath": {"path": "/data", "type": "Directory"}},
    {"name": "v-nfs", "nfs": {"server": "nfs", "path": "/x", "readOnly": True}},
    {
        "name": "v-csi",
        "csi": {
            "driver": "efs.csi.example.com",
            "fsType": "ext4",
            "nodePublishSecretRef": {"name": "s"},
            "volumeAttributes": {"a": "b"},
        },
    },
    {
        "name": "v-down",
        "downwardAPI": {
            "items": [
                {"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}, "mode": 256},
                {
                    "path": "cpu",
                    "resourceFieldRef": {
                        "containerName": "web",
                        "resource": "limits.cpu",
                        "divisor": "1m",
                    },
                },
            ]
        },
    },
    {
        "name": "v-proj",
        "projected": {
            "defaultMode": 420,
            "sources": [
                {
                    "serviceAccountToken": {
                        "path": "token",
                        "audience": "x",
                        "expirationSeconds": 3600,
                    }
                },
                {"configMap": {"name": "c", "items": [{"key": "k", "path": "cm"}]}},
                {"secret": {"name": "s", "items": [{"key": "k", "path": "se"}]}},
                {
                    "downwardAPI": {
                        "items": [{"path": "da", "fieldRef": {"fieldPath": "metadata.name"}}]
                    }
                },
            ],
        },
    },
    {
        "name": "v-eph",
        "ephemeral": {
            "volumeClaimTemplate": {
                "metadata": {"labels": LABELS},
                "spec": {
                    "accessModes": ["ReadWriteOnce"],
                    "storageClassName": "x",
                    "resources": {"requests": {"storage": "1Gi"}},
                },
            }
        },
    },
    {"name": "v-azf", "azureFile": {"secretName": "s", "shareName": "x"}},
    {"name": "v-gce", "gcePersistentDisk": {"pdName": "x", "partition": 1}},
    {"name": "v-ebs", "awsElasticBlockStore": {"volumeID": "x", "partition": 1}},
]
POD = {
    "automountServiceAccountToken": True,
    "enableServiceLinks": True,
    "dnsPolicy": "None",
    "dnsConfig": {
        "nameservers": ["10.0.0.1"],
        "searches": ["a.example.com"],
        "options": [{"name": "ndots", "value": "2"}],
    },
    "hostAliases": [{"ip": "10.0.0.9", "hostnames": ["db.example.com"]}],
    "hostNetwork": False,
    "hostname": "web",
    "subdomain": "sub",
    "imagePullSecrets": [{"name": "pull"}],
    "nodeSelector": {"disk": "ssd"},
    "nodeName": "n",
    "priorityClassName": "p",
    "preemptionPolicy": "Never",
    "readinessGates": [{"conditionType": "example.com/x"}],
    "restartPolicy": "Always",
    "runtimeClassName": "gvisor",
    "schedulerName": "s",
    "securityContext": {
        "fsGroup": 1,
        "fsGroupChangePolicy": "Always",
        "runAsGroup": 1,
        "runAsUser": 1,
        "runAsNonRoot": True,
        "supplementalGroups": [1],
        "supplementalGroupsPolicy": "Merge",
        "seLinuxOptions": SELINUX,
        "seccompProfile": {"type": "Localhost", "localhostProfile": "p.json"},
        "sysctls": [{"name": "net.core.somaxconn", "value": "1"}],
        "appArmorProfile": {"type": "Localhost", "localhostProfile": "p"},
    },
    "serviceAccountName": "sa",
    "setHostnameAsFQDN": False,
    "shareProcessNamespace": False,
    "terminationGracePeriodSeconds": 30,
    "tolerations": [
        {
            "key": "k",
            "operator": "Equal",
            "value": "v",
            "effect": "NoExecute",
            "tolerationSeconds": 5,
        },
        {"key": "k2", "operator": "Exists"},
    ],
    "topologySpreadConstraints": [
        {
            "maxSkew": 1,
            "topologyKey": "zone",
            "whenUnsatisfiable": "DoNotSchedule",
            "labelSelector": SEL,
            "minDomains": 2,
            "nodeAffinityPolicy": "Honor",
            "nodeTaintsPolicy": "Ignore",
            "matchLabelKeys": ["pod-template-hash"],
        }
    ],
    "affinity": {
        "nodeAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": {
                "nodeSelectorTerms": [
                    {
                        "matchExpressions": [EXPR],
                        "matchFields": [
                            {"key": "metadata.name", "operator": "In", "values": ["n"]}
                        ],
                    }
                ]
            },
            "preferredDuringSchedulingIgnoredDuringExecution": [
                {"weight": 1, "preference": {"matchExpressions": [EXPR]}}
            ],
        },
        "podAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": [
                {
                    "topologyKey": "zone",
                    "labelSelector": SEL,
                    "namespaces": ["n"],
                    "namespaceSelector": SEL,
                    "matchLabelKeys": ["q"],
                    "mismatchLabelKeys": ["r"],
                }
            ],
            "preferredDuringSchedulingIgnoredDuringExecution": [
                {"weight": 1, "podAffinityTerm": {"topologyKey": "zone", "labelSelector": SEL}}
            ],
        },
        "podAntiAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": [
                {"topologyKey": "zone", "labelSelector": SEL}
            ]
        },
    },
    "resourceClaims": [{"name": "gpu", "resourceClaimName": "g"}],
    "schedulingGates": [{"name": "example.com/g"}],
    "hostUsers": True,
    "os": {"name": "linux"},
    "overhead": {"cpu": "1m"},
    "initContainers": [
        {
            "name": "init",
            "image": "i:1",
            "restartPolicy": "Always",
            "startupProbe": {"exec": {"command": ["a"]}},
            "livenessProbe": {"tcpSocket": {"port": "p"}},
        }
    ],
    "containers": [
        {
            "name": "web",
            "image": "w:1",
            "args": ["a"],
            "command": ["b"],
            "workingDir": "/x",
            "stdin": False,
            "tty": False,
            "imagePullPolicy": "Always",
            "terminationMessagePath": "/dev/x",
            "terminationMessagePolicy": "File",
            "ports": [
                {
                    "name": "http",
                    "containerPort": 8080,
                    "protocol": "TCP",
                    "hostIP": "10.0.0.1",
                    "hostPort": 8081,
                }
            ],
            "env": [
                {"name": "A", "value": "b"},
                {"name": "B", "valueFrom": {"secretKeyRef": KEYREF}},
                {"name": "C", "valueFrom": {"configMapKeyRef": KEYREF}},
                {
                    "name": "D",
                    "valueFrom": {"fieldRef": {"fieldPath": "metadata.name", "apiVersion": "v1"}},
                },
                {
                    "name": "E",
                    "valueFrom": {
                        "resourceFieldRef": {
                            "containerName": "web",
                            "resource": "limits.cpu",
                            "divisor": "1m",
                        }
                    },
                },
            ],
            "envFrom": [
                {"prefix": "X_", "configMapRef": {"name": "c", "optional": True}},
                {"secretRef": {"name": "s"}},
            ],
            "resources": {
                "limits": {"cpu": "1", "memory": "1Gi"},
                "requests": {"cpu": "100m", "memory": "1Mi"},
                "claims": [{"name": "gpu", "request": "r"}],
            },
            "livenessProbe": {
                **PROBE,
                "exec": {"command": ["a"]},
                "terminationGracePeriodSeconds": 5,
            },
            "readinessProbe": {**PROBE, "httpGet": HTTP},
            "startupProbe": {**PROBE, "grpc": {"port": 9, "service": "x"}},
            "lifecycle": {"preStop": {"exec": {"command": ["a"]}}, "postStart": {"httpGet": HTTP}},
            "securityContext": CSC,
            "volumeMounts": [
                {
                    "name": "v-empty",
                    "mountPath": "/a",
                    "subPath": "q",
                    "readOnly": True,
                    "mountPropagation": "None",
                },
                {
                    "name": "v-cm",
                    "mountPath": "/b",
                    "subPathExpr": "$(A)",
                    "recursiveReadOnly": "Disabled",
                },
            ],
            "volumeDevices": [{"name": "v-pvc", "devicePath": "/dev/x"}],
            "resizePolicy": [{"resourceName": "cpu", "restartPolicy": "NotRequired"}],
        },
        {
            "name": "aside",
            "image": "w:1",
            "lifecycle": {
                "preStop": {"sleep": {"seconds": 3}},
                "postStart": {"tcpSocket": {"port": 3}},
            },
            "livenessProbe": {"httpGet": {"port": "http"}},
        },
    ],
    "volumes": VOLS,
}
SIMPLE = {"containers": [{"name": "web", "image": "web:1"}]}


def tmpl(spec, **more):
    return {"metadata": {"labels": LABELS, "annotations": {"x": "y"}}, "spec": {**spec, **more}}


CLAIM = {
    "accessModes": ["ReadWriteOnce"],
    "resources": {"requests": {"storage": "1Gi"}, "limits": {"storage": "2Gi"}},
    "storageClassName": "x",
    "volumeMode": "Filesystem",
    "selector": SEL,
    "volumeName": "v",
}
JOB = {
    "activeDeadlineSeconds": 5,
    "backoffLimit": 3,
    "completions": 2,
    "parallelism": 1,
    "completionMode": "Indexed",
    "suspend": False,
    "ttlSecondsAfterFinished": 5,
    "podReplacementPolicy": "Failed",
    "backoffLimitPerIndex": 1,
    "maxFailedIndexes": 2,
    "podFailurePolicy": {
        "rules": [
            {
                "action": "FailJob",
                "onExitCodes": {"containerName": "web", "operator": "In", "values": [1]},
            },
            {
                "action": "Ignore",
                "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}],
            },
        ]
    },
    "successPolicy": {"rules": [{"succeededIndexes": "0", "succeededCount": 1}]},
    "template": tmpl(SIMPLE, restartPolicy="Never"),
}
SPEC = {
    "Deployment": (
        "apps/v1",
        {
            "replicas": 1,
            "minReadySeconds": 1,
            "paused": False,
            "progressDeadlineSeconds": 600,
            "revisionHistoryLimit": 3,
            "selector": SEL | {"matchExpressions": [{"key": "a", "operator": "Exists"}]},
            "strategy": {
                "type": "RollingUpdate",
                "rollingUpdate": {"maxSurge": 1, "maxUnavailable": "25%"},
            },
            "template": tmpl(POD),
        },
    ),
    "StatefulSet": (
        "apps/v1",
        {
            "replicas": 1,
            "minReadySeconds": 1,
            "ordinals": {"start": 1},
            "persistentVolumeClaimRetentionPolicy": {
                "whenDeleted": "Retain",
                "whenScaled": "Delete",
            },
            "podManagementPolicy": "Parallel",
            "revisionHistoryLimit": 3,
            "selector": {"matchLabels": LABELS},
            "serviceName": "web",
            "updateStrategy": {
                "type": "RollingUpdate",
                "rollingUpdate": {"partition": 1, "maxUnavailable": 1},
            },
            "volumeClaimTemplates": [
                {"metadata": {"name": "data", "labels": LABELS}, "spec": CLAIM}
            ],
            "template": tmpl(SIMPLE),
        },
    ),
    "DaemonSet": (
        "apps/v1",
        {
            "minReadySeconds": 1,
            "revisionHistoryLimit": 3,
            "selector": {"matchLabels": LABELS},
            "updateStrategy": {
                "type": "RollingUpdate",
                "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1},
            },
            "template": tmpl(SIMPLE),
        },
    ),
    "Job": ("batch/v1", JOB),
    "CronJob": (
        "batch/v1",
        {
            "schedule": "1 2 * * *",
            "timeZone": "Europe/Berlin",
            "concurrencyPolicy": "Forbid",
            "startingDeadlineSeconds": 60,
            "successfulJobsHistoryLimit": 1,
            "failedJobsHistoryLimit": 1,
            "suspend": False,
            "jobTemplate": {
                "metadata": {"labels": LABELS},
                "spec": {
                    "template": tmpl(SIMPLE, restartPolicy="OnFailure"),
                    "backoffLimit": 1,
                    "activeDeadlineSeconds": 5,
                    "completions": 1,
                },
            },
        },
    ),
    "Service": (
        "v1",
        {
            "type": "LoadBalancer",
            "ports": [
                {
                    "name": "http",
                    "port": 80,
                    "targetPort": "http",
                    "protocol": "TCP",
                    "appProtocol": "http",
                    "nodePort": 30123,
                }
            ],
            "selector": {"app": "web"},
            "externalIPs": ["10.1.2.3"],
            "externalTrafficPolicy": "Local",
            "internalTrafficPolicy": "Cluster",
            "sessionAffinity": "ClientIP",
            "sessionAffinityConfig": {"clientIP": {"timeoutSeconds": 5}},
            "healthCheckNodePort": 30200,
            "loadBalancerSourceRanges": ["10.0.0.0/8"],
            "loadBalancerClass": "a.example.com/b",
            "loadBalancerIP": "10.0.0.1",
            "allocateLoadBalancerNodePorts": True,
            "publishNotReadyAddresses": False,
            "ipFamilies": ["IPv4"],
            "ipFamilyPolicy": "SingleStack",
            "trafficDistribution": "PreferClose",
        },
    ),
    "Ingress": (
        "networking.k8s.io/v1",
        {
            "ingressClassName": "nginx",
            "rules": [
                {
                    "host": "a.example.com",
                    "http": {
                        "paths": [
                            {
                                "path": "/",
                                "pathType": "Prefix",
                                "backend": {"service": {"name": "web", "port": {"number": 80}}},
                            }
                        ]
                    },
                }
            ],
            "tls": [{"hosts": ["a.example.com"], "secretName": "tls"}],
            "defaultBackend": {"service": {"name": "web", "port": {"name": "http"}}},
        },
    ),
    "NetworkPolicy": (
        "networking.k8s.io/v1",
        {
            "podSelector": SEL,
            "policyTypes": ["Ingress", "Egress"],
            "ingress": [
                {
                    "from": [{"podSelector": SEL, "namespaceSelector": SEL}],
                    "ports": [{"port": 80, "endPort": 90, "protocol": "TCP"}, {"port": "http"}],
                }
            ],
            "egress": [
                {
                    "to": [{"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]}}],
                    "ports": [{"port": 53, "protocol": "UDP"}],
                }
            ],
        },
    ),
    "HorizontalPodAutoscaler": (
        "autoscaling/v2",
        {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
            "minReplicas": 1,
            "maxReplicas": 2,
            "metrics": [
                {
                    "type": "Resource",
                    "resource": {
                        "name": "cpu",
                        "target": {"type": "Utilization", "averageUtilization": 80},
                    },
                },
                {
                    "type": "Resource",
                    "resource": {
                        "name": "memory",
                        "target": {"type": "AverageValue", "averageValue": "1Gi"},
                    },
                },
                {
                    "type": "Pods",
                    "pods": {
                        "metric": {"name": "m", "selector": SEL},
                        "target": {"type": "AverageValue", "averageValue": "1"},
                    },
                },
                {
                    "type": "Object",
                    "object": {
                        "describedObject": {"apiVersion": "v1", "kind": "Service", "name": "x"},
                        "metric": {"name": "m"},
                        "target": {"type": "Value", "value": "1"},
                    },
                },
                {
                    "type": "External",
                    "external": {
                        "metric": {"name": "m"},
                        "target": {"type": "Value", "value": "1"},
                    },
                },
                {
                    "type": "ContainerResource",
                    "containerResource": {
                        "container": "web",
                        "name": "cpu",
                        "target": {"type": "Utilization", "averageUtilization": 80},
                    },
                },
            ],
            "behavior": {
                "scaleUp": {
                    "stabilizationWindowSeconds": 1,
                    "selectPolicy": "Max",
                    "policies": [{"type": "Pods", "value": 1, "periodSeconds": 5}],
                },
                "scaleDown": {
                    "stabilizationWindowSeconds": 1,
                    "policies": [{"type": "Percent", "value": 1, "periodSeconds": 5}],
                },
            },
        },
    ),
    "PodDisruptionBudget": (
        "policy/v1",
        {"selector": SEL, "maxUnavailable": 1, "unhealthyPodEvictionPolicy": "AlwaysAllow"},
    ),
    "PersistentVolumeClaim": (
        "v1",
        CLAIM | {"dataSource": {"kind": "PersistentVolumeClaim", "name": "x"}},
    ),
    "ResourceQuota": (
        "v1",
        {
            "hard": {"pods": "1", "requests.cpu": "1"},
            "scopes": ["NotTerminating"],
            "scopeSelector": {
                "matchExpressions": [
                    {"scopeName": "PriorityClass", "operator": "In", "values": ["a"]}
                ]
            },
        },
    ),
    "LimitRange": (
        "v1",
        {
            "limits": [
                {
                    "type": "Container",
                    "min": {"cpu": "1m"},
                    "max": {"cpu": "2"},
                    "default": {"cpu": "1"},
                    "defaultRequest": {"cpu": "100m"},
                    "maxLimitRequestRatio": {"cpu": "20"},
                },
                {"type": "PersistentVolumeClaim", "min": {"storage": "1Gi"}},
                {"type": "Pod", "max": {"cpu": "2"}},
            ]
        },
    ),
}


def _object(kind, version, **content):
    metadata = {"name": "web", "labels": LABELS, "annotations": {"x": "y"}}
    metadata["finalizers"] = ["example.com/x"]
    if kind not in _OF_CLUSTER:
        metadata["namespace"] = "default"
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **content}


def _deployment(**pod):
    spec = {"selector": {"matchLabels": LABELS}, "template": tmpl({**SIMPLE, **pod})}
    return _object("Deployment", "apps/v1", spec=spec)


_OF_CLUSTER = (
    *("ClusterRole", "ClusterRoleBinding", "PriorityClass", "StorageClass", "Namespace"),
    "PersistentVolume",
)
_RBAC, _V1 = "rbac.authorization.k8s.io", "rbac.authorization.k8s.io/v1"
RULES = [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"], "resourceNames": ["x"]}]
REF = {"apiGroup": _RBAC, "kind": "Role", "name": "web"}
SUBJECTS = [
    {"kind": "ServiceAccount", "name": "a", "namespace": "b"},
    {"kind": "User", "name": "u", "apiGroup": _RBAC},
]
OTHERS = {
    "ConfigMap": ("v1", {"data": {"a": "b"}, "binaryData": {"c": "Yg=="}, "immutable": False}),
    "Secret": ("v1", {"stringData": {"c": "d"}, "type": "Opaque", "immutable": False}),
    "ServiceAccount": (
        "v1",
        {
            "imagePullSecrets": [{"name": "p"}],
            "secrets": [{"name": "p"}],
            "automountServiceAccountToken": True,
        },
    ),
    "Role": (_V1, {"rules": RULES}),
    "ClusterRole": (_V1, {"rules": [*RULES, {"nonResourceURLs": ["/x"], "verbs": ["get"]}]}),
    "RoleBinding": (_V1, {"roleRef": REF, "subjects": SUBJECTS}),
    "ClusterRoleBinding": (_V1, {"roleRef": REF | {"kind": "ClusterRole"}, "subjects": SUBJECTS}),
    "PriorityClass": (
        "scheduling.k8s.io/v1",
        {"value": 5, "globalDefault": False, "description": "x", "preemptionPolicy": "Never"},
    ),
    "StorageClass": (
        "storage.k8s.io/v1",
        {
            "provisioner": "a.example.com/b",
            "parameters": {"a": "b"},
            "reclaimPolicy": "Delete",
            "volumeBindingMode": "Immediate",
            "mountOptions": ["a"],
            "allowVolumeExpansion": True,
            "allowedTopologies": [{"matchLabelExpressions": [{"key": "x", "values": ["y"]}]}],
        },
    ),
    "PersistentVolume": (
        "v1",
        {
            "spec": {
                "capacity": {"storage": "1Gi"},
                "accessModes": ["ReadWriteOnce"],
                "nfs": {"server": "a", "path": "/b"},
                "storageClassName": "x",
                "persistentVolumeReclaimPolicy": "Retain",
                "volumeMode": "Filesystem",
                "mountOptions": ["a"],
            }
        },
    ),
}
_PLAIN = {**SPEC["Deployment"][1], "template": tmpl(SIMPLE)}
_PARTS = ("affinity", "topologySpreadConstraints")
_OF_CONTAINERS = ("containers", "initContainers", "volumes", "resourceClaims")
OBJECTS = {
    **{kind: _object(kind, version, spec=spec) for kind, (version, spec) in SPEC.items()},
    **{kind: _object(kind, version, **content) for kind, (version, content) in OTHERS.items()},
    "Deployment": _object("Deployment", "apps/v1", spec=_PLAIN),
    "the pods of a Deployment": _deployment(
        **{name: POD[name] for name in POD if name not in (*_PARTS, *_OF_CONTAINERS)}
    ),
    "their affinity": _deployment(**{name: POD[name] for name in _PARTS}),
    "their containers": _deployment(
        resourceClaims=POD["resourceClaims"],
        containers=POD["containers"],
        volumes=[VOLS[0], VOLS[1], VOLS[3]],
    ),
    "their first containers": _deployment(initContainers=POD["initContainers"]),
    "their volumes": _deployment(volumes=VOLS),
}
"""By kind, or part of one, an object that the API server takes, as many fields as go together."""
