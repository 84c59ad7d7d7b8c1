"""Who may see the dashboard and the API: who has a token; without any, who sits on this host."""

from __future__ import annotations

import hmac
import ipaddress

from flask import request
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import Forbidden, Unauthorized

from generator.core.http_policy import is_loopback, split
from service.store import tokens
from service.web.context import context

_FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Real-Ip", "Via")
_BEARER = WWWAuthenticate("bearer")
_BASIC = WWWAuthenticate("basic", {"realm": "gen-env", "charset": "UTF-8"})


def require_api(*, operate: bool = False) -> str:
    """Whose token it is; stops with 401, or with 403: the API has no open mode.

    `operate` asks for the right to change something.
    """
    if not _tokens_exist():
        raise Forbidden("the API is off until there is a token: gen-env-service token create NAME")
    if request.authorization is None or request.authorization.type != "bearer":
        raise Unauthorized("send the token: Authorization: Bearer ...", www_authenticate=_BEARER)
    return _holder(request.authorization.token or "", _BEARER, operate=operate)


def require_dashboard(*, operate: bool = False) -> str:
    """Who it is: a user of the proxy, a token by its name or `this host`; stops with 401 or 403.

    `operate` asks for the right to change something. Browsers give the token as the password of
    any user.
    """
    if person := _through_proxy(operate=operate):
        return person
    if not _tokens_exist():
        if _is_of_proxy() or not _on_this_host():
            raise Forbidden("make a token to use the dashboard from another host: "
                            "gen-env-service token create NAME")  # fmt: skip
        return "this host"
    given = request.authorization
    if given is None or given.type not in ("basic", "bearer"):
        raise Unauthorized("log in with an API token as password", www_authenticate=_BASIC)
    text = given.token if given.type == "bearer" else given.password
    return _holder(text or "", _BASIC, operate=operate)


def _tokens_exist() -> bool:
    """Whether anybody was ever given one: then nothing is open without."""
    here = context()
    if here.settings.api_token is not None:
        return True
    with here.engine.connect() as connection:
        return tokens.any_made(connection)


def _holder(given: str, challenge: WWWAuthenticate, *, operate: bool) -> str:
    """The name of the token, for the audit log; the setting's may do everything."""
    here = context()
    known, text = here.settings.api_token, given.encode("utf-8", "surrogateescape")
    if known is not None and hmac.compare_digest(text, known.reveal()):
        return "apiToken"
    with here.engine.connect() as connection:
        row = tokens.find(connection, given)
    if row is None:
        raise Unauthorized("invalid token", www_authenticate=challenge)
    if reason := tokens.refusal(row, here.clock()):
        raise Unauthorized(f"token '{row.name}' {reason}", www_authenticate=challenge)
    if operate and row.role != tokens.Role.OPERATOR:
        raise Forbidden(f"token '{row.name}' is a viewer's: changes need one of role operator")
    return f"token {row.name}"


def _through_proxy(*, operate: bool) -> str:
    """The user whom the proxy names; empty for who comes another way, or without a name."""
    proxy = context().settings.proxy
    if proxy is None or not _is_of_proxy():
        return ""
    if not (user := request.headers.get(proxy.user_header, "").strip()):
        return ""
    if "," in user or not user.isprintable():
        # Two values: the proxy adds its own to what the client sent, and either may be first.
        raise Forbidden("the proxy sends more than one user: it must replace the header")
    groups = set(map(str.strip, request.headers.get(proxy.groups_header, "").split(",")))
    if operate and groups.isdisjoint(proxy.operators):
        raise Forbidden("you may see this, and changes are for operators")
    if proxy.viewers and groups.isdisjoint((*proxy.viewers, *proxy.operators)):
        raise Forbidden("you are in none of the groups that may see this")
    return user


def _is_of_proxy() -> bool:
    """Whether the peer is the proxy: then everybody may stand behind it."""
    proxy, peer = context().settings.proxy, _peer()
    if proxy is None or peer is None:
        return False
    return any(peer in network for network in proxy.addresses)


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
    site, origin = request.headers.get("Sec-Fetch-Site", "none"), request.headers.get("Origin")
    parts = split(f"//{request.host}" if origin is None else origin)
    if site not in ("same-origin", "none") or parts is None or parts.netloc != request.host:
        raise Forbidden("this form was sent by another site")


def _on_this_host() -> bool:
    """The peer and the name it used: a page elsewhere may point its own name at this host."""
    if any(name in request.headers for name in _FORWARDED):
        return False
    parts = split(f"//{request.host}")
    host = (parts.hostname or "").rstrip(".") if parts else ""
    return is_loopback(str(_peer() or "")) and is_loopback(host)
