"""The forge of a repository, as its settings, its remote and the environment name it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from generator.core.errors import UserError
from generator.forge.connect import connect
from generator.forge.credentials import from_environment
from generator.forge.location import locate
from generator.forge.port import ForgeKind, ForgePort
from generator.model.repository import Forge

CA_VARIABLE = "GEN_ENV_FORGE_CA"


def forge_of(settings: Forge, remote_url: str | None, environment: Mapping[str, str]) -> ForgePort:
    """The port to the repository; nothing is sent yet.

    The settings' `repository.url` comes before the remote's, `repository.forge` before what the
    host tells. Raises UserError when it cannot be told, or when there is no token.
    """
    url = settings.url if "url" in settings.model_fields_set or not remote_url else remote_url
    named = {"forgejo": "gitea"}.get(settings.forge or "", settings.forge)
    kind = ForgeKind(named) if named else None
    location = locate(url, kind=kind, api_url=settings.api_url or "")
    ca = environment.get(CA_VARIABLE, "").strip()
    if ca and not Path(ca).is_file():
        raise UserError(f"{CA_VARIABLE} names no file", hint="a bundle of certificates (PEM)")
    credentials = from_environment(environment, location.kind)
    return connect(location, credentials, ca=Path(ca) if ca else None)
