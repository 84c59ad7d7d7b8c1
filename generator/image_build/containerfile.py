"""The Containerfile of an environment's image, and what its builder may see of the repository.

One stage lays packages onto the base; where something has to be compiled, a stage before it makes
wheels, and the compilers stay there. No line holds a value that its form in the model could let
break out, and no credential: those of the index come as a build secret, which no layer keeps.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from generator.image_build.lock import inputs_line
from generator.image_build.requirements import Inputs, end_of
from generator.model.image_build import Build

USER = "50000:0"
"""The user of the official image, and the group by which any other uid has the same rights."""
LOCK_IN_IMAGE = "/usr/share/gen-env/requirements.lock"
SECRET = "netrc"
_CERTIFICATE = "/usr/local/share/ca-certificates/gen-env.crt"
_BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
# The first moment that a zip archive, which a wheel is, can tell (1980-01-01).
_EARLIEST = 315_532_800
# What apt leaves behind that differs from run to run.
_LEFT = ("/var/lib/apt/lists/*", "/var/cache/apt/*", "/var/cache/debconf/*-old",
         "/var/cache/ldconfig/aux-cache", "/var/log/apt", "/var/log/alternatives.log",
         "/var/log/dpkg.log")  # fmt: skip
_NOT_BAKED = ("**/.git", "**/__pycache__", "**/*.pyc", "**/.env", "**/.netrc")


@dataclasses.dataclass(frozen=True, slots=True)
class Facts:
    """What the files are written from; `folder` is the environment's, `day` may be ''."""

    environment: str
    folder: str
    build: Build
    inputs: Inputs
    lock: str
    home: str
    airflow: str
    source: str
    day: str


def text(facts: Facts) -> str:
    """The Containerfile, below its header; its context is the folder of gen-env.yaml."""
    stages = [_head(facts), *([_wheels(facts)] if facts.build.build_apt else []), _image(facts)]
    return "\n".join(stages)


def epoch(day: str) -> int:
    """The time that all files of the image get: the end of the day, or the earliest there is."""
    return int(end_of(day).timestamp()) if day else _EARLIEST


def ignore(facts: Facts) -> str:
    """What of the context the builder gets: what the Containerfile copies, nothing else."""
    build = facts.build
    paths = [facts.lock, build.dags, _below(facts, build.certificate_authority)]
    kept = "".join(f"!{path}\n" for path in paths if path)
    return f"*\n{kept}" + "".join(f"{pattern}\n" for pattern in _NOT_BAKED)


def _head(facts: Facts) -> str:
    return (
        f"# Build it in the folder of gen-env.yaml: docs/image.md of gen-env has the commands.\n"
        f"ARG SOURCE_DATE_EPOCH={epoch(facts.day)}\n"
    )


def _wheels(facts: Facts) -> str:
    return _joined(
        f"FROM {facts.build.base} AS wheels",
        *_common(facts),
        _apt(facts.build.build_apt),
        "RUN mkdir --mode=0775 /wheels && chown 50000:0 /wheels",
        _lock(facts),
        f"USER {USER}",
        _pip(facts, "pip wheel --no-cache-dir --no-deps --require-hashes --wheel-dir /wheels"),
    )


def _image(facts: Facts) -> str:
    build = facts.build
    install = "pip install --no-cache-dir --no-deps"
    if build.build_apt:
        packages = (
            "RUN --mount=type=bind,from=wheels,source=/wheels,target=/wheels \\\n"
            f"    umask 0002 \\\n && {install} --no-index /wheels/*.whl \\\n && pip check"
        )
    else:
        flags = "--require-hashes --only-binary=:all:"
        packages = _pip(facts, f"{install} {flags}", "pip check")
    return _joined(
        f"FROM {build.base}",
        *_common(facts),
        *([_apt(build.apt)] if build.apt else []),
        _lock(facts),
        f"USER {USER}",
        packages,
        *([f"COPY --chown={USER} {build.dags} {facts.home}/dags"] if build.dags else []),
        _labels(facts),
    )


def _common(facts: Facts) -> Iterable[str]:
    """What each stage begins with: as root, until its last USER."""
    build = facts.build
    yield 'SHELL ["/bin/bash", "-o", "pipefail", "-c"]'
    yield "ARG SOURCE_DATE_EPOCH"
    yield from (f"ARG {name}={quoted(value)}" for name, value in sorted(build.args.items()))
    yield "USER 0"
    if build.certificate_authority:
        yield f"COPY --chown=0:0 {_below(facts, build.certificate_authority)} {_CERTIFICATE}"
        yield "RUN update-ca-certificates"
        variables = ("PIP_CERT", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE")
        yield "ENV " + " ".join(f"{name}={_BUNDLE}" for name in variables)


def _apt(packages: Iterable[str]) -> str:
    names = sorted(packages)
    pinned = all("=" in name for name in names)
    ignored = "" if pinned else "# hadolint ignore=DL3008\n"
    listed = " \\\n".join(f"      {name}" for name in names)
    return (
        f"{ignored}RUN apt-get update \\\n"
        " && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends \\\n"
        f"{listed} \\\n && rm -rf {' '.join(_LEFT)}"
    )


def _lock(facts: Facts) -> str:
    return f"COPY --chown=0:0 {facts.lock} {LOCK_IN_IMAGE}"


def _pip(facts: Facts, command: str, *after: str) -> str:
    """One RUN of pip on the lock; a lock of other requirements ends the build."""
    build = facts.build
    secret = f"/run/secrets/{SECRET}"
    mount = (
        f"--mount=type=secret,id={SECRET},target={secret},required=true,uid=50000,mode=0400"
        " \\\n    "
        if build.index_credentials
        else ""
    )
    netrc = f" NETRC={secret}" if build.index_credentials else ""
    index = f" --index-url {build.index}" if build.index else ""
    stale = f"requirements.lock is out of date: run gen-env image lock {facts.environment}"
    parts = [
        f"umask 0002 && export PYTHONHASHSEED=0{netrc}",
        f"{{ grep -qxF '{inputs_line(facts.inputs)}' {LOCK_IN_IMAGE} || "
        f"{{ echo '{stale}' >&2; exit 1; }}; }}",
        f"{command}{index} --requirement {LOCK_IN_IMAGE}",
        *after,
    ]
    return f"RUN {mount}" + " \\\n && ".join(parts)


def _labels(facts: Facts) -> str:
    image, _, digest = facts.build.base.partition("@")
    labels = {
        "org.opencontainers.image.base.name": image,
        "org.opencontainers.image.base.digest": digest,
        "org.opencontainers.image.source": facts.source,
        "org.opencontainers.image.title": f"Airflow of {facts.environment}",
        "org.opencontainers.image.version": facts.airflow,
        **facts.build.labels,
    }
    given = [f"{name}={quoted(value)}" for name, value in sorted(labels.items()) if value]
    return "LABEL " + " \\\n      ".join(given)


def quoted(value: str) -> str:
    """A value in double quotes in which a builder reads nothing but the value."""
    for mark in ("\\", '"', "$"):
        value = value.replace(mark, f"\\{mark}")
    return f'"{value}"'


def _below(facts: Facts, path: str | None) -> str:
    return f"{facts.folder}/{path}" if path else ""


def _joined(*lines: str) -> str:
    return "".join(f"{line}\n" for line in lines)
