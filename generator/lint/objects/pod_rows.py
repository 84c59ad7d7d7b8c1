"""What the API server takes in single fields of a pod: one row a field.

In a path `*` is each entry of a list or mapping. Source: kubernetes/pkg/apis/*/validation, 1.34.
`tests/cluster/test_fields.py` asks a real API server about each field of each of these kinds.
"""

from __future__ import annotations

import re

from generator.lint.objects import field_checks as is_
from generator.lint.objects import pod_pairs as pair
from generator.lint.objects.field_checks import between, filled, one_of
from generator.lint.objects.field_shapes import (
    at_most_one,
    exactly_one,
    forbidden,
    keys,
    needs,
    one_source,
    unique,
    values,
)
from generator.lint.objects.field_table import Rows, under

_SUBSCRIPT = r"|metadata\.(labels|annotations)\['[^']+'\]"
_OF_ENV = is_.like(
    re.compile(
        r"metadata\.(name|namespace|uid)|spec\.(host|nodeName|serviceAccountName)"
        rf"|status\.(host|pod)IPs?{_SUBSCRIPT}"
    ),
    "a field of a pod that a variable can have",
)
_OF_FILES = is_.like(
    re.compile(rf"metadata\.(name|namespace|uid|labels|annotations){_SUBSCRIPT}"),
    "a field of a pod that a file can have",
)
_OF_RESOURCES = is_.like(
    re.compile(r"(limits|requests)\.(cpu|memory|ephemeral-storage|hugepages-.+)"),
    "a resource of containers, such as limits.cpu",
)
_HEADER = is_.like(re.compile(r"[-A-Za-z0-9]+"), "a valid name of a header")
_CAPITALS = re.compile(r"(?=.{1,63}$)[A-Za-z0-9]([-A-Za-z0-9.]*[A-Za-z0-9])?")
_ID = between(0, 2**31 - 1)
_MODE = between(0, 0o777)
PROTOCOL = one_of("", "TCP", "UDP", "SCTP")


ACCESS = values(one_of("ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod"))
VOLUME_MODE = one_of("Block", "Filesystem")


_PROFILES: Rows = {
    "seccompProfile.type": one_of("Localhost", "RuntimeDefault", "Unconfined"),
    "seccompProfile": pair.profile,
    "appArmorProfile.type": one_of("Localhost", "RuntimeDefault", "Unconfined"),
    "appArmorProfile": pair.profile,
    "appArmorProfile.localhostProfile": filled,
    "runAsUser": _ID,
    "runAsGroup": _ID,
}
_FIELD_REF: Rows = {"apiVersion": one_of("", "v1")}
_RESOURCE_REF: Rows = {"": pair.divisor, "resource": _OF_RESOURCES}
_KEY_REF: Rows = {"": needs("name", "key"), "name": is_.NAME, "key": is_.CONFIG_KEY}
_SOURCE_REF: Rows = {"": needs("name"), "name": is_.NAME}
_ITEMS: Rows = {"key": filled, "path": is_.inside_named, "mode": _MODE}
_DOWNWARD: Rows = {
    "": exactly_one("fieldRef", "resourceFieldRef"),
    "path": is_.inside_named,
    "mode": _MODE,
    "fieldRef.fieldPath": _OF_FILES,
    **under("fieldRef", _FIELD_REF),
    **under("resourceFieldRef", _RESOURCE_REF),
    "resourceFieldRef.containerName": filled,
    "resourceFieldRef": (pair.divisor, needs("containerName")),
}
_HANDLER: Rows = {
    "exec": needs("command"),
    "httpGet.scheme": one_of("", "HTTP", "HTTPS"),
    "httpGet.httpHeaders.*.name": _HEADER,
}
CONTAINER: Rows = {
    "imagePullPolicy": one_of("", "Always", "IfNotPresent", "Never"),
    "terminationMessagePolicy": one_of("", "File", "FallbackToLogsOnError"),
    "ports.*.protocol": PROTOCOL,
    "env.*.name": is_.VARIABLE,
    "env.*": at_most_one("value", "valueFrom"),
    "env.*.valueFrom": exactly_one(
        "fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef"
    ),
    "env.*.valueFrom.fieldRef.fieldPath": _OF_ENV,
    **under("env.*.valueFrom.fieldRef", _FIELD_REF),
    **under("env.*.valueFrom.resourceFieldRef", _RESOURCE_REF),
    **under("env.*.valueFrom.secretKeyRef", _KEY_REF),
    **under("env.*.valueFrom.configMapKeyRef", _KEY_REF),
    "envFrom.*": exactly_one("configMapRef", "secretRef"),
    "envFrom.*.prefix": is_.PREFIX,
    **under("envFrom.*.configMapRef", _SOURCE_REF),
    **under("envFrom.*.secretRef", _SOURCE_REF),
    **under("livenessProbe", _HANDLER),
    **under("readinessProbe", _HANDLER),
    **under("startupProbe", _HANDLER),
    **under("lifecycle.*", _HANDLER),
    "lifecycle.*": exactly_one("exec", "httpGet", "tcpSocket", "sleep"),
    "lifecycle.*.httpGet.port": is_.port,
    "lifecycle.*.tcpSocket.port": is_.port,
    "resizePolicy.*.resourceName": one_of("cpu", "memory"),
    "resizePolicy.*.restartPolicy": one_of("NotRequired", "RestartContainer"),
    "resources.claims.*.request": is_.OPTIONAL_LABEL,
    "resources.claims": unique("name", "request"),
    "resizePolicy": unique("resourceName"),
    "volumeDevices": unique("name"),
    "securityContext": pair.privileges,
    "securityContext.procMount": one_of("Default", "Unmasked"),
    **under("securityContext", _PROFILES),
    "volumeDevices.*.devicePath": (filled, is_.no_steps_up),
    "volumeMounts.*": (at_most_one("subPath", "subPathExpr"), pair.read_only),
    "volumeMounts.*.mountPath": filled,
    "volumeMounts.*.mountPropagation": one_of("None", "HostToContainer", "Bidirectional"),
    "volumeMounts.*.recursiveReadOnly": one_of("Disabled", "Enabled", "IfPossible"),
    "volumeMounts.*.subPath": is_.inside,
    "volumeMounts.*.subPathExpr": is_.inside,
}

_NODE_TERM: Rows = {
    "matchFields.*.key": one_of("metadata.name"),
    "matchFields.*.operator": one_of("In", "NotIn"),
    "matchFields.*": pair.one_value,
}
_POD_TERM: Rows = {
    "matchLabelKeys": values(is_.qualified),
    "mismatchLabelKeys": values(is_.qualified),
    "namespaces": values(is_.LABEL),
    "topologyKey": is_.qualified,
    "": pair.needs_selector("matchLabelKeys", "mismatchLabelKeys"),
}
_REQUIRED, _PREFERRED = (
    f"{word}DuringSchedulingIgnoredDuringExecution" for word in ("required", "preferred")
)
_AFFINITY: Rows = {
    f"nodeAffinity.{_REQUIRED}.nodeSelectorTerms": filled,
    **under(f"nodeAffinity.{_REQUIRED}.nodeSelectorTerms.*", _NODE_TERM),
    **under(
        f"nodeAffinity.{_REQUIRED}.nodeSelectorTerms.*",
        {
            "matchExpressions.*.values": values(is_.label_value),
            "matchFields.*.values": values(is_.NAME),
        },
    ),
    **under(f"nodeAffinity.{_PREFERRED}.*.preference", _NODE_TERM),
    f"*.{_PREFERRED}.*.weight": between(1, 100),
    **under(f"podAffinity.{_REQUIRED}.*", _POD_TERM),
    **under(f"podAntiAffinity.{_REQUIRED}.*", _POD_TERM),
    **under(f"podAffinity.{_PREFERRED}.*.podAffinityTerm", _POD_TERM),
    **under(f"podAntiAffinity.{_PREFERRED}.*.podAffinityTerm", _POD_TERM),
}
CLAIM: Rows = {
    "accessModes": ACCESS,
    "storageClassName": is_.OPTIONAL_NAME,
    "volumeAttributesClassName": is_.OPTIONAL_NAME,
    "volumeMode": VOLUME_MODE,
    "resources.limits": values(is_.amount),
    "dataSource": needs("name"),
}
_PROJECTED: Rows = {
    "": at_most_one("configMap", "secret", "downwardAPI", "serviceAccountToken"),
    "serviceAccountToken.path": is_.inside_named,
    "serviceAccountToken.expirationSeconds": between(600, 2**32),
    "configMap": needs("name"),
    "secret": needs("name"),
    **under("configMap.items.*", _ITEMS),
    **under("secret.items.*", _ITEMS),
    **under("downwardAPI.items.*", _DOWNWARD),
    **{f"{kind}.items": unique("path") for kind in ("configMap", "secret", "downwardAPI")},
}
_VOLUME: Rows = {
    "": one_source("name"),
    "configMap": needs("name"),
    "secret": needs("secretName"),
    "persistentVolumeClaim.claimName": filled,
    "hostPath.path": (filled, is_.no_steps_up),
    "hostPath.type": one_of(
        *("", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File"),
        *("FileOrCreate", "Socket"),
    ),
    "nfs.path": is_.absolute,
    "nfs.server": filled,
    "csi.driver": is_.like(_CAPITALS, "a valid name of a driver"),
    **under("csi.nodePublishSecretRef", _SOURCE_REF),
    "azureFile.secretName": filled,
    "azureFile.shareName": filled,
    "gcePersistentDisk.pdName": filled,
    "gcePersistentDisk.partition": between(0, 255),
    "awsElasticBlockStore.volumeID": filled,
    "awsElasticBlockStore.partition": between(0, 255),
    "ephemeral": needs("volumeClaimTemplate"),
    **{
        f"ephemeral.volumeClaimTemplate.metadata.{name}": forbidden("cannot be set")
        for name in ("name", "namespace", "finalizers")
    },
    "ephemeral.volumeClaimTemplate.metadata.labels": (
        keys(is_.qualified),
        values(is_.label_value),
    ),
    "ephemeral.volumeClaimTemplate.metadata.annotations": keys(is_.qualified),
    **under("ephemeral.volumeClaimTemplate.spec", CLAIM),
    "ephemeral.volumeClaimTemplate.spec.resources.requests": values(is_.amount),
    **under("projected.sources.*", _PROJECTED),
    **under("downwardAPI.items.*", _DOWNWARD),
    **under("configMap.items.*", _ITEMS),
    **under("secret.items.*", _ITEMS),
    **{
        f"{kind}.defaultMode": _MODE for kind in ("configMap", "secret", "downwardAPI", "projected")
    },
}
POD: Rows = {
    "": pair.pod,
    "containers": filled,
    "activeDeadlineSeconds": between(1, 2**31 - 1),
    "restartPolicy": one_of("", "Always", "OnFailure", "Never"),
    "dnsPolicy": one_of("", "ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"),
    "dnsConfig.nameservers": values(filled, is_.address),
    "dnsConfig.searches": values(is_.SEARCH),
    "dnsConfig.options.*": needs("name"),
    "hostAliases.*.ip": (filled, is_.address),
    "hostAliases.*.hostnames": values(is_.NAME),
    "hostname": is_.OPTIONAL_LABEL,
    "subdomain": is_.OPTIONAL_LABEL,
    "nodeName": is_.OPTIONAL_NAME,
    "serviceAccountName": is_.OPTIONAL_NAME,
    "priorityClassName": is_.OPTIONAL_NAME,
    "runtimeClassName": is_.NAME,
    "os.name": one_of("linux", "windows"),
    "overhead": keys(is_.resource),
    "preemptionPolicy": one_of("PreemptLowerPriority", "Never"),
    "readinessGates.*.conditionType": is_.qualified,
    "schedulingGates.*.name": is_.qualified,
    "schedulingGates": unique("name"),
    "resourceClaims.*": one_source("name", least=1),
    "resourceClaims.*.name": is_.LABEL,
    "resourceClaims.*.resourceClaimName": is_.NAME,
    "resourceClaims": unique("name"),
    "securityContext.fsGroup": _ID,
    "securityContext.supplementalGroups": values(_ID),
    "securityContext.fsGroupChangePolicy": one_of("Always", "OnRootMismatch"),
    "securityContext.seLinuxChangePolicy": one_of("MountOption", "Recursive"),
    "securityContext.supplementalGroupsPolicy": one_of("Merge", "Strict"),
    "securityContext.sysctls.*.name": is_.SYSCTL,
    "securityContext.sysctls": unique("name"),
    **under("securityContext", _PROFILES),
    "tolerations.*.key": is_.optional_key,
    "tolerations.*.value": is_.label_value,
    "topologySpreadConstraints": unique("topologyKey", "whenUnsatisfiable"),
    "topologySpreadConstraints.*": pair.needs_selector("matchLabelKeys"),
    "topologySpreadConstraints.*.matchLabelKeys": values(is_.qualified),
    "topologySpreadConstraints.*.maxSkew": is_.AT_LEAST_1,
    "topologySpreadConstraints.*.minDomains": is_.AT_LEAST_1,
    "topologySpreadConstraints.*.topologyKey": filled,
    "topologySpreadConstraints.*.whenUnsatisfiable": one_of("DoNotSchedule", "ScheduleAnyway"),
    "topologySpreadConstraints.*.nodeAffinityPolicy": one_of("Honor", "Ignore"),
    "topologySpreadConstraints.*.nodeTaintsPolicy": one_of("Honor", "Ignore"),
    **under("affinity", _AFFINITY),
    **under("volumes.*", _VOLUME),
}
