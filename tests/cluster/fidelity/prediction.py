"""The JSON of `gen-env diff --strict`, read as effects."""

from tests.cluster.fidelity.effects import Effects
from tests.cluster.fidelity.observation import is_hook

REFUSED = {
    "crd/schema",
    "crd/unknown-version",
    "impact/claim-size",
    "impact/immutable",
    "kubernetes/annotations-too-large",
    "kubernetes/duplicate-entry",
    "kubernetes/duplicate-variable",
    "kubernetes/invalid-field",
    "kubernetes/invalid-name",
    "kubernetes/invalid-port",
    "kubernetes/invalid-probe",
    "kubernetes/invalid-quantity",
    "kubernetes/invalid-schedule",
    "kubernetes/requests-over-limits",
    "kubernetes/schema",
    "kubernetes/unknown-kind",
}
"""Rules whose errors say that the API server refuses the object."""
_DATA = ("Deployment", "Namespace", "PersistentVolumeClaim", "StatefulSet")
"""`impact/data-loss` of other kinds is about what a later clean-up deletes: not seen here."""


def predicted(report, objects):
    """The effects that a report states on these objects (name → manifest, of base and head)."""
    found = Effects()
    for environment in report["environments"]:
        for change in environment["changes"]:
            _changed(found, change)
        for folded in environment["folded"]:
            found.changed |= set(folded["resources"]) - found.added - found.pruned
        for finding in environment["impact"]:
            _stated(found, finding)
    problems = [
        *report["problems"],
        *(p for item in report["environments"] for p in item["problems"]),
    ]
    for problem in problems:
        # What an executor makes of a pod template later is not applied here.
        later = problem["message"].startswith("task pods ")
        if (
            problem["rule"] in REFUSED
            and _is_error(problem)
            and problem.get("state") != "gone"
            and not later
        ):
            found.refused |= _about(problem["message"], objects)
    found.repeated -= {name for name, item in objects.items() if is_hook(item)}
    return found


def _changed(found, change):
    name = _name(change["kind"], change["namespace"], change["name"])
    if "oldName" in change:
        found.pruned.add(_name(change["kind"], change["oldNamespace"], change["oldName"]))
        found.added.add(name)
    else:
        kinds = {"added": found.added, "removed": found.pruned, "modified": found.changed}
        kinds[change["action"]].add(name)
        if change["kind"] == "Job" and change["action"] == "added":
            found.repeated.add(name)


def _stated(found, finding):
    names = {finding["resource"], *finding.get("also", ())}
    match finding["rule"]:
        case "impact/restart" if "take the change only when" not in finding["message"]:
            found.restarted |= names
        case "impact/replaced":
            found.repeated |= {name for name in names if name.startswith("Job ")}
        case "impact/data-loss" if _is_error(finding):
            found.lost |= {name for name in names if name.startswith(_DATA)}
        case "impact/data-loss" if "stays in the cluster" in finding["message"]:
            found.pruned -= names
        case rule if rule in REFUSED and _is_error(finding):
            found.refused |= names


def _about(message, objects):
    """The object that a message begins with; its namespace is only named where it is written."""
    titles = {title: name for name in objects for title in (name, _without_namespace(name))}
    fitting = [title for title in titles if message.startswith(title)]
    return {titles[max(fitting, key=len)]} if fitting else {"an object"}


def _without_namespace(name):
    kind, _, rest = name.partition(" ")
    return f"{kind} {rest.rpartition('/')[2]}"


def _is_error(item):
    return item["severity"] == "error"


def _name(kind, namespace, name):
    return f"{kind} {f'{namespace}/' if namespace else ''}{name}"
