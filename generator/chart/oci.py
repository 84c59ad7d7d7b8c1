"""Charts in an OCI registry, by the distribution API (opencontainers/distribution-spec 1.1)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from generator.chart import registry
from generator.chart.archive import MAX_PACKED
from generator.chart.http import Client, Credentials
from generator.chart.registry import Repository
from generator.chart.select import choose, no_version
from generator.chart.version import parse_version
from generator.core.http_policy import FetchError

# helm.sh/helm/v4/pkg/registry/constants.go
_CHART = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"
_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


def pull_oci(url: str, version: str, client: Client, credentials: Credentials | None) -> bytes:
    """The archive of a version (exact, or a range) at `oci://registry/path/name`.

    Manifest and blob are checked against their digests. Raises FetchError and ChartError.
    """
    repository = Repository.parse(url, client, credentials)
    exact = parse_version(version) is not None and version.count(".") >= 2
    chosen = version if exact else choose(_versions(repository), version)
    if chosen is None:
        raise no_version(url, version, _versions(repository))
    # A tag may not hold `+`; Helm writes `_` instead.
    manifest = registry.json_of(repository.manifest(chosen.replace("+", "_"), _MANIFEST))
    return repository.blob(str(_layer(manifest, url)["digest"]), MAX_PACKED).body


def tags(url: str, client: Client, credentials: Credentials | None) -> list[str]:
    """The versions at `oci://registry/path/name`, as the registry lists them."""
    return _versions(Repository.parse(url, client, credentials))


def _versions(repository: Repository) -> list[str]:
    return [tag.replace("_", "+") for tag in repository.tags()]


def _layer(manifest: Mapping[str, Any], url: str) -> Mapping[str, Any]:
    for layer in manifest.get("layers") or []:
        if not isinstance(layer, Mapping) or layer.get("mediaType") != _CHART:
            continue
        if _DIGEST.fullmatch(str(layer.get("digest"))):
            return layer
    raise FetchError(
        f"{url} is not a Helm chart: its manifest has no chart layer",
        hint="an image and a chart may have similar names: check the path",
    )
