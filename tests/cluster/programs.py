"""Programs that tests run: found, or built once from pinned Go modules."""

import argparse
import dataclasses
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TOOLS = Path(__file__).resolve().parent / "tools"
# Read at import: tests hide the home folder.
_CACHE = Path(
    os.environ.get("GEN_ENV_CLUSTER_TOOLS") or Path("~/.cache/gen-env/cluster-tools").expanduser()
)
_NAMED = {"helm": "GEN_ENV_HELM"}


@dataclasses.dataclass(frozen=True)
class Program:
    """Where a program comes from: a folder of `tools` with its module, and the package in it."""

    module: str
    package: str
    tags: str = ""
    definitions: str = ""
    """The folder of the module whose CustomResourceDefinitions are kept beside the program."""


# In order of worth: a build that runs out of time leaves the first ones for the tests.
PROGRAMS = {
    "etcd": Program("etcd", "go.etcd.io/etcd/server/v3"),
    "kube-apiserver": Program("kubernetes", "k8s.io/kubernetes/cmd/kube-apiserver"),
    "kube-controller-manager": Program(
        "kubernetes", "k8s.io/kubernetes/cmd/kube-controller-manager"
    ),
    "kube-scheduler": Program("kubernetes", "k8s.io/kubernetes/cmd/kube-scheduler"),
    "kwok": Program("kwok", "sigs.k8s.io/kwok/cmd/kwok"),
    "sealed-secrets": Program(
        "sealed-secrets", "github.com/bitnami-labs/sealed-secrets/cmd/controller"
    ),
    "kubeseal": Program("sealed-secrets", "github.com/bitnami-labs/sealed-secrets/cmd/kubeseal"),
    "argo-cd": Program("argo-cd", "."),
    "helm": Program("helm", "helm.sh/helm/v3/cmd/helm"),
    "cyclonus": Program("cyclonus", "."),
    "gitea": Program("gitea", "code.gitea.io/gitea", "sqlite sqlite_unlock_notify"),
    "source-controller": Program(
        "source-controller",
        "github.com/fluxcd/source-controller",
        definitions="config/crd/bases",
    ),
    "kustomize-controller": Program(
        "kustomize-controller", "github.com/fluxcd/kustomize-controller"
    ),
    "kubectl": Program("kubectl", "."),
    "statsd_exporter": Program("statsd_exporter", "github.com/prometheus/statsd_exporter"),
    "gofakes3": Program("gofakes3", "github.com/johannesboyne/gofakes3/cmd/gofakes3"),
}


def find(name):
    """The program in KUBEBUILDER_ASSETS, in our cache, or on PATH; None where it is nowhere."""
    named = os.environ.get(_NAMED.get(name, ""))
    assets = os.environ.get("KUBEBUILDER_ASSETS")
    places = (
        Path(named) if named else None,
        Path(assets) / name if assets else None,
        cached(name) if name in PROGRAMS else None,
    )
    for place in places:
        if place is not None and place.is_file():
            return place
    found = shutil.which(name)
    return Path(found) if found else None


def cached(name):
    """Where a built program is kept: the folder's name is a hash of the module that it is from."""
    digest = hashlib.sha256()
    for file in sorted((TOOLS / PROGRAMS[name].module).iterdir()):
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return _CACHE / digest.hexdigest()[:16] / name


def build(name, seconds=None):
    """Build one program with the Go toolchain; its modules come through the ordinary client.

    It is in the cache whole or not at all. Raises CalledProcessError, or TimeoutExpired when it
    takes longer than `seconds`; a later build goes on from what the Go cache has by then.
    """
    if seconds is not None and seconds <= 0:
        raise subprocess.TimeoutExpired("go", seconds)
    program, target = PROGRAMS[name], cached(name)
    target.parent.mkdir(parents=True, exist_ok=True)
    folder = TOOLS / program.module
    with tempfile.TemporaryDirectory(dir=target.parent) as part:
        made = Path(part) / name
        flags = ["-mod=readonly", *_patched(folder, Path(part)), "-ldflags", _flags(program)]
        flags += ["-tags", program.tags] if program.tags else []
        command = ["go", "build", *flags, "-o", made, program.package]
        subprocess.run(command, cwd=folder, check=True, timeout=seconds)
        if program.definitions:
            found = _sources(folder, program.package) / program.definitions
            shutil.copytree(found, definitions(name), dirs_exist_ok=True)
        made.replace(target)
    return target


def definitions(name):
    """The folder beside a built program with its own CustomResourceDefinitions."""
    return cached(name).parent / "definitions"


def _sources(folder, module):
    """Where the Go cache has the files of a module that the one in `folder` requires."""
    command = ["go", "mod", "download", "-json", module]
    done = subprocess.run(command, cwd=folder, check=True, stdout=subprocess.PIPE)
    return Path(json.loads(done.stdout)["Dir"])


def _patched(folder, part):
    """Build with a changed copy of one module, where the folder's `patch.json` asks for it."""
    if not (folder / "patch.json").is_file():
        return []
    patch = json.loads((folder / "patch.json").read_bytes())
    copy = part / "module"
    shutil.copytree(_sources(folder, patch["module"]), copy, copy_function=shutil.copyfile)
    file = copy / patch["file"]
    text = file.read_text(encoding="utf-8")
    assert patch["old"] in text, f"{patch['module']} has changed: {folder / 'patch.json'}"
    file.write_text(text.replace(patch["old"], patch["new"]), encoding="utf-8")
    for name in ("go.mod", "go.sum"):
        shutil.copyfile(folder / name, part / name)
    replacement = f"-replace={patch['module']}={copy}"
    subprocess.run(["go", "mod", "edit", replacement, part / "go.mod"], check=True)
    return [f"-modfile={part / 'go.mod'}"]


def _flags(program):
    """Without it what was built from the modules of Kubernetes takes itself for v0.0.0."""
    if program.module != "kubernetes":
        return "-s -w"
    text = (TOOLS / program.module / "go.mod").read_text(encoding="utf-8")
    version = re.search(r"k8s\.io/kubernetes (v(\d+)\.(\d+)\.\d+)", text)
    package = "k8s.io/component-base/version"
    return (
        f"-s -w -X {package}.gitVersion={version[1]} -X {package}.gitMajor={version[2]}"
        f" -X {package}.gitMinor={version[3]}"
    )


def main():
    """Build what is missing; one that cannot be built does not keep the others from it.

    `--within SECONDS` bounds all builds together; `--path NAME` prints where a program is.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("--within", type=float, default=7200.0, metavar="SECONDS")
    parser.add_argument("--path", metavar="NAME")
    options = parser.parse_args()
    if options.path:
        sys.exit(print(find(options.path) or ""))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped: time is up"))
    if shutil.which("go") is None and any(find(name) is None for name in PROGRAMS):
        sys.exit("the cluster tests need the Go toolchain, or KUBEBUILDER_ASSETS=DIR")
    missing = _bring(time.monotonic() + options.within)
    if missing:
        sys.exit(f"not built: {', '.join(f'{name} ({why})' for name, why in missing.items())}")


def _bring(deadline):
    """Build what is missing until the deadline; name → why it is missing still."""
    missing = {}
    for name in PROGRAMS:
        try:
            print(name, find(name) or build(name, deadline - time.monotonic()), flush=True)
        except subprocess.TimeoutExpired:
            missing[name] = "time is up"
        except subprocess.CalledProcessError:
            missing[name] = "its build failed"
    return missing


if __name__ == "__main__":
    main()
