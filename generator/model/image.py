"""The image of Airflow's containers, and the identity of the processes in them."""

from typing import Annotated, Literal

import pydantic

from generator.model.base import Bool, Count, Digest, Int, Line, Name, Seconds, Spec, Version
from generator.model.image_build import Build
from generator.model.marks import Copied

_HIGHEST = 2_147_483_647  # of Kubernetes' runAsUser


class ImageFacts(Spec):
    """What the image holds, so that nothing about it is taken from its name."""

    of: Line | None = None
    """Tag of the image, or digest where one is pinned; facts of another image do not count."""
    airflow: Version
    """Airflow's release in it."""
    python: Line | None = None
    """Python's version, such as 3.12."""
    providers: dict[Line, Line] | None = None
    """Provider → version, such as fab: 3.6.4; of all: one not named counts as not installed."""

    @pydantic.field_validator("providers")
    @classmethod
    def _short(cls, value: dict[str, str] | None) -> dict[str, str] | None:
        for name in value or ():
            if name.startswith("apache-airflow-providers-") or "_" in name:
                raise ValueError("write a provider as fab or cncf-kubernetes")
        return value


class Image(Spec):
    """The image of every Airflow container and of task pods."""

    repository: Line = "apache/airflow"
    """Registry and name, without tag."""
    tag: Line | None = None
    """By default the Airflow version."""
    digest: Digest | None = None
    """Pins the bytes; it reaches task pods too."""
    pull_policy: Literal["Always", "IfNotPresent", "Never"] = "IfNotPresent"
    """When a node pulls the image, in Kubernetes' words."""
    pull_secrets: Annotated[tuple[Name, ...], Copied.KEEP] = ()
    """Names of dockerconfigjson Secrets."""
    facts: ImageFacts | None = None
    """What is in it: `gen-env image inspect` writes them."""
    build: Build | None = None
    """How it is built, where gen-env writes its Containerfile."""


class ConnectionCheck(Spec):
    """How the image's entrypoint waits for the database before it starts anything."""

    max_count: Count = 20
    """Attempts; 0 leaves the check out."""
    sleep: Seconds = 3
    """Seconds between two attempts."""


class Security(Spec):
    """Identity and rights of the processes in the pods."""

    pod_security: Literal["restricted", "baseline", "privileged"] = "restricted"
    """Pod Security level that the namespace enforces."""
    uid: Annotated[Int, pydantic.Field(ge=1, le=_HIGHEST)] | None = 50_000
    """User id of Airflow's processes; null with openshift."""
    gid: Annotated[Int, pydantic.Field(ge=0, le=_HIGHEST)] = 0
    """Group id; the image needs 0 unless the uid is 50000."""
    openshift: Bool = False
    """OpenShift assigns any uid: none is asked for, and the group stays 0."""
    read_only_root_filesystem: Bool = False
    """Airflow writes below its home; true needs volumes of yours."""
