"""Which Secrets and ConfigMaps a workload reads, and which Secrets a render provides."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

from generator.kube import fields
from generator.kube.resource import Key, Object
from generator.kube.workload import Workload


@dataclasses.dataclass(frozen=True, slots=True)
class Use:
    """One reference: `kind` is Secret or ConfigMap; `keys` are those that must exist.

    `at_start` tells what a running pod does not notice: environment variables and mounts of
    single files (kubernetes.io/docs/concepts/configuration/secret: subPath gets no updates).
    """

    kind: str
    name: str
    keys: frozenset[str] = frozenset()
    optional: bool = False
    at_start: bool = False


def uses(work: Workload) -> list[Use]:
    """Every reference of a pod template, repetitions included."""
    found = [use for container in work.containers() for use in _of_container(container)]
    single = {
        fields.text(mount, "name")
        for container in work.containers()
        for mount in fields.entries(container, "volumeMounts")
        if fields.text(mount, "subPath")
    }
    for volume in fields.entries(work.spec, "volumes"):
        found += _of_volume(volume, at_start=fields.text(volume, "name") in single)
    for secret in fields.entries(work.spec, "imagePullSecrets"):
        found.append(Use("Secret", fields.text(secret, "name"), optional=False))
    return [use for use in found if use.name]


def pull_secrets(objects: Mapping[Key, Object], work: Workload) -> frozenset[str]:
    """By which Secrets its images are pulled: those of its account where it names none itself.

    kubernetes.io/docs/concepts/configuration/secret, image pull Secrets.
    """
    named = fields.entries(work.spec, "imagePullSecrets")
    if not named:
        account = fields.text(work.spec, "serviceAccountName") or "default"
        manifest = objects.get(Key("", "ServiceAccount", work.key.namespace, account))
        named = fields.entries(manifest, "imagePullSecrets")
    return frozenset(fields.text(item, "name") for item in named)


def provided(objects: Mapping[Key, Object]) -> dict[tuple[str, str], frozenset[str] | None]:
    """(namespace, name) of each Secret that the render brings, with its keys (None: not known)."""
    found: dict[tuple[str, str], frozenset[str] | None] = {}
    for key, manifest in objects.items():
        for name, keys in _secrets_of(key, manifest):
            found[key.namespace, name] = keys
    return found


def _of_container(container: Mapping[str, Any]) -> Iterator[Use]:
    for entry in fields.entries(container, "env"):
        yield from _of_source(fields.section(entry, "valueFrom"))
    for entry in fields.entries(container, "envFrom"):
        for field, kind in (("secretRef", "Secret"), ("configMapRef", "ConfigMap")):
            reference = fields.section(entry, field)
            if reference:
                yield _use(kind, fields.text(reference, "name"), reference, at_start=True)


def _of_source(source: Mapping[str, Any]) -> Iterator[Use]:
    for field, kind in (("secretKeyRef", "Secret"), ("configMapKeyRef", "ConfigMap")):
        reference = fields.section(source, field)
        if reference:
            keys = frozenset(filter(None, [fields.text(reference, "key")]))
            yield _use(kind, fields.text(reference, "name"), reference, keys, at_start=True)


def _of_volume(volume: Mapping[str, Any], *, at_start: bool) -> Iterator[Use]:
    sources = [volume, *fields.entries(volume, "projected", "sources")]
    for source in sources:
        for field, kind, name in (
            ("secret", "Secret", "secretName"),
            ("configMap", "ConfigMap", "name"),
        ):
            reference = fields.section(source, field)
            if reference:
                named = fields.text(reference, name) or fields.text(reference, "name")
                items = fields.entries(reference, "items")
                keys = frozenset(fields.text(item, "key") for item in items)
                yield _use(kind, named, reference, keys, at_start=at_start)


def _use(
    kind: str,
    name: str,
    reference: Mapping[str, Any],
    keys: frozenset[str] = frozenset(),
    *,
    at_start: bool,
) -> Use:
    return Use(kind, name, keys, optional=reference.get("optional") is True, at_start=at_start)


def _secrets_of(key: Key, manifest: Object) -> Iterator[tuple[str, frozenset[str] | None]]:
    match key.kind:
        case "Secret":
            parts = (fields.section(manifest, "data"), fields.section(manifest, "stringData"))
            yield key.name, frozenset(str(name) for part in parts for name in part)
        case "SealedSecret":
            name = fields.text(manifest, "spec", "template", "metadata", "name") or key.name
            parts = (
                fields.section(manifest, "spec", "encryptedData"),
                fields.section(manifest, "spec", "template", "data"),
            )
            yield name, frozenset(str(name) for part in parts for name in part)
        case "ExternalSecret":
            yield fields.text(manifest, "spec", "target", "name") or key.name, None
        case "Certificate":
            yield fields.text(manifest, "spec", "secretName"), None
        case "Ingress" if _issues_certificates(manifest):
            for entry in fields.entries(manifest, "spec", "tls"):
                yield fields.text(entry, "secretName"), None


def _issues_certificates(manifest: Object) -> bool:
    """cert-manager.io/docs/usage/ingress: these annotations make it create the TLS Secret."""
    annotations = fields.section(manifest, "metadata", "annotations")
    return any(
        name in annotations for name in ("cert-manager.io/issuer", "cert-manager.io/cluster-issuer")
    )
