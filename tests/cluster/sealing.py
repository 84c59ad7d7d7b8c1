"""The sealed-secrets controller, as a process that takes itself for a pod of kube-system."""

import contextlib
import os
import shutil
import urllib.parse
import urllib.request

from tests.cluster import process, programs
from tests.cluster.plane import ADMIN
from tests.loopback import free_port


@contextlib.contextmanager
def running(plane, folder):
    """Start it below `folder`; gives the URL of its public certificate."""
    home = folder / "sealed-secrets"
    account = home / "serviceaccount"
    account.mkdir(parents=True)
    (account / "token").write_text(ADMIN, encoding="utf-8")
    shutil.copyfile(plane.authority, account / "ca.crt")
    address = urllib.parse.urlsplit(plane.url)
    environ = {
        **os.environ,
        "KUBERNETES_SERVICE_HOST": address.hostname,
        "KUBERNETES_SERVICE_PORT": str(address.port),
        "POD_NAMESPACE": "kube-system",
    }
    served, metrics = free_port(), free_port()
    command = [
        programs.find("sealed-secrets"),
        "--key-size=2048",
        f"--listen-addr=127.0.0.1:{served}",
        f"--listen-metrics-addr=127.0.0.1:{metrics}",
    ]
    log = home / "controller.log"
    with process.running(command, log, folder=home, environ=environ):
        url = f"http://127.0.0.1:{served}/v1/cert.pem"
        process.until(lambda: _certificate(url), "the controller's certificate", log=log)
        yield url


def _certificate(url):
    with urllib.request.urlopen(url, timeout=10) as answer:
        return b"BEGIN CERTIFICATE" in answer.read()
