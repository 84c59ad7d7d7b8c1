"""The service's settings, resolved: secrets read, defaults applied, every fault told at once."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from generator.core.counted import counted
from generator.core.errors import UserError
from generator.forge.credentials import App, Credentials, Token
from generator.forge.location import Location, locate
from generator.forge.port import ForgeKind
from generator.redaction.secret import Secret
from service.settings.clusters import Access, Verification
from service.settings.routes import Route

if TYPE_CHECKING:
    from generator.yaml.reader import Document
    from service.settings.schema import (
        ClusterFile,
        ConnectionFile,
        Limits,
        NotificationFile,
        Proxy,
        SecretSource,
        SettingsFile,
        VerificationFile,
    )

CONFIG = "GEN_ENV_SERVICE_CONFIG"
_PREFIX = "GEN_ENV_SERVICE_"
# Environment variables that win over the file; secrets given so need no file at all.
_OVERRIDES = {"DATA_DIR": "dataDir", "LISTEN": "listen", "PUBLIC_URL": "publicUrl"}
_SECRETS = {"DATABASE_URL": "database", "API_TOKEN": "apiToken"}
_WEB = {"github": "https://github.com", "gitlab": "https://gitlab.com"}
_SHORTEST_SECRET = 16


@dataclasses.dataclass(frozen=True, slots=True)
class Connection:
    """One forge with its credentials, and the repositories that deliveries may be about."""

    name: str
    forge: ForgeKind
    web_url: str
    api_url: str
    repositories: tuple[str, ...]
    branch: str
    webhook_secrets: tuple[Secret, ...]
    credentials: Credentials | None
    username: str
    ca: Path | None
    push_back: bool
    plain_http: frozenset[str] = frozenset()
    verification: Verification | None = None

    def repository(self, name: str) -> str | None:
        """The repository as the settings spell it, None when it is not ours to serve."""
        wanted = name.lower()
        return next((known for known in self.repositories if known.lower() == wanted), None)

    def location(self, repository: str) -> Location:
        """Where this repository's pages and API are."""
        remote = f"{self.web_url}/{repository}.git"
        return locate(remote, kind=self.forge, base_url=self.web_url, api_url=self.api_url)

    @property
    def allow_http(self) -> bool:
        """Whether the forge has no TLS: the settings allow it on loopback, and by host."""
        return self.web_url.startswith("http://")


@dataclasses.dataclass(frozen=True, slots=True)
class Settings:
    """All that the web and the worker processes need to know."""

    data_dir: Path
    database_url: Secret
    host: str
    port: int
    public_url: str
    threads: int
    api_token: Secret | None
    poll_seconds: int
    limits: Limits
    connections: tuple[Connection, ...]
    proxy: Proxy | None = None
    routes: tuple[Route, ...] = ()

    def connection(self, name: str) -> Connection | None:
        """The connection of this name."""
        return next((item for item in self.connections if item.name == name), None)

    def report_url(self, report_id: str) -> str:
        """The link to a kept report."""
        return f"{self.public_url}/reports/{report_id}"

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """Every secret there is, for keeping them out of logs and messages."""
        found = [self.database_url, *([self.api_token] if self.api_token else [])]
        found.extend(route.url for route in self.routes)
        for connection in self.connections:
            found.extend(connection.webhook_secrets)
            match connection.credentials:
                case Token(value):
                    found.append(value)
                case App(private_key=key):
                    found.append(key)
        return tuple(found)


def load(path: Path | None, environment: Mapping[str, str]) -> Settings:
    """The settings from the file (or the one that GEN_ENV_SERVICE_CONFIG names) and environment.

    Raises UserError that tells every fault at once and quotes no value.
    """
    from service.settings.schema import SettingsFile

    named = path or (Path(environment[CONFIG]) if environment.get(CONFIG) else None)
    if named is None:
        raise UserError("settings not found", hint=f"give --config FILE or set {CONFIG}")
    document = _read(named)
    data = _with_overrides(_mapping(document), environment)
    return _Resolver(named, environment).settings(_validated(SettingsFile, data, document))


def _read(path: Path) -> Document:
    from generator.yaml import reader

    try:
        raw = path.read_bytes()
    except OSError as error:
        raise UserError(f"cannot read the settings: {error.strerror}", path=str(path)) from None
    return reader.read(raw, str(path))


def _mapping(document: Document) -> dict[str, Any]:
    from generator.yaml.scalars import as_json_types

    data = as_json_types(document.data)
    if not isinstance(data, dict):
        raise UserError("the settings are not a mapping", path=document.path)
    return data


def _with_overrides(data: dict[str, Any], environment: Mapping[str, str]) -> dict[str, Any]:
    for suffix, key in _OVERRIDES.items():
        if environment.get(_PREFIX + suffix):
            data[key] = environment[_PREFIX + suffix]
    for suffix, key in _SECRETS.items():
        if environment.get(_PREFIX + suffix):
            data[key] = {"env": _PREFIX + suffix}
    return data


def _validated(model: type[SettingsFile], data: dict[str, Any], document: Document) -> SettingsFile:
    import pydantic

    from service.settings.faults import described

    try:
        return model.model_validate(data)
    except pydantic.ValidationError as error:
        faults = list(described(error, model, document.key_line))
    # Raised outside the handler: pydantic's error carries the input along.
    raise _faults(faults, Path(document.path))


def _faults(faults: list[str], path: Path) -> UserError:
    count = counted(len(faults), "fault")
    lines = "\n".join(f"  {fault}" for fault in faults)
    return UserError(f"the settings have {count}:\n{lines}", path=str(path))


class _Resolver:
    """Reads what the file points at and gathers what cannot be read."""

    def __init__(self, path: Path, environment: Mapping[str, str]) -> None:
        self._path = path
        self._environment = environment
        self._problems: list[str] = []

    def settings(self, written: SettingsFile) -> Settings:
        data_dir = self._beside(written.data_dir)
        host, _, port = written.listen.rpartition(":")
        settings = Settings(
            data_dir=data_dir,
            database_url=self._database(written, data_dir),
            host=host,
            port=int(port),
            public_url=written.public_url or f"http://{written.listen}",
            threads=written.threads,
            api_token=self._strong(written.api_token, "apiToken"),
            poll_seconds=written.poll_seconds,
            limits=written.limits,
            connections=tuple(self._connection(item) for item in written.connections),
            proxy=written.proxy,
            routes=tuple(filter(None, map(self._route, written.notifications))),
        )
        if self._problems:
            raise _faults(self._problems, self._path)
        return settings

    def _database(self, written: SettingsFile, data_dir: Path) -> Secret:
        if written.database is None:
            return Secret(f"sqlite:///{data_dir / 'service.sqlite'}")
        url = self._secret(written.database, "database")
        if url and not url.text().startswith(("sqlite:///", "postgresql://")):
            self._problems.append("database: use a sqlite:/// or postgresql:// URL")
        return url or Secret("")

    def _connection(self, written: ConnectionFile) -> Connection:
        where = f"connections.{written.name}"
        secrets = [
            self._strong(source, f"{where}.webhookSecrets.{number}")
            for number, source in enumerate(written.webhook_secrets)
        ]
        kind = ForgeKind.GITEA if written.forge == "forgejo" else ForgeKind(written.forge)
        return Connection(
            name=written.name,
            forge=kind,
            web_url=written.url or _WEB.get(written.forge, ""),
            api_url=written.api_url,
            repositories=tuple(sorted(written.repositories)),
            branch=written.branch,
            webhook_secrets=tuple(secret for secret in secrets if secret),
            credentials=self._credentials(written, where),
            username=written.username or _username(kind),
            ca=self._beside(written.ca_file) if written.ca_file else None,
            push_back=written.push_back,
            plain_http=frozenset(written.plain_http),
            verification=self._verification(written.verification, f"{where}.verification"),
        )

    def _route(self, written: NotificationFile) -> Route | None:
        url = self._secret(written.url, f"notifications.{written.name}.url")
        about = (tuple(written.events), tuple(written.teams), tuple(written.tiers))
        return Route(written.name, url, *about) if url else None

    def _verification(self, written: VerificationFile | None, where: str) -> Verification | None:
        if written is None:
            return None
        clusters = {
            name: self._access(item, f"{where}.clusters.{name}")
            for name, item in sorted(written.clusters.items())
        }
        hub = self._access(written.argocd, f"{where}.argocd") if written.argocd else None
        return Verification(clusters, hub, written.timeout_seconds, written.drift_hour)

    def _access(self, written: ClusterFile, where: str) -> Access:
        path = self._beside(written.kubeconfig) if written.kubeconfig else None
        if path is not None and not path.is_file():
            self._problems.append(f"{where}.kubeconfig: file {path} not found")
        return Access(written.context, str(path or ""), written.in_cluster)

    def _credentials(self, written: ConnectionFile, where: str) -> Credentials | None:
        if written.app:
            key = self._secret(written.app.key, f"{where}.app.key")
            return App(written.app.id, key, written.app.installation) if key else None
        token = self._secret(written.token, f"{where}.token") if written.token else None
        if token and any(not 0x21 <= byte <= 0x7E for byte in token.reveal()):
            self._problems.append(f"{where}.token: not a valid token")
        return Token(token) if token else None

    def _strong(self, source: SecretSource | None, where: str) -> Secret | None:
        secret = self._secret(source, where) if source else None
        if secret and secret.size < _SHORTEST_SECRET:
            self._problems.append(
                f"{where}: shorter than {_SHORTEST_SECRET} bytes; generate a new one"
            )
        return secret

    def _secret(self, source: SecretSource, where: str) -> Secret | None:
        if source.env is not None:
            value = self._environment.get(source.env, "").strip().encode()
            missing = f"the variable {source.env} is not set"
        else:
            file = self._beside(source.file or "")
            missing = f"{file} is empty"
            try:
                value = file.read_bytes().strip()
            except OSError as error:
                value, missing = b"", f"cannot read {file}: {error.strerror}"
        if not value:
            self._problems.append(f"{where}: {missing}")
            return None
        return Secret(value)

    def _beside(self, name: str) -> Path:
        """Relative paths start at the settings' own folder, wherever the process runs."""
        # os.path: an unknown user in `~name` is left as it stands, and then not found.
        return (self._path.parent / os.path.expanduser(name)).absolute()  # noqa: PTH111


def _username(kind: ForgeKind) -> str:
    return "oauth2" if kind is ForgeKind.GITLAB else "x-access-token"
