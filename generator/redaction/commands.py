"""Passwords among the arguments of well-known commands: `curl -u`, `mysql -p…`, `sshpass -p`."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Sequence

from generator.redaction.references import is_place, is_reference
from generator.redaction.tokens import Interval

# Program, the flags after which `user:PASSWORD` stands, those with the password as next argument,
# those that the password may touch.
_FLAGS = (
    ("curl http https xh wget etcdctl", "-u -U --user --proxy-user -a --auth", "", "-u -U -a"),
    ("skopeo podman buildah crane oras", "--creds --src-creds --dest-creds -u", "", ""),
    ("docker podman buildah helm oras crane nerdctl skopeo az oc cf jf twine argocd", "", "-p", ""),
    (
        "mysql mysqldump mysqladmin mysqlsh mysqlimport mysqlcheck mycli mariadb mariadb-dump"
        " mariadb-admin sshpass cypher-shell cqlsh mongo mongosh mongodump mongorestore"
        " mongoexport mongoimport 7z elasticsearch-users",
        "", "-p", "-p",
    ),
    ("redis-cli keydb-cli valkey-cli", "", "-a", ""),
    ("ldapsearch ldapwhoami ldapmodify ldapadd ldappasswd", "", "-w", "-w"),
    ("sqlcmd bcp mosquitto_pub mosquitto_sub zip unzip isql", "", "-P", "-P"),
    ("ssh-keygen", "", "-N -P", ""),
    ("openssl", "", "-k -K", ""),
    ("curl", "", "-b", ""),
    ("kubectl oc", "", "--from-literal", ""),
)  # fmt: skip
_Rule = tuple[frozenset[str], frozenset[str], frozenset[str]]


def _rules() -> dict[str, list[_Rule]]:
    rules: dict[str, list[_Rule]] = {}
    for programs, *kinds in _FLAGS:
        login, following, touching = (frozenset(kind.split()) for kind in kinds)
        for program in programs.split():
            rules.setdefault(program, []).append((login, following, touching))
    return rules


_RULES = _rules()
_ANY_LOGIN = frozenset({"-u", "-U", "--user", "--proxy-user"})
# Commands and statements of another form, each with a word that the text must hold.
_OTHERS = (
    ("vault login", r"vault login[ \t]{1,8}(?P<secret>[^\s\-=\"';|&]{4,})"),
    (
        "configure set",
        r"aws configure set[ \t]{1,8}[\w.]{0,64}(?:secret|token)\w{0,32}[ \t]{1,8}"
        r"(?P<secret>[^\s\"']+)",
    ),
    (
        "mc ",
        r"(?<![\w-])mc[ \t]{1,8}(?:alias|config host)[ \t]{1,8}\w{3}[ \t]{1,8}"
        r"(?:[^\s]{1,200}[ \t]{1,8}){3}(?P<secret>[^\s\"']+)",
    ),
    (
        "rabbitmqctl",
        r"rabbitmqctl[ \t]{1,8}(?:add_user|change_password)[ \t]{1,8}\S{1,64}[ \t]{1,8}"
        r"(?P<secret>[^\s\"']+)",
    ),
    (
        "htpasswd",
        r"htpasswd[ \t]{1,8}-\w{0,8}b\w{0,8}[ \t]{1,8}(?:[^\s-]\S{0,200}[ \t]{1,8}){1,2}"
        r"(?P<secret>[^\s\"';|&>]+)",
    ),
    ("from-literal", r"--from-literal[= \t][\"']?[\w.-]{1,253}=(?P<secret>[^\s\"']+)"),
    ("identified", r"identified[ \t]{1,8}by[ \t]{1,8}'(?P<secret>[^'\n]+)'"),
    (
        "password",
        r"password(?:[ \t]{1,8}for[ \t]{1,8}[^\n=;]{1,200}+)?[ \t]{0,8}=?[ \t]{0,8}"
        r"(?P<quote>'|\$\w{0,20}\$)(?P<secret>[^'$\n]+)(?P=quote)",
    ),
    (
        "sqlplus",
        r"sqlplus[ \t]{1,8}(?:-\w{1,9}[ \t]{1,8}){0,3}[\w$#\"']{1,64}/(?P<secret>[^\s@\"']+)",
    ),
    ("pass:", r"pass:(?<![\w-]pass:)(?P<secret>[^\s\"']{4,})"),
    (
        "echo ",
        r"echo[ \t]{1,8}(?:-n[ \t]{1,8})?[\"']?(?:\w{1,64}:)?(?P<secret>[^\s\"'|]{1,200})[\"']?"
        r"[ \t]{0,8}\|[^\n|]{0,100}(?:chpasswd|--password-stdin|kinit|sudo -S)",
    ),
)
_FREE = tuple((word, re.compile(pattern, re.IGNORECASE)) for word, pattern in _OTHERS)
_LOGIN_ANYWHERE = re.compile(r"-(?<![\w-]-)(?:[uU]|-user|-proxy-user)(?:[ \t]{1,8}|=)(?=[^\s-])")
_SEGMENT = re.compile(r"(?:[^\n;|&\\]|\\[\s\S]){0,4000}+")
_ARGUMENT = re.compile(r"\"[^\"\n]*+\"|'[^'\n]*+'|[^\s\"';|&<>]+")
_BUNDLE = re.compile(r"-[a-zA-Z]{1,12}[uU]")  # curl -sSu
_GROUP = re.compile(r"\d{1,5}|root|airflow|staff|users|wheel|nogroup|nobody|daemon|www-data")


def commands(text: str) -> Iterator[Interval]:
    """Passwords in the command lines of a text."""
    position = 0
    programs = _present(tuple(name for name in _RULES if f"{name} " in text or f"{name}\t" in text))
    while program := programs.search(text, position):
        line = _SEGMENT.match(text, program.start())
        position = max(program.end(), line.end() if line else 0)
        spans = [
            _inside(text, *item.span())
            for item in _ARGUMENT.finditer(text, program.start(), position)
        ]
        words = [text[start:end] for start, end in spans]
        for index, start, end in arguments(words):
            yield spans[index][0] + start, spans[index][0] + end
    for flag in _LOGIN_ANYWHERE.finditer(text):
        if word := _ARGUMENT.match(text, flag.end()):
            start, end = _inside(text, *word.span())
            yield from ((start + left, start + right) for left, right in _password(text[start:end]))
    lowered = text.lower()
    for telling, pattern in _FREE:
        for match in pattern.finditer(text) if telling in lowered else ():
            if not is_reference(match["secret"]):
                yield match.span("secret")


@functools.lru_cache
def _present(programs: tuple[str, ...]) -> re.Pattern[str]:
    names = "|".join(map(re.escape, programs)) or r"(?!)"
    return re.compile(rf"(?<![\w.-])(?:{names})(?=[ \t])")


def _inside(text: str, start: int, end: int) -> Interval:
    """Without the quotes around it."""
    quoted = end - start > 1 and text[start] in "\"'" and text[start] == text[end - 1]
    return (start + 1, end - 1) if quoted else (start, end)


def arguments(words: Sequence[str]) -> Iterator[tuple[int, int, int]]:
    """Passwords among arguments: which argument, and from where to where in it."""
    programs = {word.rpartition("/")[2] for word in words}
    rules = [rule for program in programs & _RULES.keys() for rule in _RULES[program]]
    login = {*_ANY_LOGIN, *(flag for rule in rules for flag in rule[0])}
    following = {flag for rule in rules for flag in rule[1]}
    touching = {flag for rule in rules for flag in rule[2]}
    bundles = login > _ANY_LOGIN
    for index, word in enumerate(words):
        if not word.startswith("-"):
            continue
        after = words[index + 1] if index + 1 < len(words) else ""
        flag, equals, value = word.partition("=")
        if word in login or (bundles and _BUNDLE.fullmatch(word)):
            yield from ((index + 1, *span) for span in _password(after))
        elif equals and flag in login:
            yield from ((index, len(flag) + 1 + a, len(flag) + 1 + b) for a, b in _password(value))
        elif word in following and not after.startswith("-") and not is_reference(after):
            yield index + 1, 0, len(after)
        elif word[:2] in touching and len(word) > 2 and not is_reference(word[2:]):
            yield from _touching(index, word, word[:2] in login)


def _touching(index: int, word: str, login: bool) -> Iterator[tuple[int, int, int]]:
    if not login:
        yield index, 2, len(word)
    else:
        yield from ((index, 2 + start, 2 + end) for start, end in _password(word[2:]))


def _password(login: str) -> Iterator[Interval]:
    """`user:PASSWORD`; no `1000:1000` or `airflow:root` as containers take them, no address."""
    user, colon, password = login.partition(":")
    if not colon or not password or is_reference(password) or password.startswith("//"):
        return
    if not _GROUP.fullmatch(password) and password != user and not is_place(password):
        yield len(user) + 1, len(login)
