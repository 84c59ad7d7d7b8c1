"""The service's settings: the shape of the YAML file, with secrets read and paths made absolute.

Validation wants a context of `(folder of the file, environment)`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetPydanticSchema,
    IPvAnyNetwork,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic.alias_generators import to_camel
from pydantic_core import core_schema

from generator.core.http_policy import Policy, split
from generator.definition.definition import name_faults
from generator.forge.credentials import App, Credentials, Token
from generator.forge.location import Location, locate
from generator.forge.port import ForgeKind
from generator.model.environment import Tier
from generator.redaction.secret import Secret

if TYPE_CHECKING:
    from generator.cluster import Cluster

_WEB = {"github": "https://github.com", "gitlab": "https://gitlab.com"}
_SHORTEST_SECRET = 16
_SERVICE_HOST = "KUBERNETES_SERVICE_HOST"
_NOWHERE: tuple[Path, Mapping[str, str]] = (Path(), {})


def _must(words: str, test: Callable[[Any], object]) -> AfterValidator:
    """What a value must be like; the words tell who writes another what to write."""

    def check(value: Any) -> Any:
        if not test(value):
            raise ValueError(words)
        return value

    return AfterValidator(check)


def _like(pattern: str) -> Callable[[str], object]:
    return re.compile(pattern).fullmatch


def _is_place(value: str) -> bool:
    host, _, port = value.rpartition(":")
    return bool(host) and port.isdecimal() and 0 < int(port) < 65536


_a_name = _must(
    "use lower-case letters, digits and hyphens, at most 40",
    _like(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?"),
)
_a_repository = _must("write owner/name", _like(r"[A-Za-z0-9_][\w.+-]*(?:/[A-Za-z0-9_][\w.+-]*)+"))
_a_branch = _must("write the branch's short name", _like(r"(?!refs/)[A-Za-z0-9_][\w.+/-]*"))
_a_header = _must("a header's name has letters, digits and hyphens", _like(r"[A-Za-z0-9-]+"))
_a_group = _must("a group is empty or has a comma, which separates groups", _like(r"[^,]+"))
_a_team = _must(
    "write the folder of the team's environments", lambda name: not any(name_faults(name))
)
_a_place = _must("write host:port", _is_place)
_a_database = _must(
    "use a sqlite:/// or postgresql:// URL",
    lambda url: url.text().startswith(("sqlite:///", "postgresql://")),
)
_a_token = _must(
    "not a valid token", lambda token: all(0x21 <= byte <= 0x7E for byte in token.reveal())
)
_strong = _must(
    f"shorter than {_SHORTEST_SECRET} bytes; generate a new one",
    lambda secret: secret.size >= _SHORTEST_SECRET,
)
Positive = Annotated[int, Field(gt=0, lt=2**53)]
Days = Annotated[int, Field(gt=0, le=36_500)]


class _Strict(BaseModel):
    # A rejected value may be a secret in the wrong place: messages never quote it.
    model_config = ConfigDict(
        extra="forbid",
        allow_inf_nan=False,
        frozen=True,
        alias_generator=to_camel,
        hide_input_in_errors=True,
        str_strip_whitespace=True,
        use_attribute_docstrings=True,
    )

    @field_validator("*", mode="after")
    @classmethod
    def _plain(cls, value: object) -> object:
        if isinstance(value, str | Path) and not str(value).isprintable():
            raise ValueError("it has a control character")
        return value


def _web_address(value: str) -> str:
    """Raises ValueError for what is no http or https address of a host, with or without a path."""
    parts = split(value)
    if value and (parts is None or parts.scheme not in ("https", "http") or not parts.hostname):
        raise ValueError("write https://HOST or http://HOST")
    if any(mark in value for mark in '?#<>"\\ '):
        raise ValueError("it must be scheme, host and path alone")
    return value.rstrip("/")


class SecretSource(_Strict):
    """Where a secret is kept: a file, or an environment variable; never in this file."""

    file: str | None = None
    """A file that holds nothing else; white space around the secret is dropped."""
    env: str | None = None
    """The name of an environment variable."""

    @model_validator(mode="before")
    @classmethod
    def _named(cls, value: Any) -> Any:
        if not isinstance(value, dict | cls):
            raise ValueError("write {file: PATH} or {env: NAME}, never the secret itself")
        return value

    @model_validator(mode="after")
    def _one(self) -> SecretSource:
        if (self.file is None) == (self.env is None):
            raise ValueError("give either file or env")
        return self


def _read(source: SecretSource, info: ValidationInfo) -> Secret:
    if source.env is not None:
        _, environment = info.context or _NOWHERE
        value = environment.get(source.env, "").strip().encode()
        missing = f"the variable {source.env} is not set"
    else:
        file = _beside(Path(source.file or ""), info)
        missing = f"{file} is empty"
        try:
            value = file.read_bytes().strip()
        except OSError as error:
            value, missing = b"", f"cannot read {file}: {error.strerror}"
    if not value:
        raise ValueError(missing)
    return Secret(value)


def _beside(path: Path, info: ValidationInfo) -> Path:
    """Relative paths start at the settings' own folder, wherever the process runs."""
    # os.path: an unknown user in `~name` is left as it stands, and then not found.
    folder, _ = info.context or _NOWHERE
    return Path(folder, os.path.expanduser(path)).absolute()  # noqa: PTH111


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise ValueError(f"file {path} not found")
    return path


GivenSecret = Annotated[
    Secret,
    GetPydanticSchema(
        lambda _, handler: core_schema.with_info_after_validator_function(
            _read, handler.generate_schema(SecretSource)
        )
    ),
]
"""Written as a SecretSource, and read."""
StrongSecret = Annotated[GivenSecret, _strong]
NearFile = Annotated[Path, AfterValidator(_beside)]
_unless_empty = BeforeValidator(lambda value: value or None)


class AppSource(_Strict):
    """A GitHub App instead of a token."""

    id: str
    """The App's id or client id."""
    key: GivenSecret
    """Its private key, PEM."""
    installation: str = ""
    """The installation's id; without it, the one of the repository is asked for."""


class Access(_Strict):
    """How verification reaches one cluster."""

    context: str = ""
    """A context of the kubeconfig."""
    kubeconfig: Annotated[NearFile, AfterValidator(_existing)] | None = None
    """The kubeconfig; by default the one that KUBECONFIG names, else `~/.kube/config`."""
    in_cluster: bool = False
    """The cluster that the service runs in, with the service account of its pod."""

    @model_validator(mode="after")
    def _one(self) -> Access:
        if self.in_cluster == bool(self.context or self.kubeconfig):
            raise ValueError("give context (and kubeconfig), or inCluster: true")
        return self

    def open(self, environ: Mapping[str, str] = os.environ) -> Cluster:
        """The cluster; nothing is asked before the first request. The caller closes it."""
        from generator.cluster import Cluster

        if self.in_cluster:
            # Nothing else of the environment: a kubeconfig in sight must not take its place.
            host = environ.get(_SERVICE_HOST, "") or "here"
            return Cluster.connect(environ={_SERVICE_HOST: host})
        kubeconfig = str(self.kubeconfig or "")
        return Cluster.connect(self.context, kubeconfig=kubeconfig, environ=environ)


class Verification(_Strict):
    """What is looked at after a merge.

    Of the repository only names are taken: which identity reaches which cluster is ours to say.
    """

    clusters: dict[str, Access] = Field(min_length=1)
    """By their names in `gen-env.yaml`; environments in others are not verified."""
    argocd: Access | None = None
    """Where Argo CD runs, when that is not the environment's own cluster."""
    timeout_seconds: Annotated[int, Field(gt=0, le=86_400)] = 1800
    """How long a commit may take until it has arrived and everything is healthy."""
    drift_hour: Annotated[int, Field(ge=0, le=23)] | None = None
    """The hour (UTC) of the nightly comparison with the branch; without it there is none."""

    def hub(self, cluster: str) -> Access:
        """Where the Argo CD of that cluster's environments runs."""
        return self.argocd or self.clusters[cluster]


class Connection(_Strict):
    """One forge, its secrets, and the repositories that it may speak for."""

    name: Annotated[str, _a_name]
    """Part of the webhook's address: `/webhooks/<name>`."""
    forge: Literal["github", "gitlab", "gitea", "forgejo"]
    """Which kind of forge."""
    plain_http: list[str] = []
    """Hosts in the cluster (`gitea.gitea:3000`) that are spoken to without TLS, token included."""
    url: str = ""
    """Where its pages are; needed for Gitea, Forgejo and self-hosted others."""
    api_url: str = ""
    """Where its API is, when that does not follow from `url`."""
    ca_file: Annotated[NearFile | None, _unless_empty] = None
    """Certificates (PEM) to trust besides the system's."""
    repositories: list[Annotated[str, _a_repository]] = Field(min_length=1)
    """`owner/name`; deliveries about others are refused."""
    branch: Annotated[str, _a_branch] = "main"
    """The branch that Argo CD follows."""
    webhook_secrets: list[StrongSecret] = []
    """All that are valid, newest first; while there is none, deliveries are refused (501)."""
    token: Annotated[GivenSecret, _a_token] | None = None
    """For API and git; without `token` and `app` nothing private can be read or answered."""
    app: AppSource | None = None
    """A GitHub App instead of a token."""
    username: str = ""
    """What git logs in with beside the token; the forge's usual one by default."""
    push_back: bool = True
    """Push the regenerated tree to branches of the same repository."""
    verification: Verification | None = None
    """The clusters in which merged commits are verified; without it nothing is verified."""

    @field_validator("url", "api_url")
    @classmethod
    def _trusted(cls, value: str, info: ValidationInfo) -> str:
        if "@" in value:
            raise ValueError("remove the credentials; set a token separately")
        named = Policy(0, plain_hosts=frozenset(info.data.get("plain_http", ())))
        if value.startswith("http://") and not named.speaks_plain(value[7:].partition("/")[0]):
            raise ValueError("use https:// (http:// only on loopback, or for hosts in plainHttp)")
        return _web_address(value)

    @field_validator("repositories")
    @classmethod
    def _repositories(cls, value: list[str]) -> list[str]:
        if len({name.lower() for name in value}) != len(value):
            raise ValueError("a repository appears twice")
        return sorted(value)

    @model_validator(mode="after")
    def _together(self) -> Connection:
        if self.app and self.token:
            raise ValueError("give a token or an app, not both")
        if self.app and self.forge != "github":
            raise ValueError("an app is GitHub's; give a token for this forge")
        if self.forge in ("gitea", "forgejo") and not self.url:
            raise ValueError("give the url of the forge's pages")
        return self

    def __hash__(self) -> int:
        return hash(self.name)

    @property
    def kind(self) -> ForgeKind:
        """Which forge's words it speaks: Forgejo's are Gitea's."""
        return ForgeKind.GITEA if self.forge == "forgejo" else ForgeKind(self.forge)

    @property
    def web_url(self) -> str:
        """Where the forge's pages are."""
        return self.url or _WEB.get(self.forge, "")

    @property
    def credentials(self) -> Credentials | None:
        """What the API is asked with."""
        if self.app:
            return App(self.app.id, self.app.key, self.app.installation)
        return Token(self.token) if self.token else None

    @property
    def git_username(self) -> str:
        """What git logs in with beside the token."""
        usual = "oauth2" if self.kind is ForgeKind.GITLAB else "x-access-token"
        return self.username or usual

    @property
    def allow_http(self) -> bool:
        """Whether the forge has no TLS: the settings allow it on loopback, and by host."""
        return self.web_url.startswith("http://")

    def repository(self, name: str) -> str | None:
        """The repository as the settings spell it, None when it is not ours to serve."""
        wanted = name.lower()
        return next((known for known in self.repositories if known.lower() == wanted), None)

    def git_url(self, repository: str) -> str:
        """Where git fetches and pushes."""
        return f"{self.web_url}/{repository}.git"

    def location(self, repository: str) -> Location:
        """Where this repository's pages and API are."""
        remote, web = self.git_url(repository), self.web_url
        return locate(remote, kind=self.kind, base_url=web, api_url=self.api_url)


class Limits(_Strict):
    """Bounds that keep one instance healthy."""

    body_bytes: Positive = 5 * 1024 * 1024
    """The largest delivery that is read."""
    queue_depth: Positive = 10_000
    """Unfinished runs from which on deliveries are refused (503)."""
    concurrency: Annotated[int, Field(gt=0, le=64)] = 2
    """Runs that one worker does side by side."""
    check_seconds: Annotated[float, Field(ge=1, le=86_400)] = 900.0
    """How long one check may take; then its status is `error`, and says so."""
    verifications: Annotated[int, Field(gt=0, le=32)] = 8
    """Verifications that one worker follows beside its other runs."""
    attempts: Annotated[int, Field(gt=0, le=20)] = 7
    """Tries of a run that fails for a reason that may pass, with growing waits."""
    starts: Annotated[int, Field(gt=0, le=100)] = 5
    """Workers that may die over a run before it is given up."""
    retry_seconds: Annotated[float, Field(gt=0, le=3600)] = 2.0
    """The first wait between tries; it doubles."""
    settle_seconds: Annotated[float, Field(ge=0, le=600)] = 10.0
    """How long after a merge further ones are waited for before open changes are checked again."""
    report_days: Days = 90
    """How long reports and finished runs are kept."""
    report_bytes: Positive = 1024 * 1024 * 1024
    """How much room reports may take; the oldest go first."""
    delivery_days: Days = 30
    """How long deliveries are kept."""
    mirror_days: Days = 30
    """How long a repository's mirror is kept that no run works in."""
    mirror_bytes: Positive = 10 * 1024 * 1024 * 1024
    """How much room mirrors may take on a host; those used longest ago go first."""
    cache_days: Days = 30
    """How long a kept render is kept that nobody asks for."""
    drain_seconds: Annotated[int, Field(gt=0, le=3600)] = 60
    """How long a worker that is told to stop works on."""
    lease_seconds: Annotated[float, Field(ge=1, le=3600)] = 10.0
    """Silence after which a worker's runs go to another."""


class Proxy(_Strict):
    """An authenticating proxy, which says in headers who somebody is."""

    addresses: list[IPvAnyNetwork] = Field(min_length=1)
    """Addresses or networks of the proxy: headers of others count for nothing."""
    user_header: Annotated[str, _a_header] = "X-Auth-Request-User"
    """The header with the user; the proxy must replace what a client sends in it."""
    groups_header: Annotated[str, _a_header] = "X-Auth-Request-Groups"
    """The header with the user's groups, separated by commas; it must be replaced as well."""
    viewers: list[Annotated[str, _a_group]] = []
    """Groups that may see the pages; empty: everybody whom the proxy lets in."""
    operators: list[Annotated[str, _a_group]] = []
    """Groups that may also retry."""

    @model_validator(mode="after")
    def _headers(self) -> Proxy:
        if self.user_header.lower() == self.groups_header.lower():
            raise ValueError("userHeader and groupsHeader are the same")
        return self


class Route(_Strict):
    """An address that gets a message when something needs a person."""

    name: Annotated[str, _a_name]
    """How logs call it: they never have the address."""
    url: GivenSecret
    """An address as Apprise writes it: `slack://`, `msteams://`, `mailtos://`, `jsons://`, ..."""
    events: list[Literal["failed", "promotion", "gate", "dead", "drift"]] = []
    """What is sent: see [notifications](service.md#notifications); empty: all of them."""
    teams: list[Annotated[str, _a_team]] = []
    """Only of environments of these teams (`payments` of `payments/dev`); empty: of all."""
    tiers: list[Tier] = []
    """Only of environments of these tiers; empty: of all."""

    def wants(self, event: str, environments: Iterable[str], tiers: Mapping[str, str]) -> bool:
        """Whether it is told of an event of these environments, whose tiers are known or not.

        Of an environment whose tier is not known every tier is told, and of an event that is about
        no environment everybody: silence would be the worse mistake.
        """
        if self.events and event not in self.events:
            return False
        concerns = [
            (not self.teams or name.rpartition("/")[0] in self.teams)
            and (not self.tiers or not tiers.get(name) or tiers[name] in self.tiers)
            for name in environments
        ]
        return not concerns or any(concerns)


class Settings(_Strict):
    """The whole file: all that the web and the worker processes need to know."""

    data_dir: NearFile = Field(Path("data"), validate_default=True)
    """Mirrors, caches and the SQLite database; relative to this file."""
    listen: Annotated[str, _a_place] = "127.0.0.1:8080"
    """Host and port of the web process."""
    public_url: Annotated[str, AfterValidator(_web_address)] = ""
    """How people reach the service: links in comments and statuses start with it."""
    threads: Annotated[int, Field(gt=0, le=64)] = 8
    """Requests that one web process answers side by side."""
    database: Annotated[GivenSecret, _a_database] | None = None
    """A `postgresql://` or `sqlite:///` URL; by default SQLite in `dataDir`."""
    api_token: StrongSecret | None = None
    """A token of role operator without a name and an end, beside those of `token create`."""
    proxy: Proxy | None = None
    """Sign-in to the pages by an authenticating proxy, beside the tokens."""
    poll_seconds: Annotated[int, Field(ge=0)] = 600
    """How often open pull requests are looked at for lost deliveries; 0 switches it off."""
    limits: Limits = Limits()
    """Bounds."""
    notifications: list[Route] = []
    """Addresses that get a message when something needs a person."""
    connections: list[Connection] = Field(min_length=1)
    """The forges, at least one."""

    @model_validator(mode="after")
    def _unique(self) -> Settings:
        for what in ("connections", "notifications"):
            names = [item.name for item in getattr(self, what)]
            if len(set(names)) != len(names):
                raise ValueError(f"two {what} have the same name")
        return self

    @property
    def database_url(self) -> Secret:
        """Where the database is, password included."""
        return self.database or Secret(f"sqlite:///{self.data_dir / 'service.sqlite'}")

    @property
    def address(self) -> str:
        """How people reach the pages."""
        return self.public_url or f"http://{self.listen}"

    @property
    def places(self) -> list[tuple[Connection, str]]:
        """Every repository that is served, with its connection."""
        return [(item, name) for item in self.connections for name in item.repositories]

    def connection(self, name: str) -> Connection | None:
        """The connection of this name."""
        return next((item for item in self.connections if item.name == name), None)

    def report_url(self, report_id: str) -> str:
        """The link to a kept report."""
        return f"{self.address}/reports/{report_id}"

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """Every secret there is, for keeping them out of logs and messages."""
        return (self.database_url, *_secrets_in(self))


def _secrets_in(value: Any) -> Iterator[Secret]:
    if isinstance(value, Secret):
        yield value
    elif isinstance(value, BaseModel):
        for _, part in value:
            yield from _secrets_in(part)
    elif isinstance(value, list):
        for part in value:
            yield from _secrets_in(part)
