"""webserver_config.py: sign-in through OpenID Connect or a directory, for Flask AppBuilder.

The text holds nothing secret: it reads client secret and bind password from the environment of the
process that loads it. What was tried, and with which versions, is in docs/authentication.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from generator.model.auth import Auth, Ldap, Oidc
from generator.release import authorities

OIDC_SECRET_VARIABLE = "AIRFLOW_OIDC_CLIENT_SECRET"
LDAP_SECRET_VARIABLE = "AIRFLOW_LDAP_BIND_PASSWORD"
LDAP_CA_VARIABLE = authorities.LDAP_VARIABLE
PROVIDER = "oidc"

# Debian's bundle, which the official image has; its libldap trusts nobody unless told.
_SYSTEM_CA = "/etc/ssl/certs/ca-certificates.crt"

_HEAD = """\
# Written by gen-env; change `auth` in the definition. Secrets come from the environment.
import os

from airflow.providers.fab.auth_manager.security_manager.override import (
    FabAirflowSecurityManagerOverride,
)
from flask_appbuilder.const import {kind}

WTF_CSRF_ENABLED = True
AUTH_TYPE = {kind}
"""

_OIDC_TAIL = """

def claim_of(claims, name):
    # A claim by its name or, if there is none, by a dotted path such as realm_access.roles.
    if name in claims:
        return claims[name]
    for part in name.split("."):
        claims = claims.get(part) if isinstance(claims, dict) else None
    return claims


class OidcSecurityManager(FabAirflowSecurityManagerOverride):
    def get_oauth_user_info(self, provider, resp):
        claims = self.claims_of(provider, resp)
        groups = claim_of(claims, GROUPS_CLAIM)
        groups = [groups] if isinstance(groups, str) else groups or ()
        groups = [group for group in groups if isinstance(group, str)]
        mapped = [
            role for group, roles in AUTH_ROLES_MAPPING.items() if group in groups for role in roles
        ]
        username = claim_of(claims, USERNAME_CLAIM)
        if USERNAME_CLAIM == "email" and claims.get("email_verified") is False:
            username = None
        return dict(
            username=username,
            email=claims.get("email", ""),
            first_name=claims.get("given_name") or claims.get("name") or "",
            last_name=claims.get("family_name") or "",
            role_keys=groups,
            # FAB adds the registration role to the mapped ones; the default is only for nobody's.
            first_role=mapped[0] if mapped else AUTH_USER_REGISTRATION_ROLE,
        )

    def claims_of(self, provider, resp):
        # The verified ID token; what it lacks may come from the userinfo endpoint.
        remote = self.oauth_remotes[provider]
        claims = dict(resp.get("userinfo") or ())
        if not claims.get("sub"):
            raise ValueError("the provider sent no ID token")
        # Authlib checks signature, issuer, times and nonce, and lets azp stand for the audience.
        audience = claims.get("aud")
        if remote.client_id not in ([audience] if isinstance(audience, str) else audience or ()):
            raise ValueError("the ID token is meant for another client")
        wanted = (claim_of(claims, GROUPS_CLAIM), claim_of(claims, USERNAME_CLAIM))
        if None in wanted and remote.load_server_metadata().get("userinfo_endpoint"):
            more = remote.userinfo(token=resp)
            if more.get("sub") != claims["sub"]:
                raise ValueError("the userinfo endpoint speaks of somebody else")
            claims = dict(more, **claims)
        return claims


SECURITY_MANAGER_CLASS = OidcSecurityManager
"""

_LDAP_TAIL = """
# FAB provider 3.6.5 uses this module without importing it. Without python-ldap it stops here.
import ldap.filter  # noqa: E402, F401


class LdapSecurityManager(FabAirflowSecurityManagerOverride):
    def _ldap_calculate_user_roles(self, user_attributes):
        # FAB adds the registration role to the mapped ones; the default is only for nobody's.
        groups = self.ldap_extract_list(user_attributes, self.auth_ldap_group_field)
        mapped = self.get_roles_from_keys(groups)
        return list(mapped) or super()._ldap_calculate_user_roles(user_attributes)


SECURITY_MANAGER_CLASS = LdapSecurityManager
"""


def webserver_config(auth: Auth, *, airflow_3: bool) -> str | None:
    """The text of webserver_config.py, or nothing where Airflow's default does.

    It is the same for both series, since the FAB provider of Airflow 2.11 has the class at the same
    place; another auth manager (`auth.manager`, Airflow 3) never reads it. The chart hands the
    text to Go's templates, so it holds no `{{`, whatever the definition says.
    """
    if auth.manager is not None and airflow_3:
        return None
    if auth.oidc is not None:
        return _oidc(auth.oidc)
    if auth.ldap is not None:
        return _ldap(auth.ldap)
    return None


def secret_env(auth: Auth, release: str) -> list[tuple[str, str, str]]:
    """Variable, Secret and key for each secret that the text reads.

    Only the API server (the webserver of Airflow 2) signs people in, and only it needs them.
    """
    if auth.oidc is not None:
        name = auth.oidc.secret_name or f"{release}-oidc"
        return [(OIDC_SECRET_VARIABLE, name, "client-secret")]
    if auth.ldap is not None:
        name = auth.ldap.secret_name or f"{release}-ldap"
        return [(LDAP_SECRET_VARIABLE, name, "bind-password")]
    return []


def quoted(text: str) -> str:
    """`text` as a Python literal of printable ASCII without braces.

    Braces are written as escapes because `{{` opens an action in Go's templates.
    """
    return ascii(text).replace("{", "\\x7b").replace("}", "\\x7d")


def _oidc(oidc: Oidc) -> str:
    scopes = " ".join(dict.fromkeys(("openid", *oidc.scopes)))
    lines = [
        *_roles(oidc.roles, oidc.default_role),
        'AUTH_USER_REGISTRATION_ROLE_JMESPATH = "first_role"',
        f"GROUPS_CLAIM = {quoted(oidc.groups_claim)}",
        f"USERNAME_CLAIM = {quoted(oidc.username_claim)}",
        "OAUTH_PROVIDERS = [",
        "    dict(",
        f"        name={quoted(PROVIDER)},",
        '        icon="fa-openid",',
        '        token_key="access_token",',
        "        remote_app=dict(",
        f"            client_id={quoted(oidc.client_id)},",
        f"            client_secret=os.environ[{quoted(OIDC_SECRET_VARIABLE)}],",
        f"            server_metadata_url={quoted(_discovery(oidc.issuer))},",
        f'            client_kwargs=dict(scope={quoted(scopes)}, code_challenge_method="S256"),',
        "        ),",
        "    )",
        "]",
    ]
    return _text("AUTH_OAUTH", lines, _OIDC_TAIL)


def _discovery(issuer: str) -> str:
    return f"{issuer}/.well-known/openid-configuration"


def _ldap(ldap: Ldap) -> str:
    """TLS always, with a certificate that a known authority signed."""
    start_tls = not ldap.server.lower().startswith("ldaps://")
    ca = f"os.environ.get({quoted(LDAP_CA_VARIABLE)}, {quoted(_SYSTEM_CA)})"
    lines = [
        *_roles(ldap.roles, ldap.default_role),
        f"AUTH_LDAP_SERVER = {quoted(ldap.server)}",
        f"AUTH_LDAP_USE_TLS = {start_tls}",
        "AUTH_LDAP_ALLOW_SELF_SIGNED = False",
        "AUTH_LDAP_TLS_DEMAND = True",
        f"AUTH_LDAP_TLS_CACERTFILE = {ca}",
        f"AUTH_LDAP_SEARCH = {quoted(ldap.base)}",
        f"AUTH_LDAP_BIND_USER = {quoted(ldap.bind_user)}",
        f"AUTH_LDAP_BIND_PASSWORD = os.environ[{quoted(LDAP_SECRET_VARIABLE)}]",
        f"AUTH_LDAP_UID_FIELD = {quoted(ldap.username_attribute)}",
        f"AUTH_LDAP_GROUP_FIELD = {quoted(ldap.group_attribute)}",
    ]
    return _text("AUTH_LDAP", lines, _LDAP_TAIL)


def _roles(mapping: Mapping[str, str], default: str) -> list[str]:
    """People are registered at their first sign-in, and get the roles of the day at each."""
    return [
        "AUTH_USER_REGISTRATION = True",
        f"AUTH_USER_REGISTRATION_ROLE = {quoted(default)}",
        "AUTH_ROLES_SYNC_AT_LOGIN = True",
        "AUTH_ROLES_MAPPING = {",
        *(f"    {quoted(group)}: [{quoted(mapping[group])}]," for group in sorted(mapping)),
        "}",
    ]


def _text(kind: str, lines: Iterable[str], tail: str) -> str:
    return _HEAD.replace("{kind}", kind) + "\n".join(lines) + "\n" + tail
