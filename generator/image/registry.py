"""Images in a registry: manifests as JSON, layers fetched to a temporary file and read there."""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from generator.chart.chart import ChartError
from generator.chart.http import Client, Credentials
from generator.chart.registry import Repository
from generator.core.errors import UserError
from generator.core.http_policy import Policy
from generator.image.layers import Image, Layers

# image-spec 1.1 and Docker's own, each as one image or as an index of platforms.
ACCEPT = ", ".join(
    (
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.v2+json",
    )
)
_MAX_LAYER = 8 << 30
_POLICY = Policy(max_bytes=64 << 20, redirects=5, read_seconds=60, total_seconds=1800)
# What a name without a host stands for (github.com/distribution/reference, normalize.go).
_HUB, _HUB_API, _HUB_AUTH = "docker.io", "registry-1.docker.io", "https://index.docker.io/v1/"


class Registry(Layers):
    """One image of a registry, by its name and a tag or digest, for one platform or all."""

    def __init__(
        self, repository: str, reference: str, platform: str = "", client: Client | None = None
    ) -> None:
        """`repository` is as in a pod: `apache/airflow`, `registry:5000/team/airflow`.

        Raises FetchError for a name that is not valid, UserError for a broken credentials file.
        """
        self.name = f"{repository}{'@' if ':' in reference else ':'}{reference}"
        self._repository = remote(repository, client or Client(_POLICY))
        self._reference, self._wanted = reference, platform
        self._known: dict[str, bytes] = {}

    def close(self) -> None:
        """See Layers: every connection is closed by now."""

    def error(self, message: str) -> UserError:
        """See Layers."""
        return UserError(f"{self.name}: {message}", hint="write the facts by hand with --airflow")

    def images(self) -> tuple[Image, ...]:
        """See Layers; of the one platform where one is named. The name's own digest is first."""
        body = self._manifest(self._reference)
        digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
        self._known[digest] = body
        found = tuple(self.below({"manifests": [{"digest": digest}]}))
        chosen = tuple(item for item in found if self._wanted in ("", item.platform))
        if not chosen:
            known = ", ".join(sorted(filter(None, (item.platform for item in found))))
            raise self.error(
                f"no image for {self._wanted}: it has {known or 'one without a platform'}"
                if found
                else "no image in this index"
            )
        return tuple(
            Image(item.layers, (self.name,), item.digests[::-1], item.platform) for item in chosen
        )

    def document(self, digest: str) -> Any:
        """See Layers."""
        body = self._known.get(digest) or self._manifest(digest)
        return self.parsed(body, digest)

    def stream(self, layer: str) -> IO[bytes]:
        """See Layers: fetched to a temporary file, whose digest is checked."""
        try:
            return self._fetched(layer)
        except OSError as error:
            raise self.error(f"cannot keep layer {layer} on disk: {error.strerror}") from None

    def _fetched(self, layer: str) -> IO[bytes]:
        file = tempfile.TemporaryFile(prefix="gen-env-layer-")  # noqa: SIM115 (closed by `files`)
        try:
            self._repository.blob(layer, _MAX_LAYER, into=file)
            file.seek(0)
            algorithm, _, stated = layer.partition(":")
            if hashlib.file_digest(file, algorithm).hexdigest() != stated:
                raise self.error(f"layer {layer} has another digest: damaged or tampered with")
        except BaseException:
            with contextlib.suppress(OSError):
                file.close()
            raise
        file.seek(0)
        return file

    def _manifest(self, reference: str) -> bytes:
        try:
            return self._repository.manifest(reference, ACCEPT).body
        except ChartError as error:
            raise self.error(error.message) from None


def remote(repository: str, client: Client) -> Repository:
    """A repository of images as the registry's API has it, with this machine's credentials for it.

    Raises FetchError for a name that is not valid, UserError for a broken credentials file.
    """
    host, path = located(repository)
    api = _HUB_API if host == _HUB else host
    return Repository.parse(f"oci://{api}/{path}", client, credentials(host))


def located(repository: str) -> tuple[str, str]:
    """Host and path of a repository as a container runtime reads it."""
    first, slash, rest = repository.partition("/")
    if slash and (any(mark in first for mark in ".:") or first == "localhost"):
        host, path = first, rest
    else:
        host, path = _HUB, repository
    if host in (_HUB, f"index.{_HUB}"):
        return _HUB, path if "/" in path else f"library/{path}"
    return host, path


def credentials(host: str) -> Credentials | None:
    """What `docker login` or `podman login` left for a host (containers-auth.json(5)).

    Raises UserError for a file that cannot be read; credential helpers are not started.
    """
    names = (host, _HUB_AUTH) if host == _HUB else (host, f"https://{host}", f"https://{host}/v2/")
    for path in _files():
        try:
            auths = json.loads(path.read_bytes())["auths"]
            entry = next((auths[name] for name in names if name in auths), None)
            if entry is not None and entry.get("auth"):
                pair = base64.b64decode(entry["auth"], validate=True).decode()
                user, _, password = pair.partition(":")
                return Credentials(user, password)
        except (FileNotFoundError, NotADirectoryError, KeyError):
            continue
        except (OSError, ValueError, TypeError, AttributeError, binascii.Error):
            raise UserError("cannot read the registry credentials", path=str(path)) from None
    return None


def _files() -> Iterator[Path]:
    environment = os.environ
    if file := environment.get("REGISTRY_AUTH_FILE"):
        yield Path(file)
        return
    yield Path(environment.get("DOCKER_CONFIG") or Path.home() / ".docker") / "config.json"
    if runtime := environment.get("XDG_RUNTIME_DIR"):
        yield Path(runtime) / "containers" / "auth.json"
