"""Who may see the dashboard and the API: who has the token; without one, who sits on this host."""

from __future__ import annotations

import hmac
import ipaddress

from flask import request
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import Forbidden, Unauthorized

from generator.core.http_policy import is_loopback, split
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


def require_dashboard(*, operate: bool = False) -> str:
    """Who it is: a user of the proxy, `token` or `this host`; stops with 401 or 403.

    `operate` asks for the right to change something. Browsers give the token as the password of
    any user.
    """
    if person := _through_proxy(operate=operate):
        return person
    token = context().settings.api_token
    if token is None:
        if _is_of_proxy() or not _on_this_host():
            raise Forbidden("set apiToken to use the dashboard from another host")
        return "this host"
    if not _knows(token):
        raise Unauthorized("log in with the API token as password", www_authenticate=_BASIC)
    return "token"


def _through_proxy(*, operate: bool) -> str:
    """The user whom the proxy names; empty for who comes another way, or without a name."""
    proxy = context().settings.proxy
    if proxy is None or not _is_of_proxy():
        return ""
    user = request.headers.get(proxy.user_header, "").strip()
    if not user:
        return ""
    if "," in user or not user.isprintable():
        # Two values: the proxy adds its own to what the client sent, and either may be first.
        raise Forbidden("the proxy sends more than one user: it must replace the header")
    words = request.headers.get(proxy.groups_header, "").split(",")
    groups = {word.strip() for word in words}
    if operate and groups.isdisjoint(proxy.operators):
        raise Forbidden("you may see this, and changes are for operators")
    if proxy.viewers and groups.isdisjoint((*proxy.viewers, *proxy.operators)):
        raise Forbidden("you are in none of the groups that may see this")
    return user


def _is_of_proxy() -> bool:
    """Whether the peer is the proxy: then everybody may stand behind it."""
    proxy, found = context().settings.proxy, _peer()
    if proxy is None or found is None:
        return False
    return any(found in network for network in proxy.addresses)


def _peer() -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """A socket for both families gives IPv4 peers as `::ffff:10.0.0.7`."""
    try:
        found = ipaddress.ip_address(request.remote_addr or "")
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found


def require_own_page() -> None:
    """Stops with 403 when a form was sent by another site; browsers tell, and cannot be made lie.

    A browser sends the credentials that it knows with every request, whoever's page made it.
    """
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None and site not in ("same-origin", "none"):
        raise Forbidden("this form was sent by another site")
    origin = request.headers.get("Origin")
    parts = split(origin or "")
    if origin is not None and (parts is None or parts.netloc != request.host):
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
    parts = split(f"//{request.host}")
    host = (parts.hostname or "").rstrip(".") if parts else ""
    return is_loopback(str(_peer() or "")) and is_loopback(host)
