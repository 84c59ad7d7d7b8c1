"""The files of a chart that no template can read.

Helm puts every other file of an archive (documentation, licences, release notes) into the context
of the templates as `.Files`, and the official chart copies that context for each worker set:
two thirds of a render went into copying files that nobody reads.
"""

from __future__ import annotations

import functools
import re

from generator.chart.archive import pack
from generator.chart.chart import ChartArchive

# A read of one file by its name (pkg/engine/files.go); any other mention may reach every file.
_READ = re.compile(r'\.Files\.(?:Get|GetBytes|Lines) "([^"\\]+)"')
_MENTION = re.compile(r"\bFiles\b")
_PARENTS = re.compile(r"^(?:charts/[^/]+/)*")
_FOLDERS = ("templates/", "crds/", "charts/")
_FILES = frozenset(
    {"Chart.yaml", "Chart.lock", "values.yaml", "values.schema.json", ".helmignore"}
    | {"requirements.yaml", "requirements.lock"}
)


@functools.lru_cache(maxsize=4)
def lean(chart: ChartArchive) -> bytes | None:
    """The chart as an archive without files that no template reads, and renders the same.

    None where templates may read any file: by a computed name or a pattern.
    Values can hold templates too: the caller looks for `Files` in them (`mentions_files`).
    """
    wanted: set[str] = set()
    texts = [path for path in chart.files if _is_template(path)]
    while texts:
        data = chart.files[texts.pop()]
        if b"Files" not in data:
            continue
        text = data.decode("utf-8", "replace")
        if _MENTION.search(_READ.sub("", text)):
            return None
        names = frozenset(_READ.findall(text))
        named = {path for path in chart.files if _own(path) in names} - wanted
        texts += named
        wanted |= named
    files = {path: data for path, data in chart.files.items() if path in wanted or _is_kept(path)}
    return pack(chart.name, files)


def mentions_files(values: str) -> bool:
    """Whether values (as text) may hold a template that reads files."""
    return bool(_MENTION.search(values))


def _own(path: str) -> str:
    """The path within the chart or subchart that the file belongs to."""
    return _PARENTS.sub("", path, count=1)


def _is_template(path: str) -> bool:
    own = _own(path)
    return own.startswith("templates/") or own == "values.yaml"


def _is_kept(path: str) -> bool:
    own = _own(path)
    return own in _FILES or own.startswith(_FOLDERS)
