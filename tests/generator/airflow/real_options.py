"""Run by a real Airflow's Python: what its linter and its configuration do with older names."""

import json
import os
import sys

from airflow.cli.commands import config_command
from airflow.configuration import conf
from airflow.utils.providers_configuration_loader import providers_configuration_loaded


def linted():
    """Every option of the linter but those of which only the default changed."""
    return sorted(
        {
            tuple(change.config)
            for change in config_command.CONFIGS_CHANGES
            if not change.default_change
        }
    )


def documented():
    """Every option that Airflow and the installed providers document."""
    return sorted(
        (section, name)
        for section, about in conf.configuration_description.items()
        for name in about.get("options") or {}
    )


def reads(moves):
    """For each old name and its new one: whether the new one has the value given to the old."""
    return [[old, new, _read(old, new)] for old, new in moves]


def _read(old, new):
    name = f"AIRFLOW__{old[0].replace('.', '_').upper()}__{old[1].upper()}"
    os.environ[name] = "gen-env"
    try:
        return conf.get(*new, fallback=None) == "gen-env"
    finally:
        del os.environ[name]


@providers_configuration_loaded
def main():
    """Before 3.2 the options of providers are there only within this decorator."""
    answers = {
        "linted": linted(),
        "documented": documented(),
        "reads": reads(json.load(sys.stdin)),
    }
    print(json.dumps(answers))


if __name__ == "__main__":
    main()
