"""The traits of a chart, read from its archive."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from generator.chart.archive import unpack
from generator.chart.chart import ChartArchive, ChartError, ChartFault
from generator.chart.key_tree import Tree, read
from generator.chart.traits import ChartTraits, Reading, Templates
from generator.core.errors import UserError

MARKS: Mapping[str, str] = {
    "api-secret-key": "AIRFLOW__API__SECRET_KEY",
    "jwt-secret": "AIRFLOW__API_AUTH__JWT_SECRET",
    "jwt-checksum": "checksum/jwt-secret",
    "env-in-task-pods": "AIRFLOW__KUBERNETES_ENVIRONMENT_VARIABLES__",
    "broker-url-command": '"AIRFLOW__CELERY__BROKER_URL_CMD"',
    "executor-differs": "not `config.core.executor`.",
    "old-scrape-port": "name: pgbouncer-metrics",
    "old-postgresql-keys": "postgresqlUsername",
    "majors": 'semverCompare "<3.0.0" .Values.airflowVersion',
    "two-user-switches": ".Values.webserver.defaultUser.enabled) .Values.createUserJob.enabled",
}
"""Texts of templates that tell two charts apart, by a name of gen-env's own."""

# One that does not end takes the rest: a search that went on would look at the text once for each.
_COMMENT = re.compile(r"\{\{-?\s*/\*.*?(?:\*/\s*-?\}\}|\Z)", re.DOTALL)
_KEY = re.compile(r"\.Values\.(\w+(?:\.\w+)*)")
_HOOK = re.compile(r'helm\.sh/hook"?: *"?([a-z,-]+)')
_RANDOM = re.compile(
    r"\b(?:rand(?:Alpha|Num|Ascii|Bytes)\w*|genPrivateKey|genSelfSignedCert|uuidv4)\b"
)
_MERGE = re.compile(r'include "workersMergeValues"')
_DEFINE = 'define "workersMergeValues"'
_POD_TEMPLATE = "files/pod-template-file"
# A helper that reads keys of the section that it is given by name.
_THROUGH = {'include "worker.serviceAccountName"': ("serviceAccount.create", "serviceAccount.name")}


def traits_of(chart: ChartArchive) -> ChartTraits:
    """What the chart does with keys. Raises ChartError where its own files are unusable."""
    values = chart.values()
    tree = _tree(chart)
    return ChartTraits(
        version=chart.version,
        airflow=str(values.get("airflowVersion") or chart.app_version),
        images=dict(_images(values.get("images"))),
        tree=tree,
        templates=_templates(chart, tree),
    )


def _tree(chart: ChartArchive) -> Tree:
    """The keys; a schema is anybody's JSON and may have any form."""
    try:
        return read(chart.schema(), chart.values(), subcharts(chart))
    except (AttributeError, RecursionError, TypeError) as error:
        message = "values.schema.json is not a JSON Schema, or too deep"
        raise ChartError(ChartFault.NOT_CHART, message, path=str(chart.path)) from error


def subcharts(chart: ChartArchive) -> dict[str, dict[str, Any]]:
    """The default values of the charts that it carries, by name; none of an unreadable one."""
    from generator.yaml.manifests import load_manifests

    found = {}
    for dependency in chart.dependencies:
        content = chart.files.get(f"charts/{dependency.name}/values.yaml")
        if content is None:
            content = _packed_values(chart, dependency.name)
        try:
            found[dependency.name] = next(iter(load_manifests(content, path="values.yaml")), {})
        except UserError:
            found[dependency.name] = {}
    return found


def _packed_values(chart: ChartArchive, name: str) -> bytes:
    for path, data in chart.files.items():
        if re.fullmatch(rf"charts/{re.escape(name)}-[^/]+\.tgz", path):
            try:
                return unpack(data).get("values.yaml", b"")
            except UserError:
                return b""
    return b""


def _images(images: Any) -> Iterator[tuple[str, str]]:
    for name, image in images.items() if isinstance(images, Mapping) else ():
        if isinstance(image, Mapping) and image.get("repository") and image.get("tag"):
            yield str(name), f"{image['repository']}:{image['tag']}"


def _templates(chart: ChartArchive, tree: Tree) -> Templates:
    texts = {
        path: _COMMENT.sub("", data.decode("utf-8", "replace"))
        for path, data in chart.files.items()
        if path.startswith(("templates/", "files/")) and path != "templates/NOTES.txt"
    }
    notes = chart.text("templates/NOTES.txt")
    everything = "\n".join([*texts.values(), notes])
    partly, never = _unmerged(texts)
    bare = ChartTraits(chart.version, tree=tree)
    named = {key for text in texts.values() for key in _KEY.findall(text)}
    return Templates(
        airflow_floor=chart.oldest_airflow(),
        merges_workers=any(_DEFINE in text for text in texts.values()),
        partly_merged=partly,
        never_merged=never,
        undocumented=frozenset(key for key in named if bare.reading(key) is Reading.IGNORED),
        marks=frozenset(name for name, text in MARKS.items() if text in everything),
        hooks=tuple(
            (path, ",".join(sorted(set(events))))
            for path, text in sorted(texts.items())
            if (events := _HOOK.findall(text))
        ),
        random=tuple(sorted(path for path, text in texts.items() if _RANDOM.search(text))),
    )


def _unmerged(texts: Mapping[str, str]) -> tuple[frozenset[str], frozenset[str]]:
    """Keys of `workers` that templates read without `workers.celery` over them: some, or all."""
    merging = {p for p, text in texts.items() if _MERGE.search(text) and _DEFINE not in text}
    merged, plain = set[str](), set[str]()
    for path, text in texts.items() if merging else ():
        keys = {key.removeprefix("workers.") for key in _KEY.findall(text) if key[:8] == "workers."}
        keys.update(key for call, own in _THROUGH.items() if call in text for key in own)
        if path in merging:
            merged |= keys
        elif not path.startswith(_POD_TEMPLATE):
            plain |= {key for key in keys if f"celery.{key}" not in keys}
    plain = {key for key in plain if not key.startswith(("celery", "kubernetes"))}
    return frozenset(plain & merged), frozenset(plain - merged)
