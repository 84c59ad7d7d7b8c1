"""What counts when the stand-in chart is compared with the official one: almost everything.

Left out, because the stand-in has words of its own there: commands of exec probes, programs in
arguments, KEDA's queries, statsd's mappings, Python and Kerberos files; and what is random.
"""

import base64
import configparser
import json
import re

import yaml

_RANDOM = {"fernet-key", "api-secret-key", "jwt-secret", "webserver-secret-key", "password"}
_TEXTS = {"airflow_local_settings.py", "krb5.conf"}
_UNORDERED = {"volumeMounts", "volumes", "subjects"}
_OPTIONAL = {"annotations", "initContainers", "env", "volumeMounts"}


def essence(manifests):
    """Kind and name → the object, in a form in which equal means the same to the cluster."""
    return {
        (item["kind"], item["metadata"]["name"]): _plain(_reduced(json.loads(json.dumps(item))))
        for item in manifests
    }


def differences(one, other, path=""):
    """Dotted paths at which two essences differ, with both values."""
    if isinstance(one, dict) and isinstance(other, dict):
        for key in sorted(one.keys() | other.keys(), key=str):
            yield from differences(one.get(key), other.get(key), f"{path}.{_shown(key)}")
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for index, (item, twin) in enumerate(zip(one, other, strict=True)):
            yield from differences(item, twin, f"{path}[{index}]")
    elif one != other:
        yield f"{path.lstrip('.')}: official {one!r}, stand-in {other!r}"


def _shown(key):
    return "/".join(key) if isinstance(key, tuple) else key


def _reduced(item):
    kind, name = item["kind"], item["metadata"]["name"]
    template = _template(item)
    if template:
        _reduce_pod(template)
    if kind == "ConfigMap":
        item["data"] = {key: _reduce_file(key, text) for key, text in item["data"].items()}
    elif kind == "Secret":
        item["data"] = {key: _reduce_secret(key, item) for key in item.get("data") or {}}
    elif kind == "PriorityClass":
        del item["description"]
    elif kind == "ScaledObject":
        for trigger in item["spec"]["triggers"]:
            del trigger["metadata"]["query"]
    elif kind == "CronJob" and name.endswith("database-cleanup"):
        del template["spec"]["containers"][0]["args"]
    elif kind == "StatefulSet" and _is_postgresql(item):
        _reduce_postgresql(template["spec"])
    return item


def _template(item):
    spec = item.get("spec") or {}
    if item["kind"] == "CronJob":
        return spec["jobTemplate"]["spec"]["template"]
    return spec.get("template") if item["kind"] in ("Deployment", "StatefulSet", "Job") else None


def _reduce_pod(template):
    annotations = template["metadata"].get("annotations") or {}
    for key in annotations:
        if key.startswith("checksum/"):
            annotations[key] = "present"
    spec = template["spec"]
    for container in [*(spec.get("initContainers") or []), *spec["containers"]]:
        if container["name"].endswith("-log-groomer"):
            container["env"].sort(key=lambda variable: variable["name"])
        for probe in ("livenessProbe", "readinessProbe", "startupProbe"):
            if "exec" in container.get(probe, {}):
                container[probe]["exec"] = "some command"


def _reduce_file(name, text):
    if name == "airflow.cfg":
        config = configparser.RawConfigParser()
        config.optionxform = str
        config.read_string(text)
        return {section: dict(config[section]) for section in config.sections()}
    if name == "pod_template_file.yaml":
        pod = yaml.safe_load(text)
        _reduce_pod(pod)
        return pod
    if name == "mappings.yml":
        return {**yaml.safe_load(text), "mappings": "some"}
    if name == "config.yml":
        return yaml.safe_load(text)
    return "some text" if name in _TEXTS else text


def _reduce_secret(key, item):
    text = base64.b64decode(item["data"][key]).decode()
    if key in _RANDOM and not _is_postgresql(item):
        return len(text)
    if key == "connection":
        return re.sub(r"^redis://:[^@:/]*@", "redis://:random@", text)
    if key in ("pgbouncer.ini", "users.txt"):
        return sorted(line.strip() for line in text.splitlines() if line.strip())
    return text


def _is_postgresql(item):
    labels = item["metadata"].get("labels") or {}
    return labels.get("helm.sh/chart", "").startswith("postgresql-")


def _reduce_postgresql(spec):
    container = spec["containers"][0]
    references = [variable for variable in container["env"] if "valueFrom" in variable]
    container["env"] = sorted(references, key=lambda variable: variable["name"])
    for key in ("livenessProbe", "readinessProbe"):
        del container[key]


def _plain(value, key=""):
    if isinstance(value, dict):
        items = {name: _plain(item, name) for name, item in value.items()}
        return {name: item for name, item in items.items() if not _means_nothing(name, item)}
    if isinstance(value, list):
        items = [_plain(item) for item in value]
        return sorted(items, key=_canonical) if key in _UNORDERED else items
    if isinstance(value, str):
        return " ".join(value.replace("\\\n", " ").split())
    return value


def _canonical(item):
    return json.dumps(item, sort_keys=True)


def _means_nothing(name, value):
    return value is None or (name in _OPTIONAL and not value)
