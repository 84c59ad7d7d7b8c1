"""Rules about the image that an environment builds for itself."""

from __future__ import annotations

from collections.abc import Iterator

from generator.lint.definition.rule import Found, Place, marker
from generator.lint.rule import ERROR, WARNING
from generator.model.image import Image
from generator.release.release import Release

FOUND: Found = []
_rule = marker(FOUND)


@_rule(
    "image/base-not-pinned",
    WARNING,
    "A base image without a digest",
    "Its tag can move: two builds of one definition would give two images.",
    (("production", ERROR),),
)
def _base(release: Release) -> Iterator[Place]:
    build = release.environment.image.build
    if build is not None and "@" not in build.base:
        yield (
            ("image", "build", "base"),
            "the base has no digest",
            f"run: gen-env image pin {release.resolved.name} --base",
        )


@_rule(
    "image/built-elsewhere",
    ERROR,
    "An image that is built and cannot be pushed",
    "The environment would run the official image and not the built one.",
)
def _repository(release: Release) -> Iterator[Place]:
    image = release.environment.image
    if image.build is not None and image.repository == Image.model_fields["repository"].default:
        yield (
            ("image", "repository"),
            "image.build is given, and image.repository is that of the official image",
            "write the repository that the image is pushed to",
        )


@_rule(
    "image/no-dags",
    WARNING,
    "DAGs in the image, and none are copied into it",
    "Airflow starts without a DAG unless the base has them.",
)
def _dags(release: Release) -> Iterator[Place]:
    build = release.environment.image.build
    if build is not None and build.dags is None and release.environment.dags.image is not None:
        yield (
            ("image", "build", "dags"),
            "dags.image is given, and image.build copies no DAGs",
            "write image.build.dags: the folder of the repository that holds them",
        )
