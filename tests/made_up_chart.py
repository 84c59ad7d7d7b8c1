"""Charts of versions that do not exist, made from one that does by adding and removing keys."""

import json
import re
from pathlib import Path

import yaml

from generator.chart.archive import pack, unpack
from generator.core.layered import lookup
from tests.standin_chart import CHART, stand_in_archive

HTTP_ROUTE = {
    f"httpRoute.apiServer.{key}": default
    for key, default in {
        **{"enabled": False, "parentRefs": [], "hostnames": [], "annotations": {}},
        **{"path": "/", "pathType": "PathPrefix"},
    }.items()
}
"""The keys by which charts after 1.22 make an HTTPRoute, with their defaults."""
HTTP_ROUTE_TEMPLATE = b"""\
{{- with .Values.httpRoute.apiServer }}{{- if .enabled }}
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata:
  name: {{ $.Release.Name }}-api-server
  annotations: {{ toJson .annotations }}
spec:
  parentRefs: {{ toJson .parentRefs }}
  hostnames: {{ toJson .hostnames }}
  rules:
    - matches: [{path: {type: {{ .pathType }}, value: {{ .path }}}}]
      backendRefs: [{name: {{ $.Release.Name }}-api-server, port: 8080}]
{{- end }}{{- end }}
"""


def stand_in_files():
    """The stand-in for chart 1.22.0 without its templates: they would read keys that are gone."""
    files = {
        path.relative_to(CHART).as_posix(): path.read_bytes()
        for path in CHART.rglob("*")
        if path.is_file() and "templates" not in path.parts
    }
    values = yaml.safe_load(files["values.yaml"])
    values["postgresql"] |= {"auth": {}, "primary": {}}
    schema = json.loads(files["values.schema.json"])
    del schema["properties"]["postgresql"]["properties"]["auth"]
    made = {"values.yaml": values, "values.schema.json": schema}
    return {**files, **{name: json.dumps(data).encode() for name, data in made.items()}}


def made_up(folder, version, *, without=(), added=None, oldest_airflow=None, files=None):
    """An archive of that version: without some keys, with others, refusing older Airflow.

    Keys are dotted; `added` maps new ones to their defaults. Sections that lose or get keys keep
    to what they are in the schema, closed or open.
    """
    files = dict(files or stand_in_files())
    values = yaml.safe_load(files["values.yaml"])
    schema = json.loads(files["values.schema.json"])
    for key in without:
        _remove(values, key.split("."))
        _remove(schema, _schema_path(key))
    for key, default in (added or {}).items():
        _put(values, key.split("."), default)
        _put(schema, _schema_path(key), {})
    about = re.sub(rb"(?m)^version: .*$", f"version: {version}".encode(), files["Chart.yaml"])
    files |= {
        "Chart.yaml": about,
        "values.yaml": yaml.safe_dump(values, sort_keys=False).encode(),
        "values.schema.json": json.dumps(schema).encode(),
    }
    if oldest_airflow is not None:
        check = f'semverCompare "<{oldest_airflow}" .Values.airflowVersion'
        files["templates/check-values.yaml"] = (
            f'{{{{- if {check} }}}}{{{{ required "Airflow {oldest_airflow}" nil }}}}{{{{ end }}}}'
        ).encode()
    target = Path(folder) / f"airflow-{version}.tgz"
    target.write_bytes(pack("airflow", files))
    return target


def next_minor(folder):
    """A chart 1.23.0 that does not exist: the stand-in with keys added, renamed and deprecated."""
    files = files_of(stand_in_archive(folder))
    renamed = (
        "DEPRECATION WARNING:\n   `dags.gitSync.maxFailures` has been renamed to `failureLimit`.\n"
    )
    files["templates/NOTES.txt"] += f"\n{renamed}".encode()
    added = {"lanes": {"enabled": False}, "dags.gitSync.failureLimit": None, **HTTP_ROUTE}
    gone = ("enableServiceLinks",)
    return made_up(folder, "1.23.0", files=files, added=added, without=gone)


def files_of(archive):
    """The files of an archive, for `made_up`."""
    return dict(unpack(Path(archive).read_bytes()))


def _schema_path(key):
    return [part for name in key.split(".") for part in ("properties", name)]


def _remove(data, path):
    above = lookup(data, tuple(path[:-1])) if path[:-1] else data
    if isinstance(above, dict):
        above.pop(path[-1], None)


def _put(data, path, value):
    for part in path[:-1]:
        data = data.setdefault(part, {})
    data[path[-1]] = value
