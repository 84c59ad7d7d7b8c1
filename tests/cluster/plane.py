"""A control plane on loopback: etcd and kube-apiserver as ordinary processes, ended by pid."""

import base64
import contextlib
import json
import ssl
import urllib.error
import urllib.request
from urllib.parse import quote

from tests.cluster import process, programs
from tests.loopback import free_port

ADMIN, READER = "admin-token", "reader-token"
_KINDS = {"NetworkPolicy": "networkpolicies", "Ingress": "ingresses"}


class Plane:
    """A running API server: address, tokens, and what tests ask of it."""

    def __init__(self, url, authority):
        self.url = url
        self.authority = authority
        self.context = None
        self._resources = {}

    def call(self, method, path, body=None, *, token=ADMIN, content="application/json"):
        """One request; returns status and decoded answer."""
        data = None if body is None else json.dumps(body, ensure_ascii=False).encode()
        request = urllib.request.Request(self.url + path, data=data, method=method)
        request.add_header("Authorization", f"Bearer {token}")
        request.add_header("Content-Type", content)
        try:
            with urllib.request.urlopen(request, context=self.context, timeout=120) as answer:
                return answer.status, json.loads(answer.read() or b"{}")
        except urllib.error.HTTPError as error:
            with error:
                with contextlib.suppress(ValueError):  # of a path that it does not know, as text
                    return error.code, json.loads(error.read() or b"{}")
                return error.code, {}

    def get(self, path):
        """The object at the path, or None."""
        status, answer = self.call("GET", path)
        return answer if status == 200 else None

    def apply(self, manifest, *, manager="test"):
        """Server-side apply with strict field validation; returns the stored object."""
        status, answer = self.try_apply(manifest, manager=manager)
        name = manifest["metadata"]["name"]
        assert status in (200, 201), f"{manifest['kind']} {name}: {answer.get('message')}"
        return answer

    def try_apply(self, manifest, *, manager="test"):
        """The same; returns status and answer, whatever they are."""
        path = self.path(manifest) + f"?fieldManager={manager}&force=true&fieldValidation=Strict"
        return self.call("PATCH", path, manifest, content="application/apply-patch+yaml")

    def serves(self, manifest):
        """Whether the server knows the manifest's kind."""
        version, kind = manifest["apiVersion"], manifest["kind"]
        return (version, kind) in self._resources or self._discover(version, kind)

    def merge_patch(self, path, change):
        """Change an object as somebody with kubectl would."""
        status, answer = self.call("PATCH", path, change, content="application/merge-patch+json")
        assert status == 200, answer.get("message")
        return answer

    def path(self, manifest):
        """The object's path, from what the server says of its kinds.

        A definition that was applied a moment ago is waited for.
        """
        version, kind = manifest["apiVersion"], manifest["kind"]
        if (version, kind) not in self._resources:
            process.until(lambda: self._discover(version, kind), f"{kind} in {version}")
        prefix, entry = self._resources[version, kind]
        metadata = manifest["metadata"]
        where = f"/namespaces/{metadata['namespace']}" if entry["namespaced"] else ""
        return f"{prefix}{where}/{entry['name']}/{quote(metadata['name'])}"

    def _discover(self, version, kind):
        prefix = f"/apis/{version}" if "/" in version else f"/api/{version}"
        for item in (self.get(prefix) or {}).get("resources", []):
            if "/" not in item["name"]:
                self._resources[version, item["kind"]] = (prefix, item)
        return (version, kind) in self._resources

    def kubeconfig(self, file, *, token):
        """Write a kubeconfig with one context, named `plane`."""
        authority = base64.b64encode(self.authority.read_bytes()).decode()
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "plane",
            "clusters": [
                {
                    "name": "plane",
                    "cluster": {"server": self.url, "certificate-authority-data": authority},
                }
            ],
            "users": [{"name": "plane", "user": {"token": token}}],
            "contexts": [{"name": "plane", "context": {"cluster": "plane", "user": "plane"}}],
        }
        file.write_text(json.dumps(config), encoding="utf-8")
        return file


@contextlib.contextmanager
def running(folder):
    """Start etcd and kube-apiserver below `folder`; stop exactly these two at the end."""
    store = f"http://127.0.0.1:{free_port()}"
    with process.running(_etcd(folder, store), folder / "etcd.log"):
        arguments, url = _apiserver(folder, store)
        log = folder / "kube-apiserver.log"
        with process.running(arguments, log):
            plane = Plane(url, folder / "certs" / "apiserver.crt")
            process.until(lambda: _answers(plane), "kube-apiserver", log=log)
            yield plane


def _etcd(folder, client):
    peer = f"http://127.0.0.1:{free_port()}"
    return [
        programs.find("etcd"),
        "--data-dir",
        folder / "etcd",
        "--unsafe-no-fsync",
        "--listen-client-urls",
        client,
        "--advertise-client-urls",
        client,
        "--listen-peer-urls",
        peer,
        "--initial-advertise-peer-urls",
        peer,
        "--initial-cluster",
        f"default={peer}",
        "--log-level",
        "error",
    ]


def _apiserver(folder, store):
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    port = free_port()
    tokens = folder / "tokens.csv"
    tokens.write_text(f"{ADMIN},admin,1,system:masters\n{READER},gen-env,2\n", encoding="utf-8")
    key = folder / "sa.key"
    key.write_bytes(
        rsa.generate_private_key(65537, 2048).private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )
    )
    return [
        programs.find("kube-apiserver"),
        f"--etcd-servers={store}",
        "--bind-address=127.0.0.1",
        f"--secure-port={port}",
        f"--cert-dir={folder / 'certs'}",
        "--service-cluster-ip-range=10.96.0.0/16",
        f"--token-auth-file={tokens}",
        "--authorization-mode=RBAC",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={key}",
        f"--service-account-signing-key-file={key}",
        "--endpoint-reconciler-type=none",
    ], f"https://127.0.0.1:{port}"


def _answers(plane):
    if not plane.authority.is_file():
        return False
    plane.context = ssl.create_default_context(cafile=str(plane.authority))
    return plane.call("GET", "/api/v1/namespaces/kube-system")[0] == 200
