"""A cluster as verification and the live diff see it: reading, and dry runs that change nothing."""

from __future__ import annotations

import json
import os
import urllib.parse
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from generator.cluster import kinds
from generator.cluster.connection import Connection, Stream, from_kubeconfig, from_pod
from generator.cluster.errors import ClusterError, Trouble, from_status
from generator.cluster.objects import Event, Listing, trimmed
from generator.kube.resource import Object, group_of
from generator.kube.resource_type import ResourceType

_PAGE = "500"
_MAX_OBJECTS = 5_000
"""Objects of one kind in one namespace that are read before we give up: memory stays bounded."""
_LOG_BYTES = "16384"
_WATCH_SLACK = 15.0
_SERVICE_HOST = "KUBERNETES_SERVICE_HOST"


class Cluster:
    """One API server, reached by one identity. Every method raises ClusterError."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._types: dict[tuple[str, str], ResourceType | None] = {}

    @classmethod
    def connect(
        cls, context: str = "", *, kubeconfig: str = "", environ: Mapping[str, str] = os.environ
    ) -> Cluster:
        """The cluster of a kubeconfig's context, or the one that we run in.

        Without a context and without a kubeconfig in sight a pod uses its service account. Nothing
        is read or asked before the first request.
        """
        path = kubeconfig or environ.get("KUBECONFIG", "")
        if not context and not path and environ.get(_SERVICE_HOST):
            return cls(Connection(from_pod, "the cluster that gen-env runs in"))
        path = path or str(Path(environ.get("HOME", "~")).expanduser() / ".kube" / "config")
        name = f"context {context}" if context else "the kubeconfig's current context"
        return cls(Connection(from_kubeconfig(path, context), name))

    @property
    def name(self) -> str:
        """How messages call this cluster."""
        return self._connection.name

    def close(self) -> None:
        """Let go of its connections."""
        self._connection.close()

    def server(self) -> str:
        """The URL of the API server, as the kubeconfig has it."""
        return self._connection.server()

    def version(self) -> str:
        """What the server says that it is, such as `v1.34.2-eks-ecaa3a6`."""
        return str(self._connection.json("GET", "/version").get("gitVersion") or "")

    def api_versions(self) -> tuple[str, ...]:
        """Every group with each version that the server serves, but the core group: `apps/v1`."""
        groups = self._connection.json("GET", "/apis").get("groups")
        versions = (
            str(version.get("groupVersion"))
            for group in (groups if isinstance(groups, list) else ())
            for version in group.get("versions") or ()
        )
        return tuple(sorted(versions))

    def get(self, resource: ResourceType, namespace: str, name: str) -> Object | None:
        """One object as it is, or None."""
        try:
            return self._connection.json("GET", resource.path(namespace, name))
        except ClusterError as error:
            if error.trouble is Trouble.NOT_FOUND:
                return None
            raise

    def list(
        self, resource: ResourceType, namespace: str, *, selector: str = "", fields: str = ""
    ) -> Listing:
        """The collection, page by page, each object trimmed."""
        items: list[Object] = []
        query = {**_selectors(selector, fields), "limit": _PAGE}
        while True:
            page = self._connection.json("GET", resource.path(namespace), query=query)
            metadata = page.get("metadata") or {}
            for item in page.get("items") or []:
                items.append(_typed(trimmed(item), resource))
            if len(items) > _MAX_OBJECTS:
                raise ClusterError(
                    Trouble.SERVER, f"more than {_MAX_OBJECTS} {resource.plural} in {namespace}"
                )
            if not metadata.get("continue"):
                return Listing(tuple(items), str(metadata.get("resourceVersion") or ""))
            query = {**query, "continue": str(metadata["continue"])}

    def watch(
        self,
        resource: ResourceType,
        namespace: str,
        *,
        version: str,
        selector: str = "",
        fields: str = "",
        seconds: float = 240.0,
        opened: Callable[[Stream], None] | None = None,
    ) -> Iterator[Event]:
        """Changes since a version, until the server ends the watch after `seconds`.

        `opened` is given the stream once the server has accepted, so that another thread can close
        it. Raises ClusterError with GONE when the version is too old to go on from.
        """
        query = {
            **_selectors(selector, fields),
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": version,
            "timeoutSeconds": str(int(seconds)),
        }
        path = resource.path(namespace)
        stream = self._connection.stream(path, query=query, timeout=seconds + _WATCH_SLACK)
        if opened is not None:
            opened(stream)
        try:
            for line in stream:
                if line.strip():
                    yield _event(line, resource, f"watch of {resource.plural} in {namespace}")
        finally:
            stream.close()

    def log_tail(
        self, namespace: str, pod: str, container: str, *, previous: bool, lines: int
    ) -> tuple[str, ...]:
        """The last lines of a container's log; none if there is no log (any more)."""
        query = {
            "container": container,
            "tailLines": str(lines),
            "limitBytes": _LOG_BYTES,
            "previous": "true" if previous else "false",
        }
        path = kinds.PODS.path(namespace, pod) + "/log"
        try:
            # The API server answers 406 to a narrower wish (a log is no API object).
            _, data = self._connection.request("GET", path, query=query, accept="*/*")
        except ClusterError as error:
            if error.trouble in (Trouble.NOT_FOUND, Trouble.REFUSED):
                return ()
            raise
        return tuple(data.decode("utf-8", "replace").splitlines()[-lines:])

    def service_get(self, namespace: str, service: str, port: str, path: str) -> bytes:
        """What a Service answers, asked through the API server's proxy."""
        name = urllib.parse.quote(f"{service}:{port}" if port else service, safe=":")
        base = f"/api/v1/namespaces/{urllib.parse.quote(namespace, safe='')}/services/{name}/proxy"
        return self._connection.request("GET", base + path, accept="*/*")[1]

    def allowed(
        self,
        verb: str,
        resource: str,
        *,
        group: str = "",
        namespace: str = "",
        subresource: str = "",
        name: str = "",
    ) -> bool:
        """Whether we may, by the server's own judgement (SelfSubjectAccessReview)."""
        attributes = {
            "verb": verb,
            "group": group,
            "resource": resource,
            "subresource": subresource,
            "namespace": namespace,
            "name": name,
        }
        review = {
            "apiVersion": kinds.REVIEWS.api_version,
            "kind": kinds.REVIEWS.kind,
            "spec": {"resourceAttributes": {key: it for key, it in attributes.items() if it}},
        }
        answer = self._connection.json("POST", kinds.REVIEWS.path(), body=review)
        status = answer.get("status")
        return isinstance(status, Mapping) and status.get("allowed") is True

    def resource_type(self, manifest: Object) -> ResourceType | None:
        """How the server serves the manifest's kind, or None if it does not (asked once)."""
        api_version, kind = str(manifest.get("apiVersion") or ""), str(manifest.get("kind") or "")
        if (api_version, kind) not in self._types:
            self._discover(api_version)
        return self._types.setdefault((api_version, kind), None)

    def apply_dry_run(self, manifest: Object, namespace: str, *, manager: str) -> Object:
        """The object as a server-side apply by that field manager would leave it, unapplied."""
        resource = self.resource_type(manifest)
        if resource is None:
            raise ClusterError(
                Trouble.NOT_FOUND, f"{self.name} does not serve {manifest.get('kind')}"
            )
        name = str((manifest.get("metadata") or {}).get("name") or "")
        return self._connection.json(
            "PATCH",
            resource.path(namespace, name),
            query={"dryRun": "All", "fieldManager": manager, "force": "true"},
            body=manifest,
            content_type="application/apply-patch+yaml",
        )

    def _discover(self, api_version: str) -> None:
        group = group_of(api_version)
        root = "/apis/" if group else "/api/"
        try:
            found = self._connection.json("GET", root + api_version)
        except ClusterError as error:
            if error.trouble is not Trouble.NOT_FOUND:
                raise
            return
        for item in found.get("resources") or []:
            if isinstance(item, Mapping) and "/" not in str(item.get("name")):
                kind = str(item.get("kind"))
                self._types[api_version, kind] = ResourceType(
                    group=group,
                    version=api_version.rpartition("/")[2],
                    plural=str(item.get("name")),
                    kind=kind,
                    namespaced=item.get("namespaced") is True,
                )


def _selectors(selector: str, fields: str) -> dict[str, str]:
    wanted = {"labelSelector": selector, "fieldSelector": fields}
    return {name: value for name, value in wanted.items() if value}


def _typed(manifest: dict[str, Any], resource: ResourceType) -> dict[str, Any]:
    """Members of a list come without apiVersion and kind."""
    return {"apiVersion": resource.api_version, "kind": resource.kind, **manifest}


def _event(line: bytes, resource: ResourceType, what: str) -> Event:
    """One line of a watch; an ERROR in it is an error like any other."""
    try:
        parsed = json.loads(line)
        kind, item = str(parsed["type"]), parsed["object"]
    except (ValueError, TypeError, KeyError):
        raise ClusterError(Trouble.SERVER, f"{what}: an event cannot be read") from None
    if not isinstance(item, dict):
        raise ClusterError(Trouble.SERVER, f"{what}: an event has no object")
    if kind == "ERROR":
        code = item.get("code")
        raise from_status(
            code if isinstance(code, int) else 500, str(item.get("message") or ""), what
        )
    return Event(kind, item if kind == "BOOKMARK" else _typed(trimmed(item), resource))
