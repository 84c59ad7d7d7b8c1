"""What the API server takes in single fields of Kubernetes' own kinds, beside those of pods.

In a path `*` is each entry of a list or mapping. Source: kubernetes/pkg/apis/*/validation, 1.34.
`tests/cluster/test_fields.py` asks a real API server about each field of each of these kinds.
"""

from __future__ import annotations

from collections.abc import Mapping

from generator.lint.objects import field_checks as is_
from generator.lint.objects import field_pairs as pair
from generator.lint.objects.field_checks import between, filled, one_of
from generator.lint.objects.field_shapes import (
    at_most,
    exactly_one,
    forbidden,
    has,
    keys,
    needs,
    one_source,
    present,
    some,
    unique,
    values,
)
from generator.lint.objects.field_table import Rows, under
from generator.lint.objects.pod_rows import ACCESS, CLAIM, PROTOCOL, VOLUME_MODE

_RBAC = "rbac.authorization.k8s.io"

_SERVED: Rows = {
    "spec.replicas": is_.AT_LEAST_0,
    "spec.minReadySeconds": is_.AT_LEAST_0,
    "spec.revisionHistoryLimit": is_.AT_LEAST_0,
    "spec": pair.selects_its_pods,
    "spec.template.spec.activeDeadlineSeconds": forbidden("is for pods of Jobs alone"),
    "spec.template.spec.restartPolicy": one_of("", "Always"),
}
_JOB: Rows = {
    **dict.fromkeys(
        (
            *("activeDeadlineSeconds", "backoffLimit", "backoffLimitPerIndex", "completions"),
            *("maxFailedIndexes", "parallelism", "ttlSecondsAfterFinished"),
        ),
        is_.AT_LEAST_0,
    ),
    "": (pair.indexed_of_cron, pair.failing_containers),
    "completionMode": one_of("Indexed", "NonIndexed"),
    "podReplacementPolicy": one_of("Failed", "TerminatingOrFailed"),
    "managedBy": is_.domain_path,
    "template.spec": pair.ends,
    "template.spec.restartPolicy": one_of("OnFailure", "Never"),
    "podFailurePolicy.rules.*": exactly_one("onExitCodes", "onPodConditions"),
    "podFailurePolicy.rules.*.action": one_of("Count", "FailIndex", "FailJob", "Ignore"),
    "podFailurePolicy.rules.*.onExitCodes.operator": one_of("In", "NotIn"),
    "podFailurePolicy.rules.*.onExitCodes.values": (filled, unique()),
    "podFailurePolicy.rules.*.onPodConditions.*.type": is_.qualified,
    "podFailurePolicy.rules.*.onPodConditions.*.status": one_of("", "True", "False", "Unknown"),
    "successPolicy.rules": filled,
    "successPolicy.rules.*": some("succeededIndexes", "succeededCount"),
    "successPolicy.rules.*.succeededCount": is_.AT_LEAST_0,
}
_BACKEND: Rows = {
    "": exactly_one("service", "resource"),
    "service.name": is_.SERVICE,
    "service.port.name": is_.PORT_NAME,
    "service.port.number": between(0, 65_535),
    "service": needs("port"),
    "service.port": pair.one_port,
}
_METRIC: Rows = {
    "": pair.metric_source,
    "metric.name": is_.SEGMENT,
    "name": is_.filled,
    "container": is_.LABEL,
    "target.type": one_of("Utilization", "Value", "AverageValue"),
    "target.averageUtilization": is_.AT_LEAST_1,
    "target.averageValue": is_.above_zero,
    "target.value": is_.above_zero,
    "describedObject.kind": is_.SEGMENT,
    "describedObject.name": is_.SEGMENT,
}
_BEHAVIOR: Rows = {
    "stabilizationWindowSeconds": between(0, 3600),
    "selectPolicy": one_of("Disabled", "Max", "Min"),
    "tolerance": is_.amount,
    "policies": filled,
    "policies.*.type": one_of("Percent", "Pods"),
    "policies.*.value": is_.AT_LEAST_1,
    "policies.*.periodSeconds": between(1, 1800),
}
_RULES: Rows = {"rules.*": pair.rights, "rules.*.verbs": filled}
_BINDING: Rows = {
    "roleRef.apiGroup": one_of("", _RBAC),
    "roleRef.name": is_.SEGMENT,
    "subjects.*": pair.subject,
    "subjects.*.kind": one_of("ServiceAccount", "User", "Group"),
    "subjects.*.name": filled,
}
_CONTENT: Rows = {
    "data": keys(is_.CONFIG_KEY),
    "": pair.size,
}
_SCOPES = one_of(
    *("BestEffort", "NotBestEffort", "Terminating", "NotTerminating", "PriorityClass"),
    *("CrossNamespacePodAffinity", "VolumeAttributesClass"),
)
_BESIDE_SOURCE = (
    *("accessModes", "capacity", "claimRef", "mountOptions", "nodeAffinity", "storageClassName"),
    *("persistentVolumeReclaimPolicy", "volumeAttributesClassName", "volumeMode"),
)
KINDS: Mapping[str, Rows] = {
    "Deployment": {
        **_SERVED,
        "spec": (pair.selects_its_pods, pair.deadline),
        "spec.strategy.type": one_of("", "Recreate", "RollingUpdate"),
        "spec.strategy.rollingUpdate.maxSurge": is_.number_or_share,
        "spec.strategy.rollingUpdate.maxUnavailable": is_.share,
    },
    "StatefulSet": {
        **_SERVED,
        "spec.podManagementPolicy": one_of("", "OrderedReady", "Parallel"),
        "spec.serviceName": is_.OPTIONAL_LABEL,
        "spec.ordinals.start": is_.AT_LEAST_0,
        "spec.persistentVolumeClaimRetentionPolicy.*": one_of("", "Delete", "Retain"),
        "spec.updateStrategy.type": one_of("", "OnDelete", "RollingUpdate"),
        "spec.updateStrategy.rollingUpdate.partition": is_.AT_LEAST_0,
        "spec.volumeClaimTemplates.*": needs("metadata"),
        "spec.volumeClaimTemplates.*.metadata": needs("name"),
        "spec.volumeClaimTemplates.*.metadata.name": is_.LABEL,
        "spec.volumeClaimTemplates.*.metadata.finalizers": unique(),
        **under("spec.volumeClaimTemplates.*.spec", CLAIM),
    },
    "DaemonSet": {
        **_SERVED,
        "spec.updateStrategy.type": one_of("", "OnDelete", "RollingUpdate"),
        "spec.updateStrategy": pair.one_surge,
        "spec.updateStrategy.rollingUpdate.*": is_.share,
    },
    "Job": {**under("spec", _JOB), "spec": (pair.indexed, pair.failing_containers)},
    "CronJob": {
        "spec.jobTemplate.metadata.finalizers": unique(),
        **under("spec.jobTemplate.spec", _JOB),
        "spec.jobTemplate.spec.selector": present("is made by the controller"),
        "spec.concurrencyPolicy": one_of("", "Allow", "Forbid", "Replace"),
        "spec.timeZone": is_.time_zone,
        "spec.startingDeadlineSeconds": is_.AT_LEAST_0,
        "spec.successfulJobsHistoryLimit": is_.AT_LEAST_0,
        "spec.failedJobsHistoryLimit": is_.AT_LEAST_0,
    },
    "Service": {
        "spec": pair.service,
        "spec.clusterIP": is_.cluster_address,
        "spec.clusterIPs": values(is_.cluster_address),
        "spec.externalTrafficPolicy": one_of("", "Cluster", "Local"),
        "spec.internalTrafficPolicy": one_of("Cluster", "Local"),
        "spec.healthCheckNodePort": between(0, 65_535),
        "spec.ipFamilies": (values(one_of("IPv4", "IPv6")), unique()),
        "spec.ipFamilyPolicy": one_of("PreferDualStack", "RequireDualStack", "SingleStack"),
        "spec.loadBalancerClass": is_.qualified,
        "spec.ports.*.appProtocol": is_.qualified,
        "spec.ports.*.protocol": PROTOCOL,
        "spec.trafficDistribution": one_of("PreferClose", "PreferSameZone", "PreferSameNode"),
    },
    "Ingress": {
        "spec.ingressClassName": is_.NAME,
        "spec.tls.*.secretName": is_.OPTIONAL_NAME,
        "spec.rules.*.http.paths": filled,
        "spec.rules.*.http.paths.*.pathType": one_of("Exact", "Prefix", "ImplementationSpecific"),
        **under("spec.defaultBackend", _BACKEND),
        **under("spec.rules.*.http.paths.*.backend", _BACKEND),
    },
    "NetworkPolicy": {
        "spec.policyTypes": at_most(2),
        "spec.*.*.ports.*.port": is_.port,
        "spec.*.*.ports.*.protocol": one_of("TCP", "UDP", "SCTP"),
    },
    "HorizontalPodAutoscaler": {
        "spec.scaleTargetRef.kind": is_.SEGMENT,
        "spec.scaleTargetRef.name": is_.SEGMENT,
        "spec.scaleTargetRef": pair.scaled,
        "spec.metrics.*.type": one_of(
            "ContainerResource", "External", "Object", "Pods", "Resource"
        ),
        "spec.metrics.*": pair.metric,
        **under("spec.metrics.*.*", _METRIC),
        "spec.metrics.*.containerResource.name": is_.resource,
        **under("spec.behavior.*", _BEHAVIOR),
    },
    "PodDisruptionBudget": {
        "spec.unhealthyPodEvictionPolicy": one_of("AlwaysAllow", "IfHealthyBudget"),
        "spec.maxUnavailable": is_.share,
        "spec.minAvailable": is_.share,
    },
    "PersistentVolumeClaim": under("spec", CLAIM),
    "ResourceQuota": {
        "spec.scopes": values(_SCOPES),
        "spec.scopeSelector.matchExpressions.*": pair.scope,
        "spec.scopeSelector.matchExpressions.*.scopeName": _SCOPES,
        "spec.scopeSelector.matchExpressions.*.operator": one_of(
            "In", "NotIn", "Exists", "DoesNotExist"
        ),
    },
    "LimitRange": {"spec.limits": unique("type"), "spec.limits.*": pair.limits},
    "ConfigMap": {
        **_CONTENT,
        "binaryData": (keys(is_.CONFIG_KEY), values(is_.base64_text)),
    },
    "Secret": {**_CONTENT, "stringData": keys(is_.CONFIG_KEY)},
    "ServiceAccount": {"secrets": (unique("name"), values(has("name")))},
    "Role": {**_RULES, "rules.*.nonResourceURLs": forbidden("is for ClusterRoles alone")},
    "ClusterRole": {**_RULES, "aggregationRule": needs("clusterRoleSelectors")},
    "RoleBinding": {**_BINDING, "roleRef.kind": one_of("Role", "ClusterRole")},
    "ClusterRoleBinding": {
        **_BINDING,
        "roleRef.kind": one_of("ClusterRole"),
        "subjects.*": (pair.subject, pair.subject_in_namespace),
    },
    "PriorityClass": {
        "preemptionPolicy": one_of("PreemptLowerPriority", "Never"),
        "value": between(-(2**31), 10**9),
    },
    "StorageClass": {
        "provisioner": is_.qualified,
        "reclaimPolicy": one_of("", "Delete", "Retain"),
        "volumeBindingMode": one_of("Immediate", "WaitForFirstConsumer"),
        "parameters": keys(filled),
        "allowedTopologies": unique(),
        "allowedTopologies.*": needs("matchLabelExpressions"),
        "allowedTopologies.*.matchLabelExpressions": unique("key"),
        "allowedTopologies.*.matchLabelExpressions.*.key": is_.qualified,
        "allowedTopologies.*.matchLabelExpressions.*.values": (filled, unique()),
    },
    "PersistentVolume": {
        "spec": (needs("accessModes", "capacity"), one_source(*_BESIDE_SOURCE, least=1)),
        "spec.accessModes": ACCESS,
        "spec.capacity": keys(one_of("storage")),
        "spec.nodeAffinity": needs("required"),
        "spec.nfs.path": is_.absolute,
        "spec.nfs.server": filled,
        "spec.persistentVolumeReclaimPolicy": one_of("", "Delete", "Recycle", "Retain"),
        "spec.storageClassName": is_.OPTIONAL_NAME,
        "spec.volumeMode": VOLUME_MODE,
    },
}
"""Of an object itself; those of its pods are `POD` and `CONTAINER`."""

EVERY: Rows = {"metadata.finalizers": (values(is_.finalizer), unique())}
