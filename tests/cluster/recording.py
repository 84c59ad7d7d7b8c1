"""Sequences of objects as a real cluster shows them, trimmed and written down to be played again.

`GEN_ENV_RECORD=1 pytest tests/cluster/test_loop.py -k recorded` writes them anew.
"""

import contextlib
import copy
import json
import threading
from pathlib import Path

from generator.kube.resource import key_of
from generator.verify.live_feed import LiveFeed
from generator.verify.watch import utc_now

FOLDER = Path(__file__).resolve().parent.parent / "generator" / "verify" / "recorded"
_KINDS = ("workloads", "pods", "jobs")
_KEPT = ("airflow-scheduler", "airflow-run-airflow-migrations")


@contextlib.contextmanager
def recording(cluster, expected, name, commits):
    """Write down what changes while the block runs; `commits` is filled by the block, in order."""
    steps, stop = [], threading.Event()
    with LiveFeed(expected, cluster, cluster) as feed:
        thread = threading.Thread(target=_follow, args=(feed, steps, stop))
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()
    manifests = [_trimmed(item) for item in expected.manifests if _is_kept(item)]
    record = {
        "commits": commits,
        "application": expected.application_manifest,
        "manifests": manifests,
        "repository": expected.repository,
        "steps": steps,
    }
    FOLDER.mkdir(exist_ok=True)
    text = json.dumps(record, indent=None, separators=(",", ":"), sort_keys=True)
    (FOLDER / f"{name}.json").write_text(text.replace('{"at":', '\n{"at":') + "\n", "utf-8")


def _follow(feed, steps, stop):
    known = {}
    while not stop.is_set():
        now = utc_now()
        snapshot = feed.snapshot(now)
        if not snapshot.unavailable.keys() - {"airflow"}:
            seen = dict(_objects(snapshot))
            changed = {key: item for key, item in seen.items() if known.get(key) != item}
            gone = sorted(known.keys() - seen.keys())
            if changed or gone:
                steps.append({"at": now.isoformat(), "changed": changed, "gone": gone})
            known = seen
        stop.wait(0.2)


def _objects(snapshot):
    if snapshot.application is not None:
        yield "application", _trimmed(snapshot.application)
    for kind in _KINDS:
        for item in getattr(snapshot, kind):
            if _is_kept(item):
                yield f"{kind}|{key_of(item)}", _trimmed(item)


def _is_kept(manifest):
    return manifest["metadata"]["name"].startswith(_KEPT) and manifest["kind"] in (
        "Deployment",
        "StatefulSet",
        "Job",
        "Pod",
    )


def _trimmed(manifest):
    """Without what says nothing: owners of fields, history, objects that are not kept."""
    found = copy.deepcopy(dict(manifest))
    for name in ("managedFields", "resourceVersion", "uid"):
        found["metadata"].pop(name, None)
    _lean(
        found["spec"] if found["kind"] == "Pod" else found["spec"].get("template", {}).get("spec")
    )
    status = found.get("status", {})
    for name in ("history", "summary", "resourceHealthSource", "controllerNamespace"):
        status.pop(name, None)
    if "operationState" in status:
        result = status["operationState"].get("syncResult", {})
        result["resources"] = _of_kept(result.get("resources", []))
        status["resources"] = _of_kept(status.get("resources", []))
    return found


def _lean(pod):
    """A pod's spec down to its images: the rest is not judged, and most of the file."""
    if pod is None:
        return
    for name in pod.keys() - {"containers", "initContainers"}:
        del pod[name]
    for containers in pod.values():
        for container in containers:
            for name in container.keys() - {"name", "image"}:
                del container[name]


def _of_kept(resources):
    return [item for item in resources if item["name"].startswith(_KEPT)]
