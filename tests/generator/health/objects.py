"""Short ways to write live objects for health tests."""

import yaml


def obj(api_version, kind, *, spec=None, status=None, **metadata):
    manifest = {
        "apiVersion": api_version,
        "kind": kind,
        "metadata": {"name": "thing", "namespace": "data", **metadata},
    }
    if spec is not None:
        manifest["spec"] = spec
    if status is not None:
        manifest["status"] = status
    return manifest


def cond(kind, status, reason="", message="", **more):
    return {"type": kind, "status": status, "reason": reason, "message": message, **more}


def reports(*conditions, **status):
    return {"conditions": list(conditions), **status}


def read(text):
    return yaml.safe_load(text)
