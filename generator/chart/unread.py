"""The files of a chart that no template can read.

Helm puts every other file of an archive (documentation, licences, release notes) into the context
of the templates as `.Files`, and the official chart copies that context for each worker set:
two thirds of a render went into copying files that are never read.
"""

from __future__ import annotations

import functools
import json
import re

from generator.chart.archive import pack
from generator.chart.chart import ChartArchive

# A read of one file by its name (pkg/engine/files.go); any other mention may reach every file.
_READ = re.compile(r'\.Files\.(?:Get|GetBytes|Lines) "([^"\\]+)"')
_MENTION = re.compile(r"\bFiles\b")
# The whole context as text: the files are then part of what is rendered. `tpl . $ | quote` is not.
_PRINTED = re.compile(
    r"(?:[tT]o[A-Z]\w{0,40}|print\w{0,9}|quote|cat)\b[^{}()|]{0,200}\s\({0,9}\$(?![\w.])"
    r"|(?:\{\{-?|\(|=|\b(?:if|with|range))\s*\$\s*(?:\||-?\}\})"
)
_JSON_STRING = re.compile(r'"(?:[^"\\]|\\.)*+"')
_LITERAL = r'"(?:[^"\\\n]|\\.)*+"|`[^`]*+`'
_LITERALS = re.compile(_LITERAL)
# Without the end, which a literal may contain and which a broken action lacks.
_ACTION = re.compile(rf"\{{\{{(?:{_LITERAL}|(?!\}}\}})[^\"`])*+")
_HANDED_ON = re.compile(r'(?:(?:include|template)\s+""|tpl\s+[.$][\w.]+)\s+[.$](?=[\s)|-]|$)')
_WHOLE = re.compile(r"(?<![\w.])[.$](?![\w.])")
_PARENTS = re.compile(r"^(?:charts/[^/]+/)*")
_FOLDERS = ("templates/", "crds/", "charts/")
_FILES = frozenset(
    {"Chart.yaml", "Chart.lock", "values.yaml", "values.schema.json", ".helmignore"}
    | {"requirements.yaml", "requirements.lock"}
)


@functools.lru_cache(maxsize=4)
def lean(chart: ChartArchive) -> bytes | None:
    """The chart as an archive without files that no template reads, and renders the same.

    None where templates may read any file: by a computed name, by a pattern, or by printing `$`;
    and where a subchart is packed, since its templates are not read. Not recognised: the context
    printed as `.` or under another name, which a template's text does not show.
    Values can hold templates too: the caller asks `may_read_files`.
    """
    if any(_own(path).startswith("charts/") for path in chart.files):
        return None
    wanted: set[str] = set()
    texts = [path for path in chart.files if _is_template(path)]
    while texts:
        data = chart.files[texts.pop()]
        text = data.decode("utf-8", "replace")
        if _MENTION.search(_READ.sub("", text)) or _PRINTED.search(text):
            return None
        names = frozenset(_READ.findall(text))
        named = {path for path in chart.files if _own(path) in names} - wanted
        texts += named
        wanted |= named
    files = {path: data for path, data in chart.files.items() if path in wanted or _is_kept(path)}
    return pack(chart.name, files)


def may_read_files(values: str) -> bool:
    """Whether values (as JSON) may hold a template that reads files, by name or as a whole."""
    if "{{" not in values:
        return False
    if _MENTION.search(values):
        return True
    texts = (json.loads(text) for text in _JSON_STRING.findall(values) if "{{" in text)
    return any(map(_names_context, texts))


def _names_context(text: str) -> bool:
    """Whether a template does more with the whole context than handing it on."""
    actions = (_LITERALS.sub('""', action) for action in _ACTION.findall(text))
    return any(_WHOLE.search(_HANDED_ON.sub("", action)) for action in actions)


def _own(path: str) -> str:
    """The path within the chart or subchart that the file belongs to."""
    return _PARENTS.sub("", path, count=1)


def _is_template(path: str) -> bool:
    own = _own(path)
    return own.startswith("templates/") or own == "values.yaml"


def _is_kept(path: str) -> bool:
    own = _own(path)
    return own in _FILES or own.startswith(_FOLDERS)
