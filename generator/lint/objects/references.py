"""References to Secrets and ConfigMaps: whether what pods and ingresses name will be there."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

from generator.core.problem import Problem, Severity
from generator.core.rule import Rule
from generator.kube.fields import entries, section
from generator.kube.pods import PodTemplate, containers, title_of
from generator.kube.resource import Object
from generator.lint.objects.context import RenderedInput

SECRET = Rule(
    "rendered/secret-missing",
    Severity.ERROR,
    "A Secret that does not exist",
    "The pod waits in CreateContainerConfigError, or the volume is never mounted.",
)
KEY = Rule(
    "rendered/secret-key-missing",
    Severity.ERROR,
    "A key that the Secret does not have",
    "The pod waits in CreateContainerConfigError.",
)
CONFIG_MAP = Rule(
    "rendered/config-map-missing",
    Severity.ERROR,
    "A ConfigMap that does not exist",
    "The pod does not start.",
)
ELSEWHERE = Rule(
    "rendered/config-map-elsewhere",
    Severity.INFO,
    "A ConfigMap that is created elsewhere",
    "These values do not create it: without it the pods do not start.",
)

_TLS_KEYS = frozenset({"tls.crt", "tls.key"})
_ISSUERS = (
    "cert-manager.io/cluster-issuer",
    "cert-manager.io/issuer",
    "kubernetes.io/tls-acme",
)
# Every namespace has it.
_CLUSTERS_OWN = frozenset({"kube-root-ca.crt"})

Keys = frozenset[str] | None
"""The keys of a Secret, or None when only the cluster knows them."""


@dataclasses.dataclass(frozen=True, slots=True)
class Reference:
    """One use of a Secret or ConfigMap; `key` is '' for the object as a whole."""

    kind: str
    name: str
    key: str
    owner: Object
    by: str
    optional: bool = False


def reference_problems(rendered: RenderedInput) -> Iterator[Problem]:
    """Names and keys that are used and neither rendered nor declared."""
    secrets = {**declared_secrets(rendered), **rendered.context.secrets}
    maps = {
        str(section(item, "metadata").get("name")): frozenset(
            {*section(item, "data"), *section(item, "binaryData")}
        )
        for item in rendered.of("ConfigMap")
    }
    seen: set[tuple[str, str, str, str]] = set()
    elsewhere: dict[str, Reference] = {}
    for reference in references(rendered):
        identity = (reference.kind, reference.name, reference.key, reference.by)
        if reference.optional or identity in seen:
            continue
        seen.add(identity)
        if reference.kind == "Secret":
            yield from _secret(rendered, reference, secrets)
        elif reference.name in {*maps, *rendered.context.config_maps, *_CLUSTERS_OWN}:
            continue
        elif not rendered.context.complete:
            elsewhere.setdefault(reference.name, reference)
        else:
            yield rendered.problem(
                CONFIG_MAP,
                reference.owner,
                f"{reference.by} needs the ConfigMap {reference.name}, which does not exist",
                "render it, name it in existing.configMaps, or correct the name",
            )
    for name, reference in elsewhere.items():
        yield rendered.problem(
            ELSEWHERE, reference.owner, f"must exist: ConfigMap {name}, for {reference.by}", ""
        )


def _secret(
    rendered: RenderedInput, reference: Reference, secrets: Mapping[str, Keys]
) -> Iterator[Problem]:
    if reference.name not in secrets:
        if rendered.context.complete:
            yield rendered.problem(
                SECRET,
                reference.owner,
                f"{reference.by} needs the Secret {reference.name}, which does not exist",
                "declare it in secrets.extra or existing.secrets, or correct the name",
            )
        return
    keys = secrets[reference.name]
    if reference.key and keys is not None and reference.key not in keys:
        yield rendered.problem(
            KEY,
            reference.owner,
            f"{reference.by} needs the key {reference.key} of the Secret {reference.name}",
            f"add {reference.key} to the Secret",
        )


def declared_secrets(rendered: RenderedInput) -> dict[str, Keys]:
    """Secrets that the objects themselves make, with their keys."""
    found: dict[str, Keys] = {}
    for item in rendered.manifests:
        made = _made(item)
        if made:
            found[made[0]] = made[1]
    return found


def _made(item: Object) -> tuple[str, Keys] | None:
    name = str(section(item, "metadata").get("name"))
    spec = section(item, "spec")
    match item.get("kind"):
        case "Secret":
            return name, frozenset({*section(item, "data"), *section(item, "stringData")})
        case "SealedSecret":
            own = section(spec, "template", "metadata").get("name")
            extra = section(spec, "template", "data")
            return str(own or name), frozenset({*section(spec, "encryptedData"), *extra})
        case "ExternalSecret":
            return _external(name, spec)
        case "Certificate":
            return str(spec.get("secretName")), _TLS_KEYS | {"ca.crt"}
        case _:
            return None


def _external(name: str, spec: Mapping[str, Any]) -> tuple[str, Keys]:
    target = section(spec, "target")
    keys: Keys = frozenset(str(row.get("secretKey")) for row in entries(spec, "data"))
    template = section(target, "template")
    if template.get("data"):
        keys = frozenset(section(template, "data"))
    if spec.get("dataFrom") or template.get("templateFrom"):
        keys = None
    return str(target.get("name") or name), keys


def references(rendered: RenderedInput) -> Iterator[Reference]:
    """Every use of a Secret or ConfigMap by pods, ServiceAccounts, ingresses and KEDA."""
    for template in rendered.templates:
        yield from _of_pod(template)
    for item in rendered.of("ServiceAccount"):
        for row in entries(item, "imagePullSecrets"):
            yield Reference("Secret", str(row.get("name")), "", item, title_of(item))
    for item in rendered.of("Ingress"):
        yield from _of_ingress(item)
    for item in rendered.of("TriggerAuthentication"):
        for row in entries(item, "spec", "secretTargetRef"):
            name, key = str(row.get("name")), str(row.get("key"))
            yield Reference("Secret", name, key, item, title_of(item))


def _of_pod(template: PodTemplate) -> Iterator[Reference]:
    owner, title = template.owner, template.title
    for row in entries(template.spec, "imagePullSecrets"):
        yield Reference("Secret", str(row.get("name")), ".dockerconfigjson", owner, title)
    volumes = {str(row.get("name")): row for row in entries(template.spec, "volumes")}
    for volume in volumes.values():
        yield from _of_volume(volume, template)
    for _, container in containers(template.spec):
        by = f"{title}, container {container.get('name')}"
        yield from _of_environment(container, owner, by)
        yield from _of_mounts(container, volumes, owner, by)


def _of_environment(container: Mapping[str, Any], owner: Object, by: str) -> Iterator[Reference]:
    for row in entries(container, "env"):
        source = section(row, "valueFrom")
        for field, kind in (("secretKeyRef", "Secret"), ("configMapKeyRef", "ConfigMap")):
            item = section(source, field)
            if item:
                key, optional = str(item.get("key")), bool(item.get("optional"))
                yield Reference(kind, str(item.get("name")), key, owner, by, optional)
    for row in entries(container, "envFrom"):
        for field, kind in (("secretRef", "Secret"), ("configMapRef", "ConfigMap")):
            item = section(row, field)
            if item:
                optional = bool(item.get("optional"))
                yield Reference(kind, str(item.get("name")), "", owner, by, optional)


def _of_volume(volume: Mapping[str, Any], template: PodTemplate) -> Iterator[Reference]:
    sources = [
        ("Secret", "secretName", section(volume, "secret")),
        ("ConfigMap", "name", section(volume, "configMap")),
    ]
    for row in entries(volume, "projected", "sources"):
        sources.append(("Secret", "name", section(row, "secret")))
        sources.append(("ConfigMap", "name", section(row, "configMap")))
    for kind, field, item in sources:
        if not item:
            continue
        optional = bool(item.get("optional"))
        keys = [str(row.get("key")) for row in entries(item, "items")] or [""]
        for key in keys:
            name = str(item.get(field))
            yield Reference(kind, name, key, template.owner, template.title, optional)


def _of_mounts(
    container: Mapping[str, Any],
    volumes: Mapping[str, Mapping[str, Any]],
    owner: Object,
    by: str,
) -> Iterator[Reference]:
    """A file mounted alone by `subPath` is a key of its Secret."""
    for mount in entries(container, "volumeMounts"):
        secret = section(volumes.get(str(mount.get("name")), {}).get("secret"))
        path = mount.get("subPath")
        if secret and isinstance(path, str) and not secret.get("items"):
            optional = bool(secret.get("optional"))
            yield Reference("Secret", str(secret.get("secretName")), path, owner, by, optional)


def _of_ingress(item: Object) -> Iterator[Reference]:
    annotations = section(item, "metadata", "annotations")
    if any(key in annotations for key in _ISSUERS):
        return
    for row in entries(item, "spec", "tls"):
        for key in sorted(_TLS_KEYS) if row.get("secretName") else ():
            yield Reference("Secret", str(row.get("secretName")), key, item, title_of(item))
