"""Checks of images: which containers take which, and how to pin them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from generator.core.rule import PRODUCTION_ONLY
from generator.helmvalues.values import ValuesInput
from generator.lint.rule import ERROR, WARNING, Finding, check

_FLOATING = {"latest", "main", "master", "edge", "dev", "stable", "nightly", "slim-latest"}
_DATABASE = "postgresql.image"
# What the subchart takes where neither the chart nor the user names one.
_SUBCHART_IMAGE = "bitnami/postgresql"
_GONE = re.compile(r"(docker\.io/)?bitnami/")
_OTEL_IMAGE = "otel/opentelemetry-collector-contrib"
_WORKER_IMAGE = "config.kubernetes_executor.worker_container_"


def airflow_image(values: ValuesInput) -> tuple[str, str]:
    """Repository and tag of the Airflow containers, digests aside."""
    return (
        values.text("images.airflow.repository") or values.text("defaultAirflowRepository"),
        values.text("images.airflow.tag") or values.text("defaultAirflowTag"),
    )


def fallback_image(values: ValuesInput, image: str) -> tuple[str, str]:
    """Repository and tag of `flower` or `pod_template`, which skip `images.airflow`."""
    return (
        values.text(f"images.{image}.repository") or values.text("defaultAirflowRepository"),
        values.text(f"images.{image}.tag") or values.text("defaultAirflowTag"),
    )


@check(
    "images/floating-tag",
    WARNING,
    "A tag that moves",
    why="Two pods of one release may run different code, and a rollback does not bring the old "
    "image back.",
    tiers=(("development", None), ("production", ERROR)),
)
def floating_tag(values: ValuesInput) -> Iterator[Finding]:
    """`latest` and its like on any image."""
    for name in sorted(values.table("images")):
        if values.text(f"images.{name}.tag").lower() in _FLOATING:
            yield _floating(f"images.{name}.tag")
    if values.text("defaultAirflowTag").lower() in _FLOATING:
        yield _floating("defaultAirflowTag")

    if values.on("postgresql.enabled") and values.text(f"{_DATABASE}.tag").lower() in _FLOATING:
        yield Finding(
            f"{_DATABASE}.tag",
            "another major version of PostgreSQL may start on the same data, and then does not",
            f"set {_DATABASE}.tag to one version",
            ERROR if values.tier == "production" else WARNING,
        )


@check(
    "images/gone",
    ERROR,
    "An image that its registry no longer has",
    why="Docker Hub lost the versioned tags of bitnami/* in 2025: a node that does not have the "
    "image yet cannot start the pod.",
    source="bitnami/containers#83267",
)
def gone(values: ValuesInput) -> Iterator[Finding]:
    """`bitnami/…` of Docker Hub by a version's tag, the bundled PostgreSQL's by default as well."""
    images = [f"images.{name}" for name in sorted(values.table("images"))]
    images += [_DATABASE] if values.on("postgresql.enabled") else []
    for image in images:
        if name := gone_image(values, image):
            key = next((key for key in ("repository", "tag") if values.given(f"{image}.{key}")), "")
            yield Finding(
                f"{image}.{key}" if key else "postgresql.enabled",
                f"the pod does not start on a new node: {name} is gone",
                f"set {image}.repository to bitnamilegacy/… for a while, which nobody updates, or "
                "to an image of your own registry",
            )


def gone_image(values: ValuesInput, image: str = _DATABASE) -> str:
    """The image of a section of values where its registry no longer has it, '' elsewhere."""
    repository = values.text(f"{image}.repository")
    if image == _DATABASE:
        repository = repository or _SUBCHART_IMAGE
    mirrored = values.text(f"{image}.registry") or values.text("global.imageRegistry")
    tag = values.text(f"{image}.tag")
    if mirrored not in ("", "docker.io") or not _GONE.match(repository) or tag == "latest":
        return ""
    return f"{repository}:{tag}" if tag else repository


_FROZEN = re.compile(r"k8s\.gcr\.io(/|$)")


def frozen(repository: str) -> str:
    """What is wrong with an image's address though it may still answer; '' where nothing is."""
    if not _FROZEN.match(repository):
        return ""
    return "k8s.gcr.io takes no image since April 2023 and is to go: registry.k8s.io has them"


@check(
    "images/frozen-registry",
    WARNING,
    "An image of a registry that is frozen",
    why="k8s.gcr.io got its last image in April 2023 and only redirects: a node that does not have "
    "the image cannot start the pod once that ends. Whether it still answers is not tried.",
    source="kubernetes.io/blog/2023/02/06/k8s-gcr-io-freeze-announcement",
)
def frozen_registry(values: ValuesInput) -> Iterator[Finding]:
    """`k8s.gcr.io/…`: git-sync's by default in charts to 1.8, and whatever image a user names."""
    for name in sorted(values.table("images")):
        key = f"images.{name}.repository"
        if name == "gitSync" and not values.on("dags.gitSync.enabled"):
            continue
        if reason := frozen(values.text(key)):
            yield Finding(key, reason, f"set {key} to its address below registry.k8s.io")


def _floating(path: str) -> Finding:
    return Finding(
        path,
        "pods of one release may run different code: the tag moves",
        f"set {path} to a tag that is never pushed twice, best with its digest",
    )


@check(
    "images/not-by-digest",
    WARNING,
    "The Airflow image is not pinned by digest",
    why="A tag can be pushed again; only a digest names one image.",
    tiers=PRODUCTION_ONLY,
)
def not_by_digest(values: ValuesInput) -> Iterator[Finding]:
    """Neither a digest nor a tag that ends in one."""
    _, tag = airflow_image(values)
    digest = values.get("images.airflow.digest") or values.get("defaultAirflowDigest")
    if not digest and "@sha256:" not in tag:
        yield Finding(
            "images.airflow.tag" if values.given("images.airflow.tag") else "defaultAirflowTag",
            "a tag that is pushed again changes production without a commit",
            'write the digest behind the tag: defaultAirflowTag: "<tag>@sha256:<digest>"',
        )


@check(
    "images/digest-not-in-task-pods",
    ERROR,
    "A digest that does not reach task pods",
    why="The KubernetesExecutor starts tasks with worker_container_repository:_tag, which the "
    "chart fills from the tag and never from the digest.",
)
def digest_not_in_task_pods(values: ValuesInput) -> Iterator[Finding]:
    """`digest` set while tasks run in pods."""
    own = "images.airflow.digest" if values.on("images.airflow.digest") else "defaultAirflowDigest"
    if not values.kubernetes or not values.on(own) or _own_worker_image(values):
        return
    tagged = values.given("images.airflow.tag") or values.given("defaultAirflowTag")
    yield Finding(
        own,
        "task pods run whatever the tag names today, not the digest"
        if tagged
        else "task pods pull the chart's default tag from your repository: no tag is set",
        'leave digest null and write it behind the tag: defaultAirflowTag: "<tag>@sha256:<digest>"',
    )


def _own_worker_image(values: ValuesInput) -> bool:
    return all(
        isinstance(values.get(_WORKER_IMAGE + part), str)
        and "{{" not in values.text(_WORKER_IMAGE + part)
        for part in ("repository", "tag")
    )


@check(
    "images/pod-template-differs",
    WARNING,
    "The pod template names another image than the tasks get",
    why="images.pod_template falls back to defaultAirflow*, not to images.airflow, and Airflow "
    "then replaces it by worker_container_repository:_tag.",
)
def pod_template_differs(values: ValuesInput) -> Iterator[Finding]:
    """Effective images of pod template and task differ."""
    if not values.kubernetes or _own_worker_image(values) or values.text("podTemplate"):
        return
    if fallback_image(values, "pod_template") == airflow_image(values):
        return
    own = values.given("images.pod_template.repository") or values.given("images.pod_template.tag")
    yield Finding(
        "images.pod_template" if own else "images.airflow",
        "tasks do not run in images.pod_template: Airflow replaces it by images.airflow"
        if own
        else "the pod template names the chart's default image, not yours",
        "set defaultAirflowRepository and defaultAirflowTag to the same image as images.airflow",
    )


@check(
    "images/flower-differs",
    WARNING,
    "Flower runs another image",
    why="images.flower falls back to defaultAirflow*, not to images.airflow.",
)
def flower_differs(values: ValuesInput) -> Iterator[Finding]:
    """Flower on, with the chart's default image beside your own."""
    if not values.celery or not values.on("flower.enabled"):
        return
    own = values.given("images.flower.repository") or values.given("images.flower.tag")
    if not own and fallback_image(values, "flower") != airflow_image(values):
        yield Finding(
            "images.airflow",
            "Flower runs the chart's default image, without your packages",
            "set defaultAirflowRepository and defaultAirflowTag, or images.flower",
        )


@check(
    "images/migration-image-differs",
    WARNING,
    "Migrations run in another image",
    why="With useDefaultImageForMigration the migration Job and every waiting container use "
    "defaultAirflow*; another release there migrates to another schema.",
)
def migration_image(values: ValuesInput) -> Iterator[Finding]:
    """`useDefaultImageForMigration` with a default tag of its own."""
    if not values.on("images.useDefaultImageForMigration"):
        return
    default = values.text("defaultAirflowTag")
    if airflow_image(values)[1] != default:
        yield Finding(
            "images.useDefaultImageForMigration",
            "the database is migrated by another release than the one that runs",
            "set defaultAirflowTag to the release of images.airflow.tag",
        )


@check(
    "images/pull-secret-missing",
    WARNING,
    "Pull secrets do not reach every pod",
    why="The OpenTelemetry collector's pod and the bundled PostgreSQL have no imagePullSecrets.",
    source="chart 1.22.0, templates/otel-collector",
)
def pull_secret_missing(values: ValuesInput) -> Iterator[Finding]:
    """A private collector image."""
    on = values.on("otelCollector.tracesEnabled") or values.on("otelCollector.metricsEnabled")
    private = values.text("images.otelCollector.repository") not in ("", _OTEL_IMAGE)
    if on and private and values.on("imagePullSecrets"):
        yield Finding(
            "images.otelCollector.repository",
            "the collector may not be pulled: imagePullSecrets does not reach its pod",
            "add the pull secret to the ServiceAccount {key:otelCollector.serviceAccount.name}",
        )
