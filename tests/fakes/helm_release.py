"""One release for `helm_controller.py`: its state in Helm's records, the next action, the status.

After helm-controller 1.6, `internal/reconcile`: the state decides the action, an action is tried
again after its interval (`RetryOnFailure`), or remediated as often as `retries` says.
"""

import copy
import datetime
import hashlib
import json
import sys
import tarfile
from pathlib import Path

import helm_python

from generator.yaml.manifests import load_manifests
from tests.cluster.samples import placed

_MANAGER = Path(sys.executable).name
"""Helm's field manager: the name of its program."""
_NO_DRIFT = "No drift detected against the cluster state"
_SERVER_FIELDS = ("creationTimestamp", "generation", "managedFields", "resourceVersion", "uid")


class Release:
    """The Helm release of one HelmRelease object, and the status that is written for it."""

    def __init__(self, plane, kubeconfig, item):
        self._plane, self._item, self._spec = plane, item, item["spec"]
        self._path = plane.path(item)
        self.status = copy.deepcopy(item.get("status", {}))
        if self.status.get("observedGeneration") == -1:
            del self.status["observedGeneration"]
        self._generation = item["metadata"]["generation"]
        hub = item["metadata"]["namespace"]
        target = self._spec.get("targetNamespace")
        default = "-".join(filter(None, (target, item["metadata"]["name"])))
        self.name = self._spec.get("releaseName", default)
        self.namespace = target or hub
        self.storage = self._spec.get("storageNamespace", hub)
        self._kubeconfig = kubeconfig

    def mark(self, kind, status, reason, message):
        """Set a condition; its time is that of the last change of its status."""
        conditions = {item["type"]: item for item in self.status.get("conditions", ())}
        before = conditions.get(kind, {})
        when = before["lastTransitionTime"] if before.get("status") == status else _now()
        conditions[kind] = {
            "type": kind,
            "status": status,
            "reason": reason,
            "message": message,
            "lastTransitionTime": when,
            "observedGeneration": self._generation,
        }
        self.status["conditions"] = list(conditions.values())

    def drop(self, *kinds):
        """Take conditions away."""
        kept = [it for it in self.status.get("conditions", ()) if it["type"] not in kinds]
        self.status["conditions"] = kept

    def write(self):
        """The status as it is now; the API server has to accept every field of it."""
        # A merge patch keeps what it does not name.
        gone = dict.fromkeys(self._item.get("status", {}).keys() - self.status.keys())
        status, answer = self._plane.call(
            "PATCH",
            f"{self._path}/status?fieldManager=helm-controller&fieldValidation=Strict",
            {"status": {**gone, **self.status}},
            content="application/merge-patch+json",
        )
        assert status in (200, 404), answer.get("message")
        self._item["status"] = copy.deepcopy(self.status)

    def uninstall(self):
        """Take the release away, as when its object is deleted; its own storage counts."""
        history = self.status.get("history", [])
        if history and self.status.get("storageNamespace"):
            with self._helm(self.status["storageNamespace"]) as helm:
                helm.uninstall(history[0]["name"], ignore_not_found=True, timeout=60)
        self.status.pop("history", None)

    def reconcile(self, chart, values):
        """Bring it to the wanted state; seconds until the next try, None for the interval."""
        metadata = chart_metadata(chart)
        if self._has_moved():
            self.uninstall()
            self._clear_failures()
        self.status["storageNamespace"] = self.storage
        digest = _digest(values)
        wanted = {
            "lastAttemptedConfigDigest": digest,
            "lastAttemptedGeneration": self._generation,
            "lastAttemptedRevision": metadata["version"],
        }
        if any(self.status.get(name) != value for name, value in wanted.items()):
            self._clear_failures()
        self.status |= wanted
        done = set()
        with self._helm(self.storage) as helm:
            while True:
                action = self._action(self._state(helm, metadata, digest))
                if action in ("", "stalled"):
                    return self._ended(action)
                kind = "remediate" if action in ("rollback", "uninstall") else "release"
                if kind in done:
                    return self._again()
                self._begin(action, kind)
                self._run(helm, action, chart, metadata, values)
                if kind == "remediate":
                    return self._ended("stalled") if self._exhausted() else self._again()
                done.add(kind)
                self.write()

    def _has_moved(self):
        """Whether the records are of another release than is wanted now."""
        history = self.status.get("history", [])
        return bool(history) and (
            self.status.get("storageNamespace") != self.storage
            or history[0]["name"] != self.name
            or history[0]["namespace"] != self.namespace
        )

    def _state(self, helm, metadata, digest):
        try:
            latest = helm.history(self.name)[-1]
        except helm_python.HelmNotFoundError:
            return "absent"
        history, status = self.status.get("history", []), latest["status"]
        if status == "uninstalled":
            return "absent"
        if not history or history[0]["version"] != latest["revision"]:
            return "unmanaged"
        if status == "failed":
            return "failed"
        current = history[0]
        if (current["chartVersion"], current["configDigest"]) != (metadata["version"], digest):
            return "out of sync"
        return "drifted" if self._drift(helm) else "in sync"

    def _action(self, state):
        """The next thing to do in that state: install, upgrade, rollback, uninstall or nothing."""
        match state:
            case "absent":
                return "stalled" if self._exhausted("install") else "install"
            case "unmanaged":
                self.status.pop("history", None)
                return "upgrade"
            case "failed":
                return self._after_failure()
            case "out of sync":
                return "stalled" if self._exhausted("upgrade") else "upgrade"
        return ""

    def _after_failure(self):
        last = self.status.get("lastAttemptedReleaseAction")
        if last is None or self._retry(last) or not self.status.get(f"{last}Failures"):
            return "upgrade"
        remediation = self._spec.get(last, {}).get("remediation", {})
        retries = remediation.get("retries", 0)
        remediate_last = remediation.get("remediateLastFailure", last == "upgrade" and retries > 0)
        if self._exhausted(last) and not remediate_last:
            return "stalled"
        if last == "install":
            return "uninstall"
        return remediation.get("strategy", "rollback")

    def _exhausted(self, action=None):
        action = action or self.status.get("lastAttemptedReleaseAction", "install")
        retries = self._spec.get(action, {}).get("remediation", {}).get("retries", 0)
        return retries >= 0 and self.status.get(f"{action}Failures", 0) > retries

    def _retry(self, action):
        """The strategy of an action, where that is to try again and never remediate."""
        strategy = self._spec.get(action, {}).get("strategy", {})
        return strategy if strategy.get("name") == "RetryOnFailure" else None

    def _begin(self, action, kind):
        words = f"Running '{action}' action with timeout of {self._spec.get('timeout', '5m0s')}"
        self.mark("Reconciling", "True", "Progressing", words)
        if kind == "release":
            self.mark("Ready", "Unknown", "Progressing", words)
        self.write()

    def _run(self, helm, action, chart, metadata, values):
        before = _versions(helm, self.name)
        title = f"{self.namespace}/{self.name}"
        charted = f"chart {metadata['name']}@{metadata['version']}"
        error = self._helm_action(helm, action, chart, values)
        self._record(helm, action, before, metadata)
        if action in ("install", "upgrade"):
            self.status["lastAttemptedReleaseAction"] = action
            if action == "install":
                self.status["history"] = self.status.get("history", [])[:1]
            self.drop("Remediated")
        good = "Remediated" if action in ("rollback", "uninstall") else "Released"
        remedy = " remediation" if good == "Remediated" else ""
        reason = action.capitalize() + ("Failed" if error else "Succeeded")
        if error:
            words = f"Helm {action}{remedy} failed for release {title} with {charted}: {error}"
            self.status["failures"] = self.status.get("failures", 0) + 1
            if good == "Released" and _versions(helm, self.name) != before:
                count = f"{action}Failures"
                self.status[count] = self.status.get(count, 0) + 1
        else:
            version = f"{title}.v{self.status['history'][0]['version']}"
            words = f"Helm {action}{remedy} succeeded for release {version} with {charted}"
            if self._retry(action):
                self._clear_failures()
        self.mark(good, "False" if error else "True", reason, words)
        self._summarize()

    def _helm_action(self, helm, action, chart, values):
        """Run it; the words of what went wrong, or nothing."""
        options = self._spec.get(action, {})
        common = {
            "timeout": int(seconds(self._spec.get("timeout", "5m"))),
            "wait": "hookOnly" if options.get("disableWait") else "watcher",
        }
        try:
            match action:
                case "install":
                    helm.install(str(chart), self.name, values, namespace=self.namespace, **common)
                case "upgrade":
                    kept = self._spec.get("maxHistory", 5)
                    more = {"namespace": self.namespace, "max_history": kept, "reset_values": True}
                    helm.upgrade(str(chart), self.name, values, **more, **common)
                case "rollback":
                    helm.rollback(self.name, **common)
                case "uninstall":
                    helm.uninstall(self.name, **common)
        except helm_python.HelmError as error:
            return str(error).strip()
        return ""

    def _record(self, helm, action, before, metadata):
        """Put what Helm stored into the history, newest first; older entries as they are now."""
        stored = _versions(helm, self.name)
        known = {item["version"]: item for item in self.status.get("history", ())}
        for version in stored & (known.keys() | (stored - before)):
            known[version] = self._snapshot(helm, version, known.get(version, {}))
            if version not in before:
                known[version] |= {"action": action, "appVersion": metadata.get("appVersion", "")}
        if action == "uninstall" and not stored:
            known[max(known)] |= {
                "status": "uninstalled",
                "action": "uninstall-remediation",
                "deleted": _now(),
            }
        newest = sorted(known.values(), key=lambda item: -item["version"])
        self.status["history"] = newest[:5]
        if stored:
            self.status["inventory"] = {"entries": list(self._inventory(helm))}

    def _snapshot(self, helm, version, known):
        release = helm.get_all(self.name, revision=version)
        summary, info = release["summary"], release["info"]
        return {
            **known,
            "apiVersion": "v2",
            "digest": _digest(release),
            "name": summary["name"],
            "namespace": summary["namespace"],
            "version": version,
            "chartName": summary["chart_name"],
            "chartVersion": summary["chart_version"],
            "configDigest": _digest(release["config"] or {}),
            "firstDeployed": info["first_deployed"][:19] + "Z",
            "lastDeployed": info["last_deployed"][:19] + "Z",
            "status": info["status"],
        }

    def _inventory(self, helm):
        for item in self._objects(helm):
            metadata = item["metadata"]
            group, _, version = item["apiVersion"].rpartition("/")
            name = metadata["name"].replace(":", "__")
            space = metadata.get("namespace", "")
            yield {"id": f"{space}_{name}_{group}_{item['kind']}", "v": version}

    def _objects(self, helm):
        manifest = helm.get_all(self.name)["summary"]["manifest"]
        return [placed(item, self.namespace) for item in load_manifests(manifest.encode()) if item]

    def _drift(self, helm):
        """Objects that are not as Helm applied them; with mode `enabled` they are put right."""
        mode = self._spec.get("driftDetection", {}).get("mode", "disabled")
        if mode == "disabled":
            return False
        found = [item for item in self._objects(helm) if self._differs(item)]
        title = f"{self.namespace}/{self.name}.v{self.status['history'][0]['version']}"
        if not found:
            self.mark("Drifted", "False", "NoDriftDetected", _NO_DRIFT)
            return False
        words = [f"{it['kind']}/{self.namespace}/{it['metadata']['name']} changed" for it in found]
        lines = "\n".join(words)
        message = f"Cluster state of release {title} has drifted from the desired state:\n{lines}"
        self.mark("Drifted", "True", "DriftDetected", message)
        if mode == "enabled":
            self.write()
            for item in found:
                self._plane.apply(_owned(item, self), manager=_MANAGER)
            self.mark("Drifted", "False", "NoDriftDetected", _NO_DRIFT)
        return True

    def _differs(self, manifest):
        path = self._plane.path(manifest)
        live = self._plane.get(path)
        query = f"?fieldManager={_MANAGER}&force=true&dryRun=All"
        _, wanted = self._plane.call(
            "PATCH", path + query, _owned(manifest, self), content="application/apply-patch+yaml"
        )
        return live is None or _bare(live) != _bare(wanted)

    def _again(self):
        """Seconds until the action is tried again."""
        retry = self._retry(self.status.get("lastAttemptedReleaseAction"))
        words = f"retrying after {retry.get('retryInterval', '5m')}" if retry else "retrying"
        self.mark("Reconciling", "True", "ProgressingWithRetry", words)
        return seconds(retry.get("retryInterval", "5m")) if retry else 0.0

    def _ended(self, action):
        self.drop("Reconciling")
        if action == "stalled":
            last = self.status.get("lastAttemptedReleaseAction", "install")
            words = f"Failed to {last} after {self.status.get(f'{last}Failures', 0)} attempt(s)"
            self.mark("Stalled", "True", "RetriesExceeded", words)
        else:
            self._summarize()
        self.status["observedGeneration"] = self._generation

    def _summarize(self):
        """Ready is what was released, and False as soon as it was remediated."""
        known = {item["type"]: item for item in self.status.get("conditions", ())}
        for kind in ("Remediated", "Released"):
            if kind in known:
                item = known[kind]
                status = "False" if kind == "Remediated" else item["status"]
                if status == "True":
                    self.drop("Stalled")
                return self.mark("Ready", status, item["reason"], item["message"])
        return None

    def _clear_failures(self):
        for name in ("failures", "installFailures", "upgradeFailures"):
            self.status.pop(name, None)

    def _helm(self, namespace):
        return helm_python.Config(kubeconfig_path=self._kubeconfig, namespace=namespace)


def chart_metadata(file):
    """Name and version of a chart's archive."""
    with tarfile.open(file) as archive:
        name = min((it for it in archive.getnames() if it.endswith("/Chart.yaml")), key=len)
        (metadata,) = load_manifests(archive.extractfile(name).read())
    return metadata


def _versions(helm, name):
    try:
        return {item["revision"] for item in helm.history(name)}
    except helm_python.HelmNotFoundError:
        return set()


def _owned(manifest, release):
    """With what Helm itself adds to each object."""
    metadata = manifest["metadata"]
    labels = {**metadata.get("labels", {}), "app.kubernetes.io/managed-by": "Helm"}
    own = {"release-name": release.name, "release-namespace": release.namespace}
    annotations = {f"meta.helm.sh/{key}": value for key, value in own.items()}
    more = {"labels": labels, "annotations": {**metadata.get("annotations", {}), **annotations}}
    return {**manifest, "metadata": {**metadata, **more}}


def _bare(stored):
    found = copy.deepcopy(stored)
    found.pop("status", None)
    for name in _SERVER_FIELDS:
        found["metadata"].pop(name, None)
    return found


def _digest(value):
    text = json.dumps(value, sort_keys=True, default=str)
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def seconds(text):
    """Of `10m` or `90s`."""
    return float(text[:-1]) * {"s": 1, "m": 60, "h": 3600}[text[-1]]


def _now():
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
