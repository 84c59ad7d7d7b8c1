"""Who may sign in to Airflow, and as what."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from typing import Any

from generator.impact.context import Context, View, listed
from generator.impact.finding import ERROR, WARNING, Finding, ImpactRule
from generator.kube import fields

SIGN_IN = ImpactRule(
    "impact/sign-in",
    WARNING,
    "Another way to sign in to Airflow, or other roles for those who do",
    "Users lose access, or may do more than before.",
    "Airflow, Flask AppBuilder",
    also=((ERROR, "whoever reaches Airflow becomes its administrator or needs no account"),),
)

_CONFIGURATION = "webserver_config.py"
_MAX_TEXT = 1 << 18
_SIMPLE = "SimpleAuthManager"
# flask-appbuilder.readthedocs.io/en/latest/security.html and config.html.
_MAPPING = "AUTH_ROLES_MAPPING"
_PUBLIC, _REGISTERED = "AUTH_ROLE_PUBLIC", "AUTH_USER_REGISTRATION_ROLE"
_OTHERS = ("AUTH_TYPE", "AUTH_USER_REGISTRATION", "AUTH_ROLES_SYNC_AT_LOGIN", "AUTH_ROLE_ADMIN")


def sign_in(context: Context) -> Iterator[Finding]:
    """`impact/sign-in`: auth manager, sign-in of the API, roles and their mapping."""
    if not context.is_update:
        return
    yield from _auth_manager(context)
    yield from _api(context)
    old, new = _settings(context.base), _settings(context.head)
    if old is not None and new is not None:
        yield from _roles(old, new)
        yield from _open_to_all(old, new)
    elif new is not None:
        yield from _open_to_all({}, new)
    elif old is not None:
        yield SIGN_IN.finding(
            None,
            f"{_CONFIGURATION} is no longer rendered, or cannot be read: whether users sign in as "
            "before cannot be seen",
        )


def _auth_manager(context: Context) -> Iterator[Finding]:
    old, new = (_manager(view) for view in (context.base, context.head))
    everybody = "simple_auth_manager_all_admins"
    if context.head.is_on("core", everybody) and not context.base.is_on("core", everybody):
        yield SIGN_IN.finding(
            None, f"[core] {everybody}: whoever reaches Airflow is its administrator", ERROR
        )
    if old != new:
        rest = ": users, roles and the identity provider of the other one no longer count"
        rest += "; its passwords are in the log" if new == _SIMPLE else ""
        yield SIGN_IN.finding(None, f"auth manager {old} → {new}{rest}")
    elif new == _SIMPLE and _users(context.base) != _users(context.head):
        yield SIGN_IN.finding(None, "[core] simple_auth_manager_users: other users or roles")


def _users(view: View) -> str | None:
    return view.setting("core", "simple_auth_manager_users")


def _manager(view: View) -> str:
    """The class; without one Airflow 3 takes SimpleAuthManager, Airflow 2 that of FAB."""
    named = view.setting("core", "auth_manager")
    if named:
        return named.rpartition(".")[2]
    return "FabAuthManager" if view.runs.airflow.startswith("2.") else _SIMPLE


def _api(context: Context) -> Iterator[Finding]:
    """airflow.apache.org/docs, API authentication: the backend `default` asks for nothing."""
    for section in ("api", "fab"):
        old, new = (view.setting(section, "auth_backends") for view in (context.base, context.head))
        if new is None or old == new:
            continue
        opens = "auth.backend.default" in new and "auth.backend.default" not in (old or "")
        rest = ": the API requires no account" if opens else ""
        words = f"[{section}] auth_backends changes{rest}"
        yield SIGN_IN.finding(None, words, ERROR if opens else WARNING)


def _roles(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Finding]:
    """Groups of the identity provider and the roles that they give."""
    before, after = _mapping(old), _mapping(new)
    changes = [
        f"{group}: {_named(before.get(group))} → {_named(after.get(group))}"
        for group in sorted(before.keys() | after.keys())
        if before.get(group) != after.get(group)
    ]
    if changes:
        yield SIGN_IN.finding(
            None, f"roles of those who sign in change: {'; '.join(changes[:10])}{_rest(changes)}"
        )
    for name in _OTHERS:
        if old.get(name) != new.get(name):
            yield SIGN_IN.finding(None, f"{name} of {_CONFIGURATION}: {_named(old.get(name))} → "
                                  f"{_named(new.get(name))}")  # fmt: skip


def _open_to_all(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Finding]:
    for name, who in ((_PUBLIC, "whoever is not signed in"), (_REGISTERED, "every new user")):
        before, after = old.get(name), new.get(name)
        if before == after:
            continue
        administers = after in ("Admin", "Op") or (
            name == _PUBLIC and after not in (None, "Public")
        )
        words = f"{who} has the role {_named(after)} (before: {_named(before)})"
        yield SIGN_IN.finding(None, words, ERROR if administers else WARNING)


def _rest(changes: list[str]) -> str:
    return f"; and {len(changes) - 10} more" if len(changes) > 10 else ""


def _mapping(settings: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    given = settings.get(_MAPPING)
    if not isinstance(given, dict):
        return {}
    return {
        str(group): tuple(map(str, roles)) if isinstance(roles, list | tuple) else (str(roles),)
        for group, roles in given.items()
    }


def _named(value: Any) -> str:
    return listed(value) if isinstance(value, tuple | list) else str(value or "none")


def _settings(view: View) -> dict[str, Any] | None:
    """What webserver_config.py assigns at its top, as far as it is written out.

    None if there is no such file or it is not Python. A variable is given by its name.
    """
    for manifest in view.of_kind("ConfigMap").values():
        text = fields.text(manifest, "data", _CONFIGURATION)
        if text and len(text) <= _MAX_TEXT:
            try:
                return dict(_assigned(ast.parse(text)))
            except (SyntaxError, ValueError, RecursionError, MemoryError):
                return None
    return None


def _assigned(module: ast.Module) -> Iterator[tuple[str, Any]]:
    for node in module.body:
        if isinstance(node, ast.Assign) and node.targets and isinstance(node.targets[0], ast.Name):
            name = node.targets[0].id
            if name.startswith("AUTH_"):
                yield name, _value(node.value)


def _value(node: ast.expr) -> Any:
    if isinstance(node, ast.Name):
        return node.id
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, RecursionError, MemoryError):
        return ast.dump(node)


FINDERS = (sign_in,)
