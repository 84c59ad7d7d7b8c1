"""Chart 1.x: the fields that are random on every render, and the values that pin them."""

from __future__ import annotations

from generator.render.nondeterminism import Pin

# Each was found by rendering chart 1.22.0 twice and comparing; templates/secrets and, for the
# checksums, the pod templates of the components that read those Secrets.
_CHECKSUM = "spec.template.metadata.annotations.checksum/"

PINS = (
    Pin("Secret", "*-fernet-key", "data.fernet-key", ("fernetKeySecretName",)),
    Pin("Secret", "*-api-secret-key", "data.api-secret-key", ("apiSecretKeySecretName",)),
    Pin("Secret", "*-jwt-secret", "data.jwt-secret", ("jwtSecretName",)),
    Pin("*", "*", f"{_CHECKSUM}jwt-secret", ("jwtSecretName",)),
    Pin("*", "*", f"{_CHECKSUM}api-secret-key", ("apiSecretKeySecretName",)),
    Pin(
        "Secret",
        "*-webserver-secret-key",
        "data.webserver-secret-key",
        ("webserverSecretKeySecretName",),
    ),
    Pin("*", "*", f"{_CHECKSUM}webserver-secret-key", ("webserverSecretKeySecretName",)),
    Pin(
        "Secret",
        "*-redis-password",
        "data.password",
        ("redis.passwordSecretName", "redis.enabled: false"),
    ),
    Pin(
        "Secret",
        "*-broker-url",
        "data.connection",
        ("data.brokerUrlSecretName", "redis.enabled: false"),
    ),
    Pin(
        "Secret",
        "*-postgresql",
        "data.*password",
        ("postgresql.auth.existingSecret", "postgresql.auth.postgresPassword"),
    ),
)
