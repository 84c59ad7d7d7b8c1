"""A small Kubernetes API server on loopback: real HTTP, JSON, watches; faults on demand.

It keeps objects by their collection's path and gives each change a version. It is no judge of
manifests: what it is given, it stores. Everything that tests pretend about an API server is here.
"""

import contextlib
import copy
import json
import re
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TOKEN = "token-of-the-tests"
_PATH = re.compile(
    r"^/(?:api|apis/(?P<group>[^/]+))/(?P<version>[^/]+)"
    r"(?:/namespaces/(?P<namespace>[^/]+))?/(?P<plural>[^/]+)(?:/(?P<name>[^/]+))?(?P<rest>/.+)?$"
)
SERVED = {
    "v1": ["pods", "services", "configmaps", "secrets", "persistentvolumeclaims", "events"],
    "apps/v1": ["deployments", "statefulsets", "daemonsets"],
    "batch/v1": ["jobs", "cronjobs"],
    "autoscaling/v2": ["horizontalpodautoscalers"],
    "argoproj.io/v1alpha1": ["applications"],
    "bitnami.com/v1alpha1": ["sealedsecrets"],
    "keda.sh/v1alpha1": ["scaledobjects"],
}
KINDS = {
    "pods": "Pod",
    "services": "Service",
    "configmaps": "ConfigMap",
    "secrets": "Secret",
    "persistentvolumeclaims": "PersistentVolumeClaim",
    "events": "Event",
    "deployments": "Deployment",
    "statefulsets": "StatefulSet",
    "daemonsets": "DaemonSet",
    "jobs": "Job",
    "cronjobs": "CronJob",
    "horizontalpodautoscalers": "HorizontalPodAutoscaler",
    "applications": "Application",
    "sealedsecrets": "SealedSecret",
    "scaledobjects": "ScaledObject",
}


class FakeApiServer:
    """Use as a context manager; `kubeconfig(directory)` writes the file that leads to it."""

    def __init__(self):
        self.changed = threading.Condition()
        self.version = 100
        self.oldest = 0
        self.objects = {}
        self.history = []
        self.requests = []
        self.faults = []
        self.tokens = {TOKEN}
        self.denied = set()
        self.logs = {}
        self.services = {}
        self.documents = {}
        self.page = 0
        self.streams = 0
        self.generation = 0
        self.defaults = lambda manifest: manifest
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.drop_watches()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def kubeconfig(self, directory, token=TOKEN):
        path = directory / "kubeconfig"
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "fake",
            "clusters": [{"name": "fake", "cluster": {"server": self.url}}],
            "users": [{"name": "fake", "user": {"token": token}}],
            "contexts": [{"name": "fake", "context": {"cluster": "fake", "user": "fake"}}],
        }
        path.write_text(json.dumps(config))
        return str(path)

    def put(self, *manifests):
        """Create or replace objects, as a controller would."""
        with self.changed:
            for manifest in manifests:
                key = self._key(manifest)
                kind = "MODIFIED" if key in self.objects else "ADDED"
                self._record(kind, key, copy.deepcopy(manifest))
            self.changed.notify_all()

    def delete(self, manifest):
        with self.changed:
            key = self._key(manifest)
            self._record("DELETED", key, self.objects[key])
            del self.objects[key]
            self.changed.notify_all()

    def fail(self, match, status, *, times=1, headers=None, method=""):
        """Answer the next requests whose path and query contain `match` with an error.

        Status 0 breaks the connection without an answer, "watch-error" sends an ERROR event.
        """
        self.faults.append([match, status, times, headers or {}, method])

    def drop_watches(self):
        """Break every open watch in the middle, as a restart does."""
        with self.changed:
            self.generation += 1
            self.changed.notify_all()

    def compact(self):
        """Forget every version so far: a watch from one of them is told 410 Gone."""
        with self.changed:
            self.oldest = self.version
            self.history.clear()

    def asked(self, match):
        return [path for path in list(self.requests) if match in path]

    def _record(self, kind, key, manifest):
        self.version += 1
        manifest.setdefault("metadata", {})["resourceVersion"] = str(self.version)
        if kind != "DELETED":
            self.objects[key] = manifest
        self.history.append((self.version, kind, key, copy.deepcopy(manifest)))

    def _key(self, manifest):
        plural = next(name for name, kind in KINDS.items() if kind == manifest["kind"])
        metadata = manifest["metadata"]
        return (manifest["apiVersion"], plural, metadata.get("namespace", ""), metadata["name"])


def _handler(fake):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_):
            pass

        def do_GET(self):
            self.answer("GET")

        def do_POST(self):
            self.answer("POST")

        def do_PATCH(self):
            self.answer("PATCH")

        def answer(self, method):
            with contextlib.suppress(ConnectionError):
                length = int(self.headers.get("Content-Length") or 0)
                self.body = self.rfile.read(length)
                self.route(method)

        def route(self, method):
            fake.requests.append(f"{method} {self.path}")
            url = urllib.parse.urlsplit(self.path)
            query = dict(urllib.parse.parse_qsl(url.query))
            for fault in fake.faults:
                match, status, times, headers, only = fault
                if times and match in self.path and only in ("", method):
                    fault[2] -= 1
                    return self.fault(status, headers)
            if self.headers.get("Authorization") not in {f"Bearer {it}" for it in fake.tokens}:
                return self.error(401, "Unauthorized")
            if url.path.endswith("/selfsubjectaccessreviews"):
                return self.review()
            if url.path in fake.documents:
                return self.json(fake.documents[url.path])
            version = url.path.removeprefix("/apis/").removeprefix("/api/")
            if version in SERVED:
                return self.discovery(version)
            found = _PATH.match(url.path)
            if not found:
                return self.error(404, "the server could not find the requested resource")
            return self.resource(method, found, query)

        def resource(self, method, found, query):
            group, version = found["group"], found["version"]
            api_version = f"{group}/{version}" if group else version
            plural, name = found["plural"], found["name"]
            rest = found["rest"] or ""
            verb = {"GET": "get" if name else "list", "PATCH": "patch", "POST": "create"}[method]
            verb = "watch" if query.get("watch") == "true" else verb
            target = plural + "/" + rest.strip("/").split("/")[0] if rest else plural
            if (verb, target) in fake.denied:
                return self.error(403, f'{target} is forbidden: cannot {verb} resource "{target}"')
            if plural not in SERVED.get(api_version, []):
                return self.error(404, "the server could not find the requested resource")
            key = (api_version, plural, found["namespace"] or "", name or "")
            if rest == "/log":
                return self.log(key, query)
            if plural == "services" and rest.startswith("/proxy"):
                return self.proxy(name, rest.removeprefix("/proxy"))
            if method == "PATCH":
                return self.apply(key, query)
            if verb == "watch":
                return self.watch(key, query)
            return self.get(key) if name else self.list(key, query)

        def get(self, key):
            with fake.changed:
                found = copy.deepcopy(fake.objects.get(key))
            return self.json(found) if found else self.error(404, f"{key[1]} {key[3]} not found")

        def list(self, key, query):
            with fake.changed:
                items = [
                    _bare(item)
                    for own, item in sorted(fake.objects.items())
                    if _selected(own, item, key, query)
                ]
                metadata = {"resourceVersion": str(fake.version)}
            start = int(query.get("continue") or 0)
            if fake.page and start + fake.page < len(items):
                metadata["continue"] = str(start + fake.page)
            if fake.page:
                items = items[start : start + fake.page]
            self.json({"kind": "List", "apiVersion": "v1", "metadata": metadata, "items": items})

        def watch(self, key, query):
            since, generation = int(query.get("resourceVersion") or 0), fake.generation
            if since < fake.oldest:
                return self.error(410, "too old resource version")
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            fake.streams += 1
            remaining = float(query.get("timeoutSeconds") or 60)
            while remaining > 0:
                with fake.changed:
                    if not [1 for version, *_ in fake.history if version > since]:
                        fake.changed.wait(0.1)
                        remaining -= 0.1
                    fresh = [entry for entry in fake.history if entry[0] > since]
                    if fake.generation != generation:
                        self.close_connection = True
                        return self.connection.shutdown(2)
                for version, kind, own, manifest in fresh:
                    since = version
                    if _selected(own, manifest, key, query):
                        self.chunk({"type": kind, "object": manifest})
                    else:
                        bookmark = {"metadata": {"resourceVersion": str(version)}}
                        self.chunk({"type": "BOOKMARK", "object": bookmark})
            self.wfile.write(b"0\r\n\r\n")

        def chunk(self, event):
            data = json.dumps(event).encode() + b"\n"
            self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
            self.wfile.flush()

        def apply(self, key, query):
            if query.get("dryRun") != "All":
                return self.error(500, "a test tried to write")
            wanted = json.loads(self.body)
            with fake.changed:
                live = copy.deepcopy(fake.objects.get(key)) or {}
            self.json(fake.defaults(_merged(live, wanted)))

        def log(self, key, query):
            previous = query.get("previous") == "true"
            lines = fake.logs.get((key[3], query.get("container"), previous))
            if lines is None:
                return self.error(400, "previous terminated container not found")
            text = "".join(line + "\n" for line in lines[-int(query["tailLines"]) :])
            return self.raw(200, text.encode(), "text/plain")

        def proxy(self, service, path):
            status, document = fake.services.get(
                (service, path), (503, {"message": "no endpoints"})
            )
            if isinstance(document, bytes):
                return self.raw(status, document, "text/plain")
            return self.raw(status, json.dumps(document).encode(), "application/json")

        def review(self):
            wanted = json.loads(self.body)["spec"]["resourceAttributes"]
            target = wanted["resource"]
            if wanted.get("subresource"):
                target += "/" + wanted["subresource"]
            allowed = (wanted["verb"], target) not in fake.denied
            self.json({"kind": "SelfSubjectAccessReview", "status": {"allowed": allowed}}, 201)

        def discovery(self, version):
            resources = [
                {"name": name, "kind": KINDS[name], "namespaced": True} for name in SERVED[version]
            ]
            self.json({"kind": "APIResourceList", "groupVersion": version, "resources": resources})

        def fault(self, status, headers):
            if status == 0:
                self.close_connection = True
                return self.connection.shutdown(2)
            if status == "watch-error":
                gone = {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old"}
                line = json.dumps({"type": "ERROR", "object": gone}) + "\n"
                return self.raw(200, line.encode(), "application/json")
            if status == "garbage":
                return self.raw(200, b"<html>\n", "text/html")
            return self.error(status, "injected by the test", headers)

        def error(self, status, message, headers=None):
            body = {"kind": "Status", "status": "Failure", "message": message, "code": status}
            self.raw(status, json.dumps(body).encode(), "application/json", headers)

        def json(self, document, status=200):
            self.raw(status, json.dumps(document).encode(), "application/json")

        def raw(self, status, data, kind, headers=None):
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(data)))
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

    return Handler


def _bare(manifest):
    """Members of a list have no apiVersion and no kind on a real server either."""
    return {name: value for name, value in manifest.items() if name not in ("apiVersion", "kind")}


def _selected(own, manifest, key, query):
    if own[:2] != key[:2] or (key[2] and own[2] != key[2]):
        return False
    labels = manifest["metadata"].get("labels") or {}
    for part in filter(None, query.get("labelSelector", "").split(",")):
        name, equals, value = part.partition("=")
        if part.startswith("!"):
            if part[1:] in labels:
                return False
        elif equals and labels.get(name) != value:
            return False
    for part in filter(None, query.get("fieldSelector", "").split(",")):
        path, _, value = part.partition("=")
        found = manifest
        for name in path.split("."):
            found = found.get(name, {})
        if found != value:
            return False
    return True


def _merged(live, wanted):
    """What server-side apply does to mappings; a list is replaced."""
    if isinstance(live, dict) and isinstance(wanted, dict):
        names = [*live, *(name for name in wanted if name not in live)]
        return {
            name: _merged(live.get(name), wanted[name]) if name in wanted else live[name]
            for name in names
        }
    return wanted
