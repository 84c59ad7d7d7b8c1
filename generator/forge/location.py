"""Which forge a repository lives on, and where its pages and its API are: from the remote's URL."""

from __future__ import annotations

import dataclasses
import re
from urllib.parse import urlsplit

from generator.core.errors import UserError
from generator.forge.kind import ForgeKind

_SCP = re.compile(r"(?:[^@/\s]+@)?(?P<host>\[[0-9A-Fa-f:]+\]|[^:/\s\[\]]+):(?P<path>(?!//)\S+)")
_SEGMENT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]*")
_KNOWN = {
    "github.com": ForgeKind.GITHUB,
    "gitlab.com": ForgeKind.GITLAB,
    "codeberg.org": ForgeKind.GITEA,
    "gitea.com": ForgeKind.GITEA,
}
_TELLING = {
    "github": ForgeKind.GITHUB,
    "gitlab": ForgeKind.GITLAB,
    "gitea": ForgeKind.GITEA,
    "forgejo": ForgeKind.GITEA,
}
_HINT = (
    "set repository.forge (github, gitlab or gitea) and, if need be, its base URL in gen-env.yaml"
)


@dataclasses.dataclass(frozen=True, slots=True)
class Location:
    """One repository on one forge; `repository` is owner/name, on GitLab with all its groups."""

    kind: ForgeKind
    web_url: str
    api_url: str
    repository: str

    @property
    def page(self) -> str:
        """The repository's own page."""
        return f"{self.web_url}/{self.repository}"

    def commit_url(self, sha: str) -> str:
        """The page of a commit."""
        dash = "-/" if self.kind is ForgeKind.GITLAB else ""
        return f"{self.page}/{dash}commit/{sha}"


def locate(
    remote: str, *, kind: ForgeKind | None = None, base_url: str = "", api_url: str = ""
) -> Location:
    """Where the repository behind a remote's URL is.

    `kind` overrides what the host's name tells; `base_url` the address of the forge's pages (for
    one below a path, or whose ssh host differs), `api_url` that of its API. Raises UserError for a
    URL that names no repository, and for a host that does not tell which forge it is.
    """
    host, path, web = _split(remote)
    if base_url:
        web = base_url.rstrip("/")
        prefix = urlsplit(web).path.strip("/")
        path = path.removeprefix(f"{prefix}/") if prefix else path
    found = kind or _kind_of(host)
    repository = _repository(path, found)
    return Location(found, web, (api_url or _api_url(found, web)).rstrip("/"), repository)


def _split(remote: str) -> tuple[str, str, str]:
    """Host, path and the address of the pages; credentials in the URL are dropped, never quoted."""
    parts = urlsplit(remote) if "://" in remote else None
    if parts and parts.scheme in ("https", "http", "ssh", "git+ssh"):
        host, path = parts.hostname or "", parts.path
        # An ssh port says nothing about where the pages are; a port of the web does.
        port = f":{parts.port}" if parts.port and parts.scheme.startswith("http") else ""
        scheme = parts.scheme if parts.scheme.startswith("http") else "https"
    else:
        match = _SCP.fullmatch(remote)
        host, path = (match["host"].strip("[]"), match["path"]) if match and not parts else ("", "")
        port, scheme = "", "https"
    if not host:
        raise UserError("the remote's URL does not name a forge", hint="use an https or ssh URL")
    bracketed = f"[{host}]" if ":" in host else host
    return host.lower(), path.strip("/").removesuffix(".git"), f"{scheme}://{bracketed}{port}"


def _kind_of(host: str) -> ForgeKind:
    if host in _KNOWN:
        return _KNOWN[host]
    if host.endswith(".ghe.com"):
        return ForgeKind.GITHUB
    kinds = {kind for word, kind in _TELLING.items() if word in re.split(r"[.-]", host)}
    if len(kinds) == 1:
        return kinds.pop()
    raise UserError(f"cannot tell which forge {host} is", hint=_HINT)


def _repository(path: str, kind: ForgeKind) -> str:
    segments = path.split("/")
    sound = all(_SEGMENT.fullmatch(part) or part.startswith("~") for part in segments)
    enough = len(segments) >= 2 if kind is ForgeKind.GITLAB else len(segments) == 2
    if not sound or not enough:
        raise UserError(
            f"the remote's URL does not name a repository of {kind.value}",
            hint="expected owner/name; for a forge below a path give its base URL",
        )
    return path


def _api_url(kind: ForgeKind, web: str) -> str:
    if kind is ForgeKind.GITLAB:
        return f"{web}/api/v4"
    if kind is ForgeKind.GITEA:
        return f"{web}/api/v1"
    scheme, _, host = web.partition("://")
    if host == "github.com" or host.endswith(".ghe.com"):
        return f"{scheme}://api.{host}"
    return f"{web}/api/v3"
