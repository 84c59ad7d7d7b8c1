"""A chart 2.0 that does not exist: the official 1.22.0 without what 2.0 is planned to drop.

Gone are all deprecated keys, the bundled PostgreSQL, git-sync, KEDA and the search backends;
Airflow before 3.1 is refused, and pods get no variables for Services by default.
"""

import copy
import json
import re

import yaml

from generator.chart import comparison
from generator.chart.archive import pack
from generator.release.setting import overlay
from tests import chart_range
from tests.made_up_chart import _remove, _schema_path, files_of

GONE = (
    *("dags.gitSync", "postgresql", "elasticsearch", "opensearch", "images.gitSync"),
    *("workers.keda", "workers.celery.keda", "triggerer.keda"),
)


def chart_two(folder):
    """The archive, as folder/airflow-2.0.0.tgz; skips where 1.22.0 is not at hand."""
    known = chart_range.archive("1.22.0")
    side = (known.values(), known.schema())
    old = [key for key, _ in comparison.compare(side, side).deprecated]
    files = {
        path: data
        for path, data in files_of(known.path).items()
        if not path.startswith("charts/") and path != "Chart.lock"
    }
    values, schema = copy.deepcopy((known.values(), known.schema()))
    _inherit(values)
    for key in (*GONE, *old):
        _remove(values, key.split("."))
        _remove(schema, _schema_path(key))
    values["enableServiceLinks"] = False
    about = yaml.safe_load(files["Chart.yaml"]) | {"version": "2.0.0"}
    about.pop("dependencies", None)
    # Templates read the workers' sections merged into one, under the older names.
    unread = [*GONE, *(key for key in old if not key.startswith("workers."))]
    for path, data in files.items():
        if path.startswith(("templates/", "files/")):
            files[path] = _without(data.decode(), unread).encode()
    values = yaml.safe_load(_without(yaml.safe_dump(values, width=10_000), unread))
    check = files["templates/check-values.yaml"].replace(b"2.11.0", b"3.1.0")
    files |= {
        "Chart.yaml": yaml.safe_dump(about).encode(),
        "values.yaml": yaml.safe_dump(values, sort_keys=False).encode(),
        "values.schema.json": json.dumps(schema).encode(),
        "templates/check-values.yaml": check,
        "templates/NOTES.txt": b"Installed.\n",
    }
    target = folder / "airflow-2.0.0.tgz"
    target.write_bytes(pack("airflow", files))
    return target


def _inherit(values):
    """What both sections of workers took from the older keys becomes their own default."""
    workers = values["workers"]
    older = {key: value for key, value in workers.items() if key not in ("celery", "kubernetes")}
    for name in ("celery", "kubernetes"):
        known = {key: older[key] for key in older.keys() & workers[name].keys()}
        overlay(known, _set(workers[name]))
        workers[name] = workers[name] | known


def _set(section):
    """A section without what it leaves open."""
    found = {key: _set(item) if isinstance(item, dict) else item for key, item in section.items()}
    return {key: item for key, item in found.items() if item not in (None, {}, [])}


def _without(text, keys):
    """A template that reads nothing in the place of these keys."""
    names = "|".join(re.escape(key) for key in sorted(keys, key=len, reverse=True))
    return re.sub(rf"[$.\w]*\.Values\.(?:{names})((?:\.\w+)*)(?!\w)", _nothing, text)


def _nothing(match):
    if match[1].endswith(".enabled"):
        return "false"
    found = "(dict)"
    for name in match[1].split(".")[1:] or ["none"]:
        found = f"({found}.{name})"
    return found
