"""Where DAGs come from."""

from typing import Annotated, Any, Literal, Self

import pydantic

from generator.model.base import (
    Bool,
    Count,
    Duration,
    Line,
    Name,
    Positive,
    Seconds,
    Spec,
    SubPath,
    Text,
)
from generator.model.components import Resources, Volume
from generator.model.marks import Copied


class GitSync(Spec):
    """DAGs from a git repository, by a sidecar that pulls."""

    repository: Line
    """https:// URL, or git@host:path for ssh; the scheme decides which credentials are used."""
    ref: Line = "main"
    """Branch, tag or commit; a commit makes every DAG change a change of this file."""
    sub_path: SubPath = ""
    """Folder of the DAGs in the repository."""
    period: Duration = "30s"
    """Time between two pulls, such as 30s."""
    depth: Positive = 1
    """Commits that are fetched; 1 takes no history."""
    secret_name: Annotated[Name | None, Copied.KEEP] = None
    """Holds the ssh key, or user and token; needed for a private repository."""
    public: Bool = False
    """True for an https repository that needs no credentials."""
    known_hosts: Text | None = None
    """Lines of known_hosts for ssh; without them the server's identity is not checked."""
    max_failures: Count = 0
    """Failed pulls in a row that are tolerated before the pod restarts."""
    resources: Resources | None = None


class DagVolume(Volume):
    """DAGs from a shared volume that something else fills."""

    sub_path: SubPath = ""
    """Folder of the DAGs on the volume."""


class Bundle(Spec):  # type: ignore[no-redef]  # kwargs: pydantic's plugin takes the name
    """One DAG bundle of Airflow 3: the DAG processor and each worker fetch it themselves."""

    name: Line
    """Unique in the environment; runs and DAG versions refer to it."""
    type: Literal["git", "local", "custom"] = "git"
    """git: fetched from a repository; local: a folder; custom: a class of yours."""
    repository: Line | None = None
    """git: the URL; credentials come from the connection."""
    ref: Line = "main"
    """git: branch or tag that is followed."""
    sub_path: SubPath = ""
    """git: folder of the DAGs in the repository."""
    refresh_interval: Seconds = 300
    """Seconds between two looks for changes."""
    secret_name: Name | None = None
    """git: holds the connection URI as `connection`; none for a public repository."""
    path: Line | None = None
    """local: folder in the image or on a volume."""
    classpath: Line | None = None
    """custom: class of the bundle."""
    kwargs: dict[str, Any] = {}
    """custom: its arguments; never a secret."""

    @pydantic.model_validator(mode="after")
    def _complete(self) -> Self:
        needed = {"git": "repository", "local": "path", "custom": "classpath"}[self.type]
        if getattr(self, needed) is None:
            raise ValueError(f"a bundle of type {self.type} needs {needed}")
        return self


class BakedDags(Spec):
    """DAGs in the image: a DAG change is a new image."""


class Dags(Spec):
    """Where DAGs come from: exactly one way."""

    git_sync: GitSync | None = None
    persistence: DagVolume | None = None
    bundles: tuple[Bundle, ...] | None = None
    """Airflow 3: bundles that the DAG processor and the workers fetch themselves."""
    image: BakedDags | None = None

    @pydantic.model_validator(mode="after")
    def _one(self) -> Self:
        ways = [self.git_sync, self.persistence, self.bundles, self.image]
        if sum(way is not None for way in ways) != 1:
            raise ValueError("give exactly one of gitSync, persistence, bundles and image")
        return self
