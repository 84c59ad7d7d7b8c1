"""Argo CD as processes: redis, repository server and application controller, and no web server."""

import contextlib
import gzip
import json
import os
import shutil
import socket

from tests.cluster import process, programs
from tests.cluster.plane import ADMIN
from tests.loopback import free_port

PROGRAMS = ("redis-server", "argo-cd", "helm")
NAMESPACE = "argocd"
_RESYNC = 3
"""Seconds between two looks at git: nobody sends a webhook here."""


class ArgoCD:
    """The running parts; the controller can be stopped and started again."""

    def __init__(self, command, folder, environ, redis):
        self._command = command
        self._redis = redis
        self._log = folder / "application-controller.log"
        self._environ = environ
        self._running = contextlib.ExitStack()

    def start(self):
        self._running.enter_context(
            process.running(self._command, self._log, environ=self._environ)
        )

    def stop(self):
        self._running.close()

    def manifests(self, application, revisions):
        """What the repository server renders of each source at these revisions, made anew."""
        answers = process.until(
            lambda: self._fresh(f"mfst|*|{application}|*", sorted(revisions)), "rendered sources"
        )
        return [json.loads(text) for answer in answers for text in answer["manifests"]]

    def _fresh(self, pattern, revisions):
        """The answers of one comparison in the server's cache; none if another came between."""
        for key in _ask(self._redis, "KEYS", pattern):
            _ask(self._redis, "DEL", key)
        process.until(
            lambda: len(_ask(self._redis, "KEYS", pattern)) >= len(revisions), "a comparison"
        )
        keys = _ask(self._redis, "KEYS", pattern)
        packed = [_ask(self._redis, "GET", key) for key in keys]
        answers = [json.loads(gzip.decompress(entry))["manifestResponse"] for entry in packed]
        return answers if sorted(item["revision"] for item in answers) == revisions else []


@contextlib.contextmanager
def running(plane, folder):
    """Start it below `folder`, with the settings that its installation would have made."""
    for manifest in _settings():
        plane.apply(manifest)
    redis, repository = free_port(), free_port()
    config = plane.kubeconfig(folder / "kubeconfig", token=ADMIN)
    environ = _environ(folder, config)
    with contextlib.ExitStack() as stack:
        for name, command, port in (
            ("redis", _redis(folder, redis), redis),
            ("repository-server", _repository(redis, repository), repository),
        ):
            log = folder / f"{name}.log"
            stack.enter_context(process.running(command, log, environ=environ))
            process.until(lambda port=port: _listens(port), name, log=log)
        found = ArgoCD(_controller(config, redis, repository), folder, environ, redis)
        found.start()
        stack.callback(found.stop)
        yield found


def _environ(folder, config):
    """PATH with helm in it, a home and a temporary folder of its own, no keyring.

    "In the cluster" means the cluster of the kubeconfig, as when Argo CD is developed.
    """
    programs_folder, temporary = folder / "bin", folder / "tmp"
    programs_folder.mkdir()
    temporary.mkdir()
    shutil.copy(programs.find("helm"), programs_folder / "helm")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ARGOCD_")}
    return {
        **kept,
        "PATH": f"{programs_folder}:{os.environ['PATH']}",
        "HOME": str(folder),
        "TMPDIR": str(temporary),
        "KUBECONFIG": str(config),
        "ARGOCD_FAKE_IN_CLUSTER": "true",
        "ARGOCD_GPG_ENABLED": "false",
        "ARGOCD_TLS_DATA_PATH": str(folder / "tls"),
        "ARGOCD_SSH_DATA_PATH": str(folder / "ssh"),
    }


def _redis(folder, port):
    return [
        programs.find("redis-server"),
        *(
            "--port",
            port,
            "--bind",
            "127.0.0.1",
            "--dir",
            folder,
            "--save",
            "",
            "--appendonly",
            "no",
        ),
    ]


def _repository(redis, port):
    return [
        programs.find("argo-cd"),
        "argocd-repo-server",
        f"--redis=127.0.0.1:{redis}",
        "--address=127.0.0.1",
        f"--port={port}",
        "--metrics-address=127.0.0.1",
        f"--metrics-port={free_port()}",
        "--disable-tls",
        "--revision-cache-expiration=1s",
        "--loglevel=warn",
    ]


def _controller(config, redis, repository):
    return [
        programs.find("argo-cd"),
        "argocd-application-controller",
        f"--kubeconfig={config}",
        f"--namespace={NAMESPACE}",
        f"--redis=127.0.0.1:{redis}",
        f"--repo-server=127.0.0.1:{repository}",
        "--repo-server-plaintext",
        f"--app-resync={_RESYNC}",
        "--app-resync-jitter=0",
        f"--metrics-port={free_port()}",
        "--loglevel=warn",
    ]


def _settings():
    """What Argo CD will not start without, and the project that its web server would make."""
    labels = {"app.kubernetes.io/part-of": "argocd"}

    def manifest(kind, name, **more):
        metadata = {"name": name, "namespace": NAMESPACE, "labels": labels}
        return {"apiVersion": "v1", "kind": kind, "metadata": metadata, **more}

    everything = {"group": "*", "kind": "*"}
    yield {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
    yield manifest("ConfigMap", "argocd-cm")
    yield manifest("Secret", "argocd-secret")
    yield {
        **manifest("AppProject", "default"),
        "apiVersion": "argoproj.io/v1alpha1",
        "spec": {
            "sourceRepos": ["*"],
            "destinations": [{"namespace": "*", "server": "*"}],
            "clusterResourceWhitelist": [everything],
        },
    }


def _listens(port):
    with socket.create_connection(("127.0.0.1", port), timeout=5):
        return True


def _ask(port, *words):
    """One command of redis and its answer."""
    words = [word if isinstance(word, bytes) else word.encode() for word in words]
    parts = [b"$%d\r\n%b\r\n" % (len(word), word) for word in words]
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(b"*%d\r\n" % len(words) + b"".join(parts))
        with connection.makefile("rb") as stream:
            return _answer(stream)


def _answer(stream):
    kind, text = (line := stream.readline().rstrip(b"\r\n"))[:1], line[1:]
    if kind == b"*":
        return [_answer(stream) for _ in range(int(text))]
    if kind == b"$":
        return stream.read(int(text) + 2)[:-2] if text != b"-1" else None
    return text
