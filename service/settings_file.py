"""The service's settings as people write them: the shape of the YAML file."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from pydantic.alias_generators import to_camel

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")
_REPOSITORY = re.compile(r"[A-Za-z0-9_][\w.+-]*(?:/[A-Za-z0-9_][\w.+-]*)+")
_LOOPBACK = ("http://127.0.0.1", "http://localhost", "http://[::1]")

Positive = Annotated[int, Field(gt=0)]


class _Strict(BaseModel):
    # A rejected value may be a secret in the wrong place: messages never quote it.
    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        alias_generator=to_camel,
        hide_input_in_errors=True,
        str_strip_whitespace=True,
    )


class SecretSource(_Strict):
    """Where a secret is kept: a file, or an environment variable; never in this file."""

    file: str | None = None
    env: str | None = None

    @model_validator(mode="after")
    def _one(self) -> SecretSource:
        if (self.file is None) == (self.env is None):
            raise ValueError("give either file or env")
        return self


class AppFile(_Strict):
    """A GitHub App instead of a token."""

    id: str
    key: SecretSource
    installation: str = ""


class ConnectionFile(_Strict):
    """One forge, its secrets, and the repositories that it may speak for."""

    name: str
    forge: Literal["github", "gitlab", "gitea", "forgejo"]
    url: str = ""
    api_url: str = ""
    ca_file: str | None = None
    repositories: list[str] = Field(min_length=1)
    branch: str = "main"
    webhook_secrets: list[SecretSource] = []
    token: SecretSource | None = None
    app: AppFile | None = None
    username: str = ""
    push_back: bool = True

    @field_validator("name")
    @classmethod
    def _named(cls, value: str) -> str:
        if not _NAME.fullmatch(value):
            raise ValueError("use lower-case letters, digits and hyphens, at most 40")
        return value

    @field_validator("url", "api_url")
    @classmethod
    def _trusted(cls, value: str) -> str:
        if value and not value.startswith(("https://", *_LOOPBACK)):
            raise ValueError("it must start with https:// (http:// only on loopback)")
        return value.rstrip("/")

    @field_validator("repositories")
    @classmethod
    def _repositories(cls, value: list[str]) -> list[str]:
        wrong = [number for number, name in enumerate(value) if not _REPOSITORY.fullmatch(name)]
        if wrong:
            raise ValueError(f"write owner/name (entry {wrong[0] + 1} is not)")
        if len({name.lower() for name in value}) != len(value):
            raise ValueError("a repository is named twice")
        return value

    @model_validator(mode="after")
    def _credentials(self) -> ConnectionFile:
        if self.app and self.token:
            raise ValueError("give a token or an app, not both")
        if self.app and self.forge != "github":
            raise ValueError("an app is GitHub's; give a token for this forge")
        if self.forge in ("gitea", "forgejo") and not self.url:
            raise ValueError("give the url of the forge's pages")
        return self


class LimitsFile(_Strict):
    """Bounds that keep one instance healthy."""

    body_bytes: Positive = 5 * 1024 * 1024
    queue_depth: Positive = 10_000
    concurrency: Annotated[int, Field(gt=0, le=64)] = 2
    attempts: Annotated[int, Field(gt=0, le=20)] = 7
    starts: Annotated[int, Field(gt=0, le=100)] = 5
    retry_seconds: Annotated[float, Field(gt=0)] = 2.0
    report_days: Positive = 90
    report_bytes: Positive = 1024 * 1024 * 1024
    delivery_days: Positive = 30
    drain_seconds: Annotated[int, Field(gt=0, le=3600)] = 60
    lease_seconds: Annotated[float, Field(gt=0)] = 10.0


class SettingsFile(_Strict):
    """The whole file."""

    data_dir: str = "data"
    listen: str = "127.0.0.1:8080"
    public_url: str = ""
    threads: Annotated[int, Field(gt=0, le=64)] = 8
    database: SecretSource | None = None
    api_token: SecretSource | None = None
    poll_seconds: Annotated[int, Field(ge=0)] = 600
    limits: LimitsFile = LimitsFile()
    connections: list[ConnectionFile] = Field(min_length=1)

    @field_validator("listen")
    @classmethod
    def _address(cls, value: str) -> str:
        host, _, port = value.rpartition(":")
        if not host or not port.isdecimal() or int(port) > 65535:
            raise ValueError("write host:port")
        return value

    @field_validator("public_url")
    @classmethod
    def _public(cls, value: str) -> str:
        if value and not value.startswith(("https://", "http://")):
            raise ValueError("it must start with https:// or http://")
        return value.rstrip("/")

    @model_validator(mode="after")
    def _unique(self) -> SettingsFile:
        names = [connection.name for connection in self.connections]
        if len(set(names)) != len(names):
            raise ValueError("two connections have the same name")
        return self
