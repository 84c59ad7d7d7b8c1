"""Who may sign in, and how."""

from typing import Annotated, Self

import pydantic

from generator.model.base import Line, Name, Spec
from generator.model.marks import Copied


class Oidc(Spec):
    """Sign-in through an OpenID Connect provider."""

    issuer: Line
    """The issuer's URL; `/.well-known/openid-configuration` is read below it."""
    client_id: Annotated[Line, Copied.ASK]
    """The client that is registered for this environment at the provider."""
    secret_name: Annotated[Name | None, Copied.DERIVE] = None
    """Holds `client-secret`; `<release>-oidc` by default."""
    roles: dict[Line, Line] = {}
    """Group of the provider → Airflow role."""
    default_role: Line = "Public"
    """Role of people in none of these groups."""
    groups_claim: Line = "groups"
    """Claim of the token that lists groups."""
    username_claim: Line = "preferred_username"
    """Claim of the token that becomes the user's name."""
    scopes: tuple[Line, ...] = ("openid", "profile", "email", "groups")
    """Scopes that are asked for."""

    @pydantic.field_validator("issuer")
    @classmethod
    def _https(cls, value: str) -> str:
        if not value.startswith("https://"):
            raise ValueError("the issuer must be an https:// URL")
        return value.rstrip("/")


class Ldap(Spec):
    """Sign-in through a directory server."""

    server: Line
    """`ldaps://host` or `ldap://host` (StartTLS is then used)."""
    base: Line
    """Where people are searched, such as ou=people,dc=example,dc=com."""
    bind_user: Annotated[Line, Copied.ASK]
    """Distinguished name that searches the directory."""
    secret_name: Annotated[Name | None, Copied.DERIVE] = None
    """Holds `bind-password`; `<release>-ldap` by default."""
    username_attribute: Line = "uid"
    """Attribute that holds the name to sign in with."""
    group_attribute: Line = "memberOf"
    """Attribute that lists a person's groups."""
    roles: dict[Line, Line] = {}
    """Distinguished name of a group → Airflow role."""
    default_role: Line = "Public"
    """Role of people in none of these groups."""


class DefaultUser(Spec):
    """One user with a password from a Secret; development only."""

    username: Line = "admin"
    """Name to sign in with."""
    email: Line = "admin@example.com"
    """The address that Airflow wants of every user; no mail is sent."""
    role: Line = "Admin"
    """Airflow role of this user."""
    secret_name: Annotated[Name | None, Copied.DERIVE] = None
    """Holds `password`; `<release>-admin` by default."""


class Auth(Spec):
    """Who may sign in: exactly one of the ways, or an auth manager of your own."""

    manager: Line | None = None
    """Class path of another auth manager (Airflow 3); by default Flask AppBuilder's."""
    oidc: Oidc | None = None
    ldap: Ldap | None = None
    default_user: DefaultUser | None = None

    @pydantic.model_validator(mode="after")
    def _one(self) -> Self:
        ways = [self.manager, self.oidc, self.ldap, self.default_user]
        if sum(way is not None for way in ways) > 1:
            raise ValueError("give only one of manager, oidc, ldap and defaultUser")
        return self
