"""What the image's lock is made from: one text, so that its digest tells whether a lock fits."""

from __future__ import annotations

import dataclasses
import datetime
import hashlib
import re
from collections.abc import Iterator

from generator.airflow import migrations
from generator.model.environment import Environment
from generator.model.image_build import REQUIREMENT, Build

_AIRFLOW = re.compile(r"apache-airflow(-core|-task-sdk)?")
_COMMENT = re.compile(r"(^|\s+)#.*")
# Executors, and what else a field turns on, by the extra of `apache-airflow` that brings it.
_EXECUTORS = {"CeleryExecutor": "celery", "KubernetesExecutor": "cncf-kubernetes"}
_LOGS = {
    "s3": "amazon", "gcs": "google", "wasb": "microsoft-azure",
    "elasticsearch": "elasticsearch", "opensearch": "opensearch",
}  # fmt: skip
_METRICS = {"statsd": "statsd", "otel": "otel"}


@dataclasses.dataclass(frozen=True, slots=True)
class Inputs:
    """What a lock is made from: the requirements, and what bounds their versions."""

    python: str
    requirements: tuple[str, ...]
    bound: str
    """The constraints file by its digest, or the last day of uploads."""
    wheels_only: bool

    @property
    def text(self) -> str:
        """As requirements.in, below its header."""
        kinds = "wheels" if self.wheels_only else "wheels and source archives"
        head = f"# Python {self.python}; {self.bound}; {kinds}\n"
        return head + "".join(f"{line}\n" for line in self.requirements)

    @property
    def digest(self) -> str:
        """What a lock that fits these inputs says in its header."""
        return f"sha256:{hashlib.sha256(self.text.encode()).hexdigest()}"


def inputs(environment: Environment, build: Build, more: list[str], constraints: bytes) -> Inputs:
    """What the lock of an environment is made from.

    `more` are the lines of the requirements file, `constraints` the text of the constraints file;
    both empty where there is none.
    """
    extras = ",".join(sorted(extras_of(environment)))
    airflow = f"apache-airflow[{extras}]=={environment.airflow.version}"
    providers = [
        f"apache-airflow-providers-{name.removeprefix('apache-airflow-providers-')}"
        + (f"=={version}" if version else "")
        for name, version in build.providers.items()
    ]
    lines = sorted({*providers, *build.requirements, *more})
    return Inputs(
        build.python,
        (airflow if extras else airflow.replace("[]", ""), *lines),
        _bound(environment, build, constraints),
        wheels_only=not build.build_apt,
    )


def extras_of(environment: Environment) -> set[str]:
    """The extras of `apache-airflow` without which the environment's own fields do not work."""
    found = {_EXECUTORS[name] for name in environment.executors if name in _EXECUTORS}
    if environment.airflow_3 and environment.auth.manager is None:
        found.add("fab")
    if environment.database.type == "postgresql":
        found.add("postgres")
    found |= {_METRICS[kind] for kind in [environment.metrics.type] if kind in _METRICS}
    remote = environment.logging.remote
    found |= {_LOGS[remote.type]} if remote is not None and remote.type in _LOGS else set()
    if any(item.type == "git" for item in environment.dags.bundles or ()):
        found.add("git")
    return found


def last_day(environment: Environment, build: Build) -> str:
    """The last day of uploads that count; '' where nothing says one."""
    return build.not_after or migrations.published(environment.airflow.version)


def end_of(day: str) -> datetime.datetime:
    """The first moment after a day, in UTC."""
    start = datetime.datetime.fromisoformat(day).replace(tzinfo=datetime.UTC)
    return start + datetime.timedelta(days=1)


def _bound(environment: Environment, build: Build, constraints: bytes) -> str:
    if build.constraints is not None:
        return f"constraints sha256:{hashlib.sha256(unix(constraints)).hexdigest()}"
    day = last_day(environment, build)
    return f"uploads up to {day}" if day else "no constraints and no day"


def unix(text: bytes) -> bytes:
    """The text with the line ends of Unix and without a byte order mark."""
    return text.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def lines(text: bytes) -> Iterator[tuple[int, str]]:
    """Number and requirement of each line that holds one; '' for a line that is not accepted."""
    decoded = unix(text).decode("utf-8", "replace")
    for number, line in enumerate(decoded.split("\n"), start=1):
        bare = re.sub(r"\s+", " ", _COMMENT.sub("", line)).strip()
        if bare:
            yield number, bare if REQUIREMENT.fullmatch(bare) else ""


def names_airflow(requirement: str) -> bool:
    """Whether it asks for Airflow itself, whose version `airflow.version` decides."""
    match = REQUIREMENT.fullmatch(requirement)
    return match is not None and bool(_AIRFLOW.fullmatch(normal(match["name"])))


def normal(name: str) -> str:
    """The name of a package as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()
