"""Who we are to a forge: a token, or a GitHub App; both from the environment or from a caller."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path

from generator.core.errors import UserError
from generator.forge.port import ForgeKind
from generator.redaction.secret import Secret

_VARIABLES = {
    ForgeKind.GITHUB: ("GEN_ENV_FORGE_TOKEN", "GH_TOKEN", "GITHUB_TOKEN"),
    ForgeKind.GITLAB: ("GEN_ENV_FORGE_TOKEN", "GITLAB_TOKEN"),
    ForgeKind.GITEA: ("GEN_ENV_FORGE_TOKEN", "FORGEJO_TOKEN", "GITEA_TOKEN"),
}
_APP = ("GEN_ENV_GITHUB_APP_ID", "GEN_ENV_GITHUB_APP_KEY_FILE", "GEN_ENV_GITHUB_INSTALLATION_ID")


@dataclasses.dataclass(frozen=True, slots=True)
class Token:
    """A personal, project, group or job token."""

    value: Secret


@dataclasses.dataclass(frozen=True, slots=True)
class App:
    """A GitHub App: its id (or client id), its private key in PEM form, and, if known, the
    installation; without one the repository's own is looked up.
    """

    app_id: str
    private_key: Secret
    installation_id: str = ""


Credentials = Token | App


def from_environment(environment: Mapping[str, str], kind: ForgeKind) -> Credentials:
    """The credentials that the environment names; an App comes before a token.

    Raises UserError naming the variables when there are none, or when the App's are incomplete.
    """
    if kind is ForgeKind.GITHUB and environment.get(_APP[0]):
        return _app(environment)
    for name in _VARIABLES[kind]:
        value = environment.get(name, "").strip()
        if value:
            return Token(_sound(value, name))
    raise UserError(
        f"no token for {kind.value}",
        hint=f"set {' or '.join(_VARIABLES[kind])} in the environment",
    )


def _app(environment: Mapping[str, str]) -> App:
    app_id, key_file, installation = (environment.get(name, "").strip() for name in _APP)
    if not key_file:
        raise UserError(
            f"{_APP[0]} is set and {_APP[1]} is not", hint="it names the App's PEM file"
        )
    try:
        key = Path(key_file).read_bytes()
    except OSError as error:
        raise UserError(
            f"cannot read the App's private key: {error.strerror}", path=key_file
        ) from None
    return App(app_id, Secret(key), installation)


def _sound(value: str, name: str) -> Secret:
    """A line end or a blank would end the HTTP header, and with it the secret in a message."""
    if not value.isascii() or any(character.isspace() for character in value):
        raise UserError(f"{name} does not contain a valid token", hint="set it again")
    return Secret(value)
