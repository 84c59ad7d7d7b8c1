"""Checks of `config`: numbers, templates, and options that moved."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from generator.core.layered import Path
from generator.helmvalues.values import ValuesInput
from generator.lint.rule import ERROR, WARNING, Finding, check

_SECTION = "config"
_VARIABLE = re.compile(r"AIRFLOW__([A-Za-z0-9_]+?)__([A-Za-z0-9_]+)", re.IGNORECASE)
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

# Still read under the old name, with a warning (airflow.configuration, deprecated_options).
_RENAMED = {
    ("webserver", "base_url"): ("api", "base_url"),
    ("webserver", "expose_config"): ("api", "expose_config"),
    ("webserver", "web_server_port"): ("api", "port"),
    ("webserver", "web_server_host"): ("api", "host"),
    ("webserver", "workers"): ("api", "workers"),
    ("webserver", "secret_key"): ("api", "secret_key"),
    ("webserver", "web_server_ssl_cert"): ("api", "ssl_cert"),
    ("webserver", "web_server_ssl_key"): ("api", "ssl_key"),
    ("scheduler", "dag_dir_list_interval"): ("dag_processor", "refresh_interval"),
}
# No longer read under the old name.
_GONE = {
    ("scheduler", "parsing_processes"): ("dag_processor", "parsing_processes"),
    ("scheduler", "min_file_process_interval"): ("dag_processor", "min_file_process_interval"),
    ("scheduler", "file_parsing_sort_mode"): ("dag_processor", "file_parsing_sort_mode"),
    ("core", "sql_alchemy_conn"): ("database", "sql_alchemy_conn"),
    ("core", "dag_concurrency"): ("core", "max_active_tasks_per_dag"),
    ("core", "remote_logging"): ("logging", "remote_logging"),
}


def options(values: Mapping[str, Any]) -> Iterator[tuple[Path, Any]]:
    """Every `config.<section>.<option>` of a values mapping with its path."""
    sections = values.get(_SECTION)
    for section, items in sections.items() if isinstance(sections, Mapping) else ():
        for option, value in items.items() if isinstance(items, Mapping) else ():
            yield (_SECTION, section, option), value


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
            match = _VARIABLE.fullmatch(str(path[-1]))
            if match:
                wanted = f"config.{match[1].lower()}.{match[2].lower()}"
                yield Finding(
                    path,
                    f"nothing reads {path[-1]} in airflow.cfg: config takes section and option",
                    f"set {wanted}, or set the variable under env",
                )


@check(
    "config/moved",
    WARNING,
    "An option that moved in Airflow 3",
    why="Some options are still read under their old name, with a warning in every log, others "
    "are not; the chart itself looks at the new names only, for the Execution API's address as "
    "well.",
    source="apache-airflow-core 3.2.2, airflow.configuration; `airflow config lint`",
)
def moved(values: ValuesInput) -> Iterator[Finding]:
    """Options under their Airflow 2 name."""
    for table, words in (
        (_RENAMED, "is an old name, which the chart does not look at and Airflow 3 warns of"),
        (_GONE, "has no effect: Airflow 3 reads it elsewhere"),
    ):
        for (section, option), (newer, name) in table.items():
            path = (_SECTION, section, option)
            if values.airflow3 and values.given(path):
                yield Finding(
                    path, f"[{section}] {option} {words}", f"move it to config.{newer}.{name}"
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
