"""Charts in an OCI registry, by the distribution API (opencontainers/distribution-spec 1.1)."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urljoin

from generator.chart.archive import MAX_PACKED
from generator.chart.http import Client, Credentials
from generator.chart.select import check_digest, choose, no_version
from generator.chart.version import parse_version
from generator.core.http import Response
from generator.core.http_policy import FetchError, shown, split

# helm.sh/helm/v4/pkg/registry/constants.go
_CHART = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"
_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_MAX_JSON = 4 << 20
_MAX_PAGES = 50
_NAME = re.compile(r"[a-z0-9]+(?:[._-]+[a-z0-9]+)*(?:/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_PARAMETER = re.compile(r'(\w+)="([^"]*)"')
_NEXT = re.compile(r'<([^>]*)>\s*;\s*rel="?next"?')


def pull_oci(url: str, version: str, client: Client, credentials: Credentials | None) -> bytes:
    """The archive of a version (exact, or a range) at `oci://registry/path/name`.

    Manifest and blob are checked against their digests. Raises FetchError and ChartError.
    """
    repository = _Repository.parse(url, client, credentials)
    exact = parse_version(version) is not None and version.count(".") >= 2
    chosen = version if exact else choose(repository.tags(), version)
    if chosen is None:
        raise no_version(url, version, repository.tags())
    layer = _layer(repository.manifest(chosen), url)
    return repository.blob(str(layer["digest"]))


def tags(url: str, client: Client, credentials: Credentials | None) -> list[str]:
    """The versions at `oci://registry/path/name`, as the registry lists them."""
    return _Repository.parse(url, client, credentials).tags()


@dataclasses.dataclass
class _Repository:
    """One repository of a registry, and the token that it gave us."""

    base: str
    name: str
    client: Client
    credentials: Credentials | None
    authorization: str = ""

    @classmethod
    def parse(cls, url: str, client: Client, credentials: Credentials | None) -> _Repository:
        parts = split(url)
        name = parts.path.strip("/") if parts else ""
        if not parts or parts.scheme != "oci" or not parts.hostname or not _NAME.fullmatch(name):
            raise FetchError(
                f"{shown(url)} is not an OCI chart",
                hint="it looks like oci://registry/path/airflow",
            )
        if "@" in parts.netloc:
            raise FetchError(f"{shown(url)}: a URL must not hold credentials")
        scheme = "http" if client.policy.speaks_plain(parts.netloc) else "https"
        return cls(f"{scheme}://{parts.netloc}", name, client, credentials)

    def manifest(self, version: str) -> Mapping[str, Any]:
        # A tag may not hold `+`; Helm writes `_` instead.
        response = self._get(f"manifests/{version.replace('+', '_')}", _MAX_JSON, accept=_MANIFEST)
        if stated := response.headers.get("docker-content-digest", ""):
            check_digest(response.body, stated, shown(response.url))
        return _json(response)

    def blob(self, digest: str) -> bytes:
        response = self._get(f"blobs/{digest}", MAX_PACKED)
        check_digest(response.body, digest, shown(response.url))
        return response.body

    def tags(self) -> list[str]:
        names: list[str] = []
        url = "tags/list"
        for _ in range(_MAX_PAGES):
            response = self._get(url, _MAX_JSON)
            listed = _json(response).get("tags")
            names += [str(tag).replace("_", "+") for tag in listed or []]
            following = _NEXT.search(response.headers.get("link", ""))
            if following is None:
                break
            url = urljoin(response.url, following[1])
        return names

    def _get(self, path: str, max_bytes: int, accept: str = "*/*") -> Response:
        url = urljoin(f"{self.base}/v2/{self.name}/", path)
        if not url.startswith(f"{self.base}/"):
            raise FetchError(f"{shown(url)}: the registry points to another host")
        headers = {"Accept": accept}
        for allowed in (frozenset({200, 401}), frozenset({200})):
            if self.authorization:
                headers["Authorization"] = self.authorization
            response = self.client.get(url, max_bytes=max_bytes, headers=headers, accept=allowed)
            if response.status != 401:
                return response
            self._authorize(response)
        raise FetchError(f"{shown(url)}: the registry denied access (401)", status=401)

    def _authorize(self, refusal: Response) -> None:
        """Answer a challenge: Basic with what we were given, Bearer by asking its realm."""
        challenge = refusal.headers.get("www-authenticate", "")
        scheme, _, rest = challenge.partition(" ")
        if scheme.lower() == "basic" and self.credentials:
            self.authorization = self.credentials.header
        elif scheme.lower() == "bearer":
            self.authorization = f"Bearer {self._token(dict(_PARAMETER.findall(rest)))}"
        else:
            raise FetchError(
                f"{shown(refusal.url)}: the registry requires credentials",
                status=401,
                hint="give a user name and a password or token for this registry",
            )

    def _token(self, challenge: Mapping[str, str]) -> str:
        wanted = {"scope": f"repository:{self.name}:pull"}
        if service := challenge.get("service"):
            wanted["service"] = service
        realm = challenge.get("realm", "")
        join = "&" if "?" in realm else "?"
        response = self.client.get(
            f"{realm}{join}{urlencode(wanted)}", max_bytes=_MAX_JSON, credentials=self.credentials
        )
        answer = _json(response)
        token = answer.get("token") or answer.get("access_token")
        if not isinstance(token, str) or not token.isascii() or not token.isprintable():
            raise FetchError(f"{shown(response.url)}: the registry's answer contains no token")
        return token


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


def _json(response: Response) -> Mapping[str, Any]:
    try:
        value = json.loads(response.body)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise FetchError(f"{shown(response.url)}: the answer is not a valid registry response")
    return value
