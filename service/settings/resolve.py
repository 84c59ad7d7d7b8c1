"""The service's settings, read: from the file and the environment, every fault told at once."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from generator.core.counted import counted
from generator.core.errors import UserError

if TYPE_CHECKING:
    from service.settings.schema import Settings

CONFIG = "GEN_ENV_SERVICE_CONFIG"
_PREFIX = "GEN_ENV_SERVICE_"
# Environment variables that win over the file; secrets given so need no file at all.
_OVERRIDES = {"DATA_DIR": "dataDir", "LISTEN": "listen", "PUBLIC_URL": "publicUrl"}
_SECRETS = {"DATABASE_URL": "database", "API_TOKEN": "apiToken"}


def load(path: Path | None, environment: Mapping[str, str]) -> Settings:
    """The settings from the file (or the one that GEN_ENV_SERVICE_CONFIG names) and environment.

    Raises UserError that tells every fault at once and quotes no value.
    """
    import pydantic

    from generator.definition.definition import faults
    from generator.yaml import reader
    from generator.yaml.scalars import as_json_types
    from service.settings.schema import Settings

    named = path or (Path(environment[CONFIG]) if environment.get(CONFIG) else None)
    if named is None:
        raise UserError("settings not found", hint=f"give --config FILE or set {CONFIG}")
    try:
        document = reader.read(named.read_bytes(), str(named))
    except OSError as error:
        raise UserError(f"cannot read the settings: {error.strerror}", path=str(named)) from None
    data = as_json_types(document.data)
    if not isinstance(data, dict):
        raise UserError("the settings are not a mapping", path=document.path)
    variables: dict[str, str] = {}
    for suffix, key in (_OVERRIDES | _SECRETS).items():
        if given := environment.get(_PREFIX + suffix):
            variables[key] = _PREFIX + suffix
            data[key] = {"env": _PREFIX + suffix} if suffix in _SECRETS else given
    try:
        return Settings.model_validate(data, context=(named.parent, environment))
    except pydantic.ValidationError as error:
        found = [
            (0, f"{_sentence(message, hint)} (it comes from {variables[str(place[0])]})")
            if place and place[0] in variables
            else (document.key_line(place) or 0, _sentence(message, hint))
            for place, message, hint in faults(error, data, Settings)
        ]
    # Raised outside the handler: pydantic's error carries the input along.
    lines = "".join(
        f"\n  line {line}: {text}" if line else f"\n  {text}"
        for line, text in sorted(found, key=lambda item: item[0])
    )
    raise UserError(f"the settings have {counted(len(found), 'fault')}:{lines}", path=str(named))


def _sentence(message: str, hint: str) -> str:
    # Settings are no definition: there a number without quotes is text too.
    message = message.replace("unknown field", "unknown setting")
    message = message.replace("it must be text", "it must be text; put a number in quotes")
    return message if message.endswith("is missing") or not hint else f"{message}; {hint}"
