"""The programs of a control plane: found, or built once from pinned Go modules."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

TOOLS = Path(__file__).resolve().parent / "tools"
PACKAGES = {
    "etcd": "go.etcd.io/etcd/server/v3",
    "kube-apiserver": "k8s.io/kubernetes/cmd/kube-apiserver",
}


def find(name):
    """The program in KUBEBUILDER_ASSETS, in our cache, or on PATH; None where it is nowhere."""
    assets = os.environ.get("KUBEBUILDER_ASSETS")
    for place in (Path(assets) / name if assets else None, cached(name)):
        if place is not None and place.is_file():
            return place
    found = shutil.which(name)
    return Path(found) if found else None


def cached(name):
    """Where a built program is kept: the folder's name is a hash of the module that it is from."""
    digest = hashlib.sha256()
    for file in sorted((TOOLS / name).iterdir()):
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    root = os.environ.get("GEN_ENV_CLUSTER_TOOLS")
    folder = Path(root) if root else Path("~/.cache/gen-env/cluster-tools").expanduser()
    return folder / digest.hexdigest()[:16] / name


def build(name):
    """Build one program with the Go toolchain; its modules come through the ordinary client."""
    target = cached(name)
    target.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(
        ["go", "build", "-mod=readonly", "-ldflags", _flags(name), "-o", target, PACKAGES[name]],
        cwd=TOOLS / name,
        check=True,
    )
    return target


def _flags(name):
    """Without it a kube-apiserver that was built from modules takes itself for v0.0.0."""
    if name != "kube-apiserver":
        return "-s -w"
    text = (TOOLS / name / "go.mod").read_text(encoding="utf-8")
    version = re.search(r"k8s\.io/kubernetes (v(\d+)\.(\d+)\.\d+)", text)
    package = "k8s.io/component-base/version"
    return (
        f"-s -w -X {package}.gitVersion={version[1]} -X {package}.gitMajor={version[2]}"
        f" -X {package}.gitMinor={version[3]}"
    )


def main():
    """Build what is missing."""
    if shutil.which("go") is None and any(find(name) is None for name in PACKAGES):
        sys.exit("the cluster tests need the Go toolchain, or KUBEBUILDER_ASSETS=DIR")
    for name in PACKAGES:
        print(name, find(name) or build(name), flush=True)


if __name__ == "__main__":
    main()
