"""How Secrets come to the cluster, and where Airflow looks values up itself."""

from typing import Annotated, Any, Literal, Self

import pydantic

from generator.model.base import Bool, Duration, EnvName, Line, Name, SecretKey, Spec
from generator.model.marks import Copied

Provider = Literal["sealed-secrets", "external-secrets", "existing"]


class Existing(Spec):
    """What somebody else makes in the namespace: a registry's operator, trust-manager, a person."""

    secrets: Annotated[tuple[Name, ...], Copied.KEEP] = ()
    """Secrets that are there: no file is made for them, and the sync does not wait for one."""
    config_maps: Annotated[tuple[Name, ...], Copied.KEEP] = ()
    """ConfigMaps that are there."""


Trusting = Literal["database", "broker", "git", "https"]


class CertificateAuthorities(Spec):
    """Certificates (PEM) that Airflow and PgBouncer trust in place of the system's."""

    config_map: Annotated[Name | None, Copied.KEEP] = None
    """ConfigMap that somebody else makes, such as trust-manager."""
    secret: Annotated[Name | None, Copied.KEEP] = None
    """Secret, brought like the others; `existing.secrets` where somebody else makes it."""
    key: SecretKey = "ca.crt"
    """Its key with the certificates."""
    trusted_for: tuple[Trusting, ...] = pydantic.Field(
        default=("database", "broker", "git", "https"), alias="for"
    )
    """database; broker (with its `tls`); git over https; https: task logs, sign-in and all else."""

    @pydantic.model_validator(mode="after")
    def _one(self) -> Self:
        if (self.config_map is None) == (self.secret is None):
            raise ValueError("give either configMap or secret")
        if not self.trusted_for or len(set(self.trusted_for)) < len(self.trusted_for):
            raise ValueError("for: name each at most once, and at least one; or leave it out")
        return self


class ExtraSecret(Spec):
    """One more Secret for Airflow's pods."""

    keys: tuple[SecretKey, ...]
    """Keys it must have."""
    env_from: Bool = False
    """Every key becomes an environment variable of all Airflow containers."""
    env: dict[EnvName, SecretKey] = {}
    """Variable → key of this Secret."""
    type: Line = "Opaque"
    """Kubernetes type of the Secret."""


class Store(Spec):
    """External Secrets: where values come from."""

    name: Annotated[Name, Copied.KEEP]
    """Name of the store."""
    kind: Literal["ClusterSecretStore", "SecretStore"] = "ClusterSecretStore"
    """ClusterSecretStore, or a SecretStore of the namespace."""


class Secrets(Spec):
    """How Secrets come to the cluster."""

    provider: Provider = "sealed-secrets"
    """What brings Secrets to the cluster; existing: somebody else does."""
    providers: Annotated[
        dict[Name, Literal["sealed-secrets", "external-secrets"]], Copied.KEEP
    ] = {}
    """Secret → what brings it, where that is another than `provider`; see `existing.secrets`."""
    scope: Literal["strict", "namespace-wide", "cluster-wide"] = "strict"
    """sealed-secrets: where a ciphertext may be unsealed."""
    store: Store | None = None
    """external-secrets: the store."""
    path: Line = "airflow/{environment}/{secret}"
    """external-secrets: key in the store; {environment}, {namespace} and {secret} are replaced."""
    refresh_interval: Duration = "1h"
    """external-secrets: time between two looks at the store."""
    extra: Annotated[dict[Name, ExtraSecret], Copied.KEEP] = {}
    """More Secrets for Airflow's pods, by name."""

    @pydantic.model_validator(mode="after")
    def _store(self) -> Self:
        external = "external-secrets" in (self.provider, *self.providers.values())
        if external != (self.store is not None):
            raise ValueError("store goes with provider external-secrets, and is needed there")
        return self


class SecretsBackend(Spec):  # type: ignore[no-redef]  # kwargs: pydantic's plugin takes the name
    """Airflow's own secrets backend, where connections and variables are looked up first."""

    backend: Line
    """Class path, such as airflow.providers.hashicorp.secrets.vault.VaultBackend."""
    kwargs: dict[str, Any] = {}
    """Its arguments. They land in a ConfigMap: no credentials here."""
