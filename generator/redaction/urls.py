"""Secrets in addresses: user info, query parameters, the paths of webhooks."""

from __future__ import annotations

import re
import string
import urllib.parse
from collections.abc import Iterator

from generator.redaction.names import Claim, claim, holds_secret, words_of
from generator.redaction.references import is_reference, looks_random
from generator.redaction.tokens import Interval, tokens

_WRITTEN_MARK = r"(?::(?:\\{0,3}/){2}|%3[Aa](?:/|%2[Ff]){2})"
_MARK = re.compile(_WRITTEN_MARK)
_LONGEST_MARK = 9
_STOP = re.compile(r"[\s\"'<>`]|\\(?!\\{0,3}/)")
_MAX_ADDRESS = 4_096
_AUTHORITY_ENDS = re.compile(r"[/?#\\]|%2[Ff]")
_HOST = re.compile(r"[\w.-]+(?::\d{2,5})?")
_AT = re.compile(r"@|%40")
_COLON = re.compile(r":|%3A", re.IGNORECASE)
_SCHEME = f"{string.ascii_letters}{string.digits}+.-"
_PLAIN_SCHEMES = ("ssh", "git", "sftp", "svn+ssh", "git+ssh")
_STORES = ("file", "gs", "oci", "s3", "s3a", "s3n")
_PLAIN_USERS = frozenset({"git", "oauth2", "x-access-token", "x-token-auth", "user", "username"})
_NO_PASSWORDS = ("", "x-oauth-basic", "x")  # where the user is the token
_DRIVER = re.compile(
    r"(?<=[\w.+-]:)(?P<password>[^\s:@/'\"]{1,128}+)@(?!sha\d)(?=tcp\(|[\w.-]{1,100}+[:/])"
)
# `//:PASSWORD@host`, as clients print the address of a database or broker without its scheme.
_NO_SCHEME = re.compile(
    r"(?<![^\s\"'=(\[,])//[\w.%+-]{0,64}+:(?P<password>[^\s:@/'\"]{1,128}+)@(?=[\w\[])"
)
_ORACLE = re.compile(r":(?:thin|oci\d?):[\w$#]{1,64}+/(?P<secret>[^\s@/'\"]{1,128})@")

_PARAMETER = re.compile(
    r"(?:[?&;#]|%3F|%26|%3B|%20)(?P<name>[\w.\-]{1,64}+)(?:=|%3D)", re.IGNORECASE
)
_NESTED = re.compile(r"(?:=|%3D)(?P<name>[\w.\-]{1,64}+)%3D", re.IGNORECASE)  # ?state=token%3D…
_VALUE = re.compile(r"[^&;\s\"'<>#\\]+")
_SECRET_PARAMETERS = words_of(
    "api-key api_key apikey app_key application_key auth code dd-api-key hapikey jwt k"
    " key pw sig signature ticket x-amz-signature x-goog-signature x-oss-signature"
)

# Where a service takes messages from everybody who knows the address: host, and what of the path
# before the secret stays readable.
_HOOKS = re.compile(
    rf"{_WRITTEN_MARK}(?=[\w.-])(?i:"
    r"hooks\.slack(?:-gov)?\.com/(?:services|workflows|triggers)/"
    r"|[\w.-]{1,100}\.webhook\.office\.com/webhookb2/|outlook\.office(?:365)?\.com/webhook/"
    r"|[\w.-]{1,100}\.(?:logic\.azure|powerplatform)\.com(?::\d+)?/[^\s?]{0,300}/workflows/"
    r"|(?:canary\.|ptb\.)?discord(?:app)?\.com/api/(?:v\d+/)?webhooks/"
    r"|chat\.googleapis\.com/v1/spaces/[\w-]+/messages\?"
    r"|events(?:\.eu)?\.pagerduty\.com/(?:integration|x-ere|v2/enqueue)/"
    r"|api(?:\.eu)?\.opsgenie\.com/v\d/(?:json|eventbridge|integrations?)/[\w-]+/?\?"
    r"|[\w.-]{0,100}(?:datadoghq\.(?:com|eu)|ddog-gov\.com)/(?:v1/input|intake/webhook)/"
    r"|hooks\.zapier\.com/hooks/(?:catch|standard)/|hook\.[\w.-]{0,40}(?:make|integromat)\.com/"
    r"|maker\.ifttt\.com/(?:trigger|use)/|api\.telegram\.org/(?:file/)?bot"
    r"|alert\.victorops\.com/integrations/[\w/-]*?/alert/|api\.squadcast\.com/v\d/incidents/api/"
    r"|(?:open\.feishu\.cn|open\.larksuite\.com)/open-apis/bot/(?:v2/)?hook/"
    r"|qyapi\.weixin\.qq\.com/cgi-bin/webhook/send\?|oapi\.dingtalk\.com/robot/send\?"
    r"|webhook\.site/|hc-ping\.com/|webexapis\.com/v1/webhooks/incoming/|ntfy\.sh/"
    r"|[\w.-]{1,100}\.grafana\.net/(?:oncall/)?integrations/v1/[\w-]+/"
    r"|uptime\.betterstack\.com/api/v1/heartbeat/|cronitor\.link/p/"
    r"|[\w.-]{1,100}\.sumologic\.com/receiver/v1/http/|logs-\d+\.loggly\.com/(?:inputs|bulk)/"
    r"|events\.api\.zenduty\.com/api/events/|www\.zenduty\.com/api/events/)"
)
_HOOK_SEGMENT = re.compile(
    r"/(?:in|incoming)?-?_?(?:web)?hooks?(?:b2)?(?:[-_]test)?/", re.IGNORECASE
)
_SEGMENT = re.compile(r"[^/\s?#]+")
_LONG_SEGMENT = re.compile(r"(?<![^/\s?#])[^/\s?#]{16,}+")
# Behind a segment: what follows `/?` is read as a segment too.
_QUERY = re.compile(r"(?<=[^/\s?#])[?#]")
_UNGUESSABLE = re.compile(r"(?=[\w-]*[0-9])[\w-]{16,}")


def addresses(text: str) -> Iterator[Interval]:
    """User info: `scheme://user:PASSWORD@host`, `https://TOKEN@host`, also percent-encoded."""
    for start, end, _ in user_info(text):
        yield start, end


def user_info(text: str) -> Iterator[tuple[int, int, bool]]:
    """The secret part of each user info, and whether it is a user without a password.

    A password goes up to the last @ of its word, as SQLAlchemy reads it.
    """
    position = stop = 0
    while mark := _MARK.search(text, position):
        start = position = mark.end()
        if stop <= start:
            stop = _word_end(text, start)
        at = _last_at(text, start, stop, mark.group())
        if at < 0:
            encoded = mark.group().startswith("%")
            position = stop if encoded or "%40" not in text[start:stop] else start
            continue
        if _is_path(text, _scheme(text, mark.start()), start, at):
            continue
        position = at
        yield from _secret_part(text, mark, at)


def _word_end(text: str, start: int) -> int:
    end = min(len(text), start + _MAX_ADDRESS)
    stop = _STOP.search(text, start, end)
    return stop.start() if stop else end


def _last_at(text: str, start: int, stop: int, mark: str) -> int:
    at = text.rfind("@", start, stop)
    if at >= 0 or not mark.startswith("%"):
        return at
    return text.rfind("%40", start, stop)


def _is_path(text: str, scheme: str, start: int, at: int) -> bool:
    """`https://host/@scope/x`: the @ stands behind the host; passwords with a slash are rare."""
    end = _AUTHORITY_ENDS.search(text, start, at)
    host = text[start : end.start()] if end else ""
    if scheme in _STORES:
        return bool(host) and ":" not in host
    is_host = "." in host or host.startswith("localhost")
    return scheme.startswith("http") and is_host and _HOST.fullmatch(host) is not None


def _secret_part(text: str, mark: re.Match[str], at: int) -> Iterator[tuple[int, int, bool]]:
    start = mark.end()
    colon = _COLON.search(text, start, at) if mark.group().startswith("%") else None
    begin = colon.end() if colon else text.find(":", start, at) + 1
    if begin > 0 and text[begin:at] not in _NO_PASSWORDS:
        if not is_reference(text[begin:at]):
            yield begin, at, False
        return
    end = begin - 1 if begin > 0 else at
    scheme, user = _scheme(text, mark.start()), text[start:end]
    likely = scheme not in _PLAIN_SCHEMES and (scheme.startswith("http") or "/" in user)
    if likely and user not in _PLAIN_USERS and not is_reference(user):
        yield start, end, True


def _scheme(text: str, mark: int) -> str:
    head = text[max(0, mark - 32) : mark]
    return head[len(head.rstrip(_SCHEME)) :].lower()


def driver_addresses(text: str) -> Iterator[Interval]:
    """`user:PASSWORD@tcp(host)`, `user:PASSWORD@host:5432/db`, `//:PASSWORD@host`, Oracle's."""
    for pattern in (_DRIVER, _NO_SCHEME):
        for match in pattern.finditer(text):
            if not is_reference(match["password"]):
                yield match.span("password")
    for match in _ORACLE.finditer(text):
        if not is_reference(match["secret"]):
            yield match.span("secret")


def parameters(text: str) -> Iterator[Interval]:
    """`?sslpassword=…`, `&sig=…`, `&X-Amz-Signature=…`, `#access_token=…`."""
    for pattern in (_PARAMETER, _NESTED) if "%3" in text else (_PARAMETER,):
        stop = 0
        for match in pattern.finditer(text):
            name = match["name"]
            if match.end() < stop:  # inside a value that is masked as a whole
                continue
            known = name.lower() in _SECRET_PARAMETERS
            if not known and claim(name) is Claim.NONE:
                continue
            value = _VALUE.match(text, match.end())
            if value and _is_secret(name, value.group(), known):
                stop = value.end()
                yield value.span()


def _is_secret(name: str, value: str, known: bool) -> bool:
    return not is_reference(value) if known else holds_secret(name, urllib.parse.unquote(value))


def webhooks(text: str) -> Iterator[Interval]:
    """What of a known webhook's address lets everybody write: its path, or its query."""
    stop = 0
    for hook in _HOOKS.finditer(text):
        if hook.end() < stop - _MAX_ADDRESS // 2:
            continue
        stop = _word_end(text, hook.end())
        yield hook.end(), hook.end() + len(text[hook.end() : stop].rstrip(").,;:]}"))


def secret_paths(text: str) -> Iterator[Interval]:
    """Random parts of any address's path, and what cannot be guessed behind `/hooks/`."""
    stop = position = 0
    while mark := _MARK.search(text, position):
        position = mark.end()
        if position >= stop:
            stop = _word_end(text, position)
            yield from _secret_segments(text, position, stop)
            # A mark may begin before the end of what was read, and end behind it.
            position = max(position, stop - _LONGEST_MARK)


def _secret_segments(text: str, start: int, stop: int) -> Iterator[Interval]:
    host_end = text.find("/", start, stop)
    if host_end < 0:
        return
    hook = _HOOK_SEGMENT.search(text, host_end, stop)
    behind = hook.end() - 1 if hook else stop
    first = _SEGMENT.search(text, host_end, stop)
    query = _QUERY.search(text, first.end(), stop) if first else None
    for segment in _LONG_SEGMENT.finditer(text, host_end, query.start() if query else stop):
        word = segment.group()
        known = segment.start() >= behind and _UNGUESSABLE.fullmatch(word)
        if known or looks_random(word):
            yield segment.span()


def credentials(text: str) -> Iterator[Interval]:
    """What an address of a definition must not hold; a user alone counts if it looks random."""
    for start, end, alone in user_info(text):
        user = text[start:end]
        if not alone or looks_random(user) or next(tokens(user), None):
            yield start, end
    for scan in (driver_addresses, parameters, webhooks, secret_paths, tokens):
        yield from scan(text)
