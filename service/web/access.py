"""Who may see the dashboard and the API: who has the token; without one, who sits on this host."""

from __future__ import annotations

import hmac
from urllib.parse import urlsplit

from flask import request
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import Forbidden, Unauthorized

from generator.core.http_policy import is_loopback
from generator.redaction.secret import Secret
from service.web.context import context

_FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Real-Ip", "Via")
_BEARER = WWWAuthenticate("bearer")
_BASIC = WWWAuthenticate("basic", {"realm": "gen-env", "charset": "UTF-8"})


def require_api() -> None:
    """Stops with 401, or with 403 where no token is set: the API has no open mode."""
    token = context().settings.api_token
    if token is None:
        raise Forbidden("the API is off until apiToken is set")
    if request.authorization is None or request.authorization.type != "bearer":
        raise Unauthorized("send the token: Authorization: Bearer ...", www_authenticate=_BEARER)
    if not _same(request.authorization.token or "", token):
        raise Unauthorized("invalid token", www_authenticate=_BEARER)


def require_dashboard() -> None:
    """Stops with 401 or 403. Browsers give the token as the password of any user."""
    token = context().settings.api_token
    if token is None:
        if not _on_this_host():
            raise Forbidden("set apiToken to use the dashboard from another host")
    elif not _knows(token):
        raise Unauthorized("log in with the API token as password", www_authenticate=_BASIC)


def require_own_page() -> None:
    """Stops with 403 when a form was sent by another site; browsers tell, and cannot be made lie.

    A browser sends the credentials that it knows with every request, whoever's page made it.
    """
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None and site not in ("same-origin", "none"):
        raise Forbidden("this form was sent by another site")
    origin = request.headers.get("Origin")
    if origin is not None and urlsplit(origin).netloc != request.host:
        raise Forbidden("this form was sent by another site")


def _knows(token: Secret) -> bool:
    given = request.authorization
    if given is None:
        return False
    if given.type == "bearer":
        return _same(given.token or "", token)
    return given.type == "basic" and _same(given.password or "", token)


def _same(given: str, token: Secret) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "surrogateescape"), token.reveal())


def _on_this_host() -> bool:
    """The peer and the name it used: a page elsewhere may point its own name at this host."""
    if any(name in request.headers for name in _FORWARDED):
        return False
    host = (urlsplit(f"//{request.host}").hostname or "").rstrip(".")
    return is_loopback(request.remote_addr or "") and is_loopback(host)
