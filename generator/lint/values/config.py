"""Checks of `config` and `env` as the chart takes them: numbers, templates, variables."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from generator.core.layered import Path
from generator.helmvalues.values import ValuesInput
from generator.lint.rule import ERROR, WARNING, Finding, check

_SECTION = "config"
_VARIABLE = re.compile(r"AIRFLOW__?([A-Za-z0-9]\w*?)__(\w+)", re.IGNORECASE)
_NUMBERS = (
    "pgbouncer.maxClientConn",
    "pgbouncer.metadataPoolSize",
    "pgbouncer.resultBackendPoolSize",
    "statsd.cache.size",
)
# Go prints a float64 of this size or more with an exponent.
_EXPONENT = 1_000_000

# A bare name with an attribute, or a name that Airflow's task templates have and Go's do not.
_JINJA = re.compile(
    r"\{\{-?\s*(?:[a-z_]\w*\.\w|(?:ds|ts|ti|dag|dag_run|task|task_instance|params|var|conn|"
    r"macros|logical_date|execution_date|data_interval_start|data_interval_end|run_id|"
    r"filename|prev_ds|next_ds|ds_nodash|ts_nodash|try_number)\b)"
)
_TEMPLATED = ("extraEnv", "extraEnvFrom", "airflowLocalSettings", "podTemplate")


def options(values: Mapping[str, Any]) -> Iterator[tuple[Path, Any]]:
    """Every `config.<section>.<option>` of a values mapping with its path."""
    sections = values.get(_SECTION)
    for section, items in sections.items() if isinstance(sections, Mapping) else ():
        for option, value in items.items() if isinstance(items, Mapping) else ():
            yield (_SECTION, section, option), value


def wanted_of_variable(name: str) -> str:
    """The key for a variable whose name stands below `config`; '' for any other name."""
    match = _VARIABLE.fullmatch(name)
    return f"config.{match[1].lower()}.{match[2].lower()}" if match else ""


@check(
    "config/number",
    ERROR,
    "A large number that changes its form",
    why="Helm reads numbers as floating point, and prints 1000000 as 1e+06, which Airflow cannot "
    "read as an integer.",
)
def number(values: ValuesInput) -> Iterator[Finding]:
    """Unquoted numbers of seven digits and more."""
    candidates = [*options(values.user)]
    candidates += [(tuple(path.split(".")), values.get(path)) for path in _NUMBERS]
    for path, value in candidates:
        if _is_number(value) and abs(value) >= _EXPONENT:
            dotted = ".".join(str(part) for part in path)
            yield Finding(
                path,
                f"Airflow does not start or ignores the setting: {dotted} is written with an "
                "exponent",
                "quote the number"
                if path[0] == _SECTION
                else f"keep {dotted} below {_EXPONENT}: the chart takes only a number there",
            )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


@check(
    "config/template",
    ERROR,
    "A Jinja template where Helm expects its own",
    why="Everything under config and a few other keys is a Go template to Helm, so that Airflow's "
    "{{ ti.dag_id }} fails the render.",
)
def template(values: ValuesInput) -> Iterator[Finding]:
    """Jinja expressions in templated values."""
    texts = [*options(values.user)]
    texts += [((key,), values.user.get(key)) for key in _TEMPLATED]
    for path, value in texts:
        if isinstance(value, str) and _JINJA.search(_without_literals(value)):
            yield Finding(
                path,
                "the render fails: Helm takes {{ … }} for a template of its own",
                "write {{`{{`}} where Airflow expects two braces",
            )


def _without_literals(text: str) -> str:
    """The text without Go string literals, the usual way to write braces that stay."""
    return re.sub(r"\{\{-?\s*(`[^`]*`|\"[^\"]*\")\s*-?\}\}", "", text)


@check(
    "config/variable-style",
    ERROR,
    "A variable's name under config",
    why="config takes sections with options; a variable's name there becomes a section of "
    "airflow.cfg that nothing reads.",
)
def variable_style(values: ValuesInput) -> Iterator[Finding]:
    """`config.AIRFLOW__CORE__LOAD_EXAMPLES`, as a section or as an option of one."""
    config = values.user.get(_SECTION)
    for section, items in config.items() if isinstance(config, Mapping) else ():
        names: list[Path] = [(_SECTION, section)]
        names += [(_SECTION, section, name) for name in items] if isinstance(items, Mapping) else []
        for path in names:
            if wanted := wanted_of_variable(str(path[-1])):
                yield Finding(
                    path,
                    f"nothing reads {path[-1]} in airflow.cfg: config takes section and option",
                    f"set {wanted}, or set the variable under env",
                )


@check(
    "config/variable-dropped",
    WARNING,
    "A variable that the chart drops",
    why="For a component's own env the chart renders neither empty values nor `optional`.",
)
def variable_dropped(values: ValuesInput) -> Iterator[Finding]:
    """Empty values and optional references in `<component>.env`."""
    for component in sorted(values.merged):
        for prefix in ((component,), (component, "celery"), (component, "kubernetes")):
            path = (*prefix, "env")
            for index, row in enumerate(values.rows(path) if values.table(prefix) else ()):
                yield from _dropped((*path, index), row)


def _dropped(path: Path, row: Mapping[str, Any]) -> Iterator[Finding]:
    if row.get("value") == "":
        yield Finding(
            path,
            "the variable is rendered without a value",
            "list it under env at the top level, or in extraEnv",
        )
    source = row.get("valueFrom")
    for kind in ("secretKeyRef", "configMapKeyRef"):
        reference = source.get(kind) if isinstance(source, Mapping) else None
        if isinstance(reference, Mapping) and reference.get("optional"):
            yield Finding(
                path,
                "the pod does not start without that key: `optional` is dropped",
                "use extraEnv, which is passed on as it is",
            )


@check(
    "config/backend-arguments",
    ERROR,
    "Arguments of the secrets backend that are not JSON",
    why="Airflow parses backend_kwargs as JSON and ignores the backend's settings otherwise.",
    source="Airflow, [secrets] backend_kwargs",
)
def backend_arguments(values: ValuesInput) -> Iterator[Finding]:
    """`config.secrets.backend_kwargs` that does not parse."""
    path = "config.secrets.backend_kwargs"
    text = values.text(path)
    if not text or "{{" in text:
        return
    try:
        valid = isinstance(json.loads(text), dict)
    except ValueError:
        valid = False
    if not valid:
        yield Finding(
            path,
            "the secrets backend runs with its defaults: its arguments are not a JSON object",
            "write them as one JSON object in quotes",
        )
