"""One repository of an OCI registry, by the distribution API (distribution-spec 1.1)."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping
from typing import IO, Any
from urllib.parse import urlencode, urljoin

from generator.chart.http import Client, Credentials
from generator.chart.select import check_digest
from generator.core.http import Response
from generator.core.http_policy import FetchError, origin, shown, split

_MAX_JSON = 4 << 20
_MAX_PAGES = 50
_NAME = re.compile(r"[a-z0-9]+(?:[._-]+[a-z0-9]+)*(?:/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*")
# distribution-spec 1.1, "Error Codes"; NOT_FOUND is Harbor's.
_ABSENT = frozenset({"MANIFEST_UNKNOWN", "NAME_UNKNOWN", "NOT_FOUND"})
_PARAMETER = re.compile(r'(\w+)="([^"]*)"')
_NEXT = re.compile(r'<([^>]*)>\s*;\s*rel="?next"?')


@dataclasses.dataclass
class Repository:
    """A repository, and the authorization that its registry gave."""

    base: str
    name: str
    client: Client
    credentials: Credentials | None
    authorization: str = ""

    @classmethod
    def parse(cls, url: str, client: Client, credentials: Credentials | None) -> Repository:
        """The repository at `oci://registry/path/name`. Raises FetchError for another form."""
        parts = split(url)
        name = parts.path.strip("/") if parts else ""
        if not parts or parts.scheme != "oci" or not parts.hostname or not _NAME.fullmatch(name):
            raise FetchError(
                f"{shown(url)} is not the address of an OCI repository",
                hint="it looks like oci://registry/path/airflow",
            )
        if "@" in parts.netloc:
            raise FetchError(f"{shown(url)}: a URL must not hold credentials")
        scheme = "http" if client.policy.speaks_plain(parts.netloc) else "https"
        return cls(f"{scheme}://{parts.netloc}", name, client, credentials)

    def manifest(self, reference: str, accept: str) -> Response:
        """The manifest of a tag or digest, as the registry has it; held to the stated digest."""
        response = self._get(f"manifests/{reference}", _MAX_JSON, accept=accept)
        stated = response.headers.get("docker-content-digest", "")
        for digest in {stated, reference if ":" in reference else ""} - {""}:
            check_digest(response.body, digest, shown(response.url))
        return response

    def has(self, reference: str, accept: str) -> bool:
        """Whether there is a manifest of this tag or digest, in the registry's own words.

        Raises FetchError for every other answer: a page that is not found is no word of a registry.
        """
        response = self._get(f"manifests/{reference}", _MAX_JSON, accept=accept, absent=True)
        if response.status != 404:
            # A page to log in on answers 200 as well. image-spec 1.1 and Docker require the field.
            if "schemaVersion" not in json_of(response):
                raise FetchError(f"{shown(response.url)}: the answer is not a manifest")
            return True
        errors = json_of(response).get("errors")
        listed = errors if isinstance(errors, list) else ()
        codes = {str(item.get("code")) for item in listed if isinstance(item, dict)}
        if codes.isdisjoint(_ABSENT):
            raise FetchError(f"{shown(response.url)}: the answer 404 names no cause", status=404)
        return False

    def blob(self, digest: str, max_bytes: int, into: IO[bytes] | None = None) -> Response:
        """A blob of at most `max_bytes`; written to `into` where given, and not checked then."""
        response = self._get(f"blobs/{digest}", max_bytes, into=into)
        if into is None:
            check_digest(response.body, digest, shown(response.url))
        return response

    def tags(self) -> list[str]:
        """Every tag that the registry lists."""
        names: list[str] = []
        url = "tags/list"
        for _ in range(_MAX_PAGES):
            response = self._get(url, _MAX_JSON)
            listed = json_of(response).get("tags")
            names += map(str, listed or [])
            following = _NEXT.search(response.headers.get("link", ""))
            if following is None:
                break
            url = urljoin(response.url, following[1])
        return names

    def _get(
        self,
        path: str,
        max_bytes: int,
        accept: str = "*/*",
        into: IO[bytes] | None = None,
        *,
        absent: bool = False,
    ) -> Response:
        """The answer 200, or 404 as well where `absent` is an answer."""
        url = urljoin(f"{self.base}/v2/{self.name}/", path)
        if not url.startswith(f"{self.base}/"):
            raise FetchError(f"{shown(url)}: the registry points to another host")
        headers = {"Accept": accept}
        passing = frozenset({200, 404} if absent else {200})
        for allowed in (passing | {401}, passing):
            if self.authorization:
                headers["Authorization"] = self.authorization
            response = self.client.get(
                url, max_bytes=max_bytes, headers=headers, accept=allowed, into=into
            )
            if response.status != 401:
                return response
            if origin(response.url) != origin(url):
                # Its realm would be given the credentials of the registry that redirects there.
                reason = "the registry redirects to a server that denies access (401)"
                raise FetchError(f"{shown(response.url)}: {reason}", status=401)
            self._authorize(response)
        raise FetchError(f"{shown(url)}: the registry denied access (401)", status=401)

    def _authorize(self, refusal: Response) -> None:
        """Answer a challenge: Basic with the credentials, Bearer with a token of its realm."""
        challenge = refusal.headers.get("www-authenticate", "")
        scheme, _, rest = challenge.partition(" ")
        if scheme.lower() == "basic" and self.credentials:
            self.authorization = self.credentials.header
        elif scheme.lower() == "bearer":
            self.authorization = f"Bearer {self._token(dict(_PARAMETER.findall(rest)))}"
        else:
            raise FetchError(
                f"{shown(refusal.url)}: the registry requires credentials",
                status=401,
                hint="give a user name and a password or token for this registry",
            )

    def _token(self, challenge: Mapping[str, str]) -> str:
        wanted = {"scope": f"repository:{self.name}:pull"}
        if service := challenge.get("service"):
            wanted["service"] = service
        realm = challenge.get("realm", "")
        join = "&" if "?" in realm else "?"
        response = self.client.get(
            f"{realm}{join}{urlencode(wanted)}", max_bytes=_MAX_JSON, credentials=self.credentials
        )
        answer = json_of(response)
        token = answer.get("token") or answer.get("access_token")
        if not isinstance(token, str) or not token.isascii() or not token.isprintable():
            raise FetchError(f"{shown(response.url)}: the registry's answer contains no token")
        return token


def json_of(response: Response) -> Mapping[str, Any]:
    """The JSON object in an answer. Raises FetchError for anything else."""
    try:
        value = json.loads(response.body)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise FetchError(f"{shown(response.url)}: the answer is not a valid registry response")
    return value
