"""Checks of `airflowVersion` and what it switches: components, names, keys without effect."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from generator.helmvalues.values import ValuesInput
from generator.impact.rules.settings import READ_ELSEWHERE
from generator.lint.rule import ERROR, INFO, WARNING, Finding, check

# Masterminds/semver, which the chart's semverCompare uses, coerces `3.2` and takes `v3.2.2`.
_SEMVER = re.compile(r"v?\d+(\.\d+){0,2}(?P<pre>-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?")
_LEADING = re.compile(r"v?(\d+)\.(\d+)\.(\d+)")


@check(
    "airflow/version-invalid",
    ERROR,
    "airflowVersion is not a version",
    why="The chart compares it as a semantic version; anything else fails the render.",
)
def version_invalid(values: ValuesInput) -> Iterator[Finding]:
    """Not a semantic version at all, such as `main` or `3.0.0rc1`."""
    version = values.get("airflowVersion")
    if isinstance(version, str) and not _SEMVER.fullmatch(version):
        yield Finding(
            "airflowVersion",
            "the chart cannot render: airflowVersion is not a semantic version",
            'set airflowVersion to a release, such as "3.2.2"',
        )


@check(
    "airflow/version-prerelease",
    ERROR,
    "airflowVersion is a pre-release",
    why="A pre-release satisfies neither >=3.0.0 nor <3.0.0, so charts from 1.16 on leave out API "
    "server, webserver and DAG processor without an error.",
)
def version_prerelease(values: ValuesInput) -> Iterator[Finding]:
    """A suffix such as `-python3.12` or `-rc1`, often copied from the image tag."""
    match = _SEMVER.fullmatch(values.text("airflowVersion"))
    if match and match["pre"] and values.chart.tells_majors:
        yield Finding(
            "airflowVersion",
            "neither API server nor webserver nor DAG processor will run: "
            "airflowVersion has a pre-release suffix",
            "keep the suffix in the image tag and set airflowVersion to the plain release",
        )


@check(
    "airflow/version-unsupported",
    ERROR,
    "airflowVersion is older than the chart supports",
    why="The chart refuses to render an Airflow before the oldest that it supports.",
    source="the chart's templates/check-values.yaml",
)
def version_unsupported(values: ValuesInput) -> Iterator[Finding]:
    """Older than this chart version renders; nothing is said where the chart says nothing."""
    oldest = values.chart.airflow_floor
    if oldest is not None and values.airflow is not None and values.airflow < oldest:
        text = ".".join(str(number) for number in oldest)
        yield Finding(
            "airflowVersion",
            f"the chart refuses to render: it supports Airflow {text} and later",
            "upgrade Airflow, or stay on the chart version that your Airflow was released with",
        )


@check(
    "airflow/chart-too-old",
    ERROR,
    "Airflow 3 on a chart that does not know it",
    why="Charts before 1.16 start a webserver and no API server whatever airflowVersion says; "
    "Airflow 3 has no webserver, and its tasks report to the API server.",
    source="charts 1.6.0 to 1.16.0, rendered",
)
def chart_too_old(values: ValuesInput) -> Iterator[Finding]:
    """`airflowVersion` 3 where no template looks at Airflow's major version."""
    if values.airflow is not None and values.airflow >= (3, 0, 0) and not values.airflow3:
        yield Finding(
            "airflowVersion",
            f"Airflow 3 cannot run: chart {values.chart_version} starts a webserver instead of an "
            "API server",
            "use chart 1.17.0 or later, or Airflow 2",
        )


@check(
    "airflow/version-differs-from-image",
    WARNING,
    "airflowVersion and the image tag name different releases",
    why="airflowVersion is not derived from the tag; it decides which components are rendered, so "
    "the image may be asked to run a command that it does not have.",
    also=((ERROR, "the major version differs"),),
)
def version_differs(values: ValuesInput) -> Iterator[Finding]:
    """The tag begins with another release than `airflowVersion`."""
    if values.get("images.airflow.digest") or values.get("defaultAirflowDigest"):
        return
    own = "images.airflow.tag" if values.text("images.airflow.tag") else "defaultAirflowTag"
    match = _LEADING.match(values.text(own))
    if not match or values.airflow is None:
        return
    tagged = (int(match[1]), int(match[2]), int(match[3]))
    rendered = values.airflow
    if tagged == rendered:
        return
    major = tagged[0] != rendered[0]
    wanted = ".".join(str(number) for number in tagged)
    yield Finding(
        own,
        "the image will be asked to run another major version's components"
        if major
        else "the image's release differs from airflowVersion, which decides what is rendered",
        f'set airflowVersion: "{wanted}" beside the tag',
        ERROR if major else None,
    )


@check(
    "airflow/webserver-keys",
    WARNING,
    "Keys of the webserver on Airflow 3",
    why="Airflow 3 has an API server instead; these keys change nothing that runs.",
    also=((ERROR, "ingress.web is on, so that nobody reaches the UI"),),
)
def webserver_keys(values: ValuesInput) -> Iterator[Finding]:
    """`webserver.*` and `ingress.web.*` given with Airflow 3."""
    if not values.airflow3:
        return
    own = values.user.get("webserver")
    for key, item in own.items() if isinstance(own, Mapping) else ():
        inert = f"webserver.{key}" not in READ_ELSEWHERE and item not in (None, {}, [])
        if inert and values.decided(("webserver", key)):
            yield Finding(
                ("webserver", key),
                f"webserver.{key} has no effect on Airflow 3",
                (f"move it to {{key:apiServer.{key}}}", "remove it"),
            )
    if values.given("ingress.web") and values.on("ingress.web.enabled"):
        yield Finding(
            "ingress.web",
            "nobody reaches the UI: ingress.web is rendered for Airflow 2 only",
            "move it to {key:ingress.apiServer}",
            ERROR,
        )


@check(
    "airflow/webserver-config",
    ERROR,
    "webserver_config.py does not reach the API server",
    why="On Airflow 3 webserver.webserverConfig is mounted into scheduler, workers and triggerer "
    "but not into the API server, which is what authenticates people.",
)
def webserver_config(values: ValuesInput) -> Iterator[Finding]:
    """`webserver.webserverConfig` without its Airflow 3 counterpart."""
    pairs = (
        ("webserverConfig", "apiServerConfig"),
        ("webserverConfigConfigMapName", "apiServerConfigConfigMapName"),
    )
    if not values.airflow3:
        return
    for older, newer in pairs:
        if values.on(f"webserver.{older}"):
            yield Finding(
                f"webserver.{older}",
                "logins use the default authentication: the API server does not get "
                f"webserver.{older}",
                f"set {{key:apiServer.{newer}}} instead",
            )


@check(
    "airflow/api-server-keys",
    WARNING,
    "Keys of the API server on Airflow 2",
    why="Airflow 2 has a webserver instead; these keys change nothing that runs.",
)
def api_server_keys(values: ValuesInput) -> Iterator[Finding]:
    """`apiServer.*` and `ingress.apiServer.*` given with Airflow 2."""
    if not values.airflow2:
        return
    for key, instead in (("apiServer", "webserver"), ("ingress.apiServer", "ingress.web")):
        if values.decided(key):
            yield Finding(key, f"{key} has no effect on Airflow 2", f"move it to {{key:{instead}}}")


@check(
    "airflow/dag-processor-off",
    ERROR,
    "Airflow 3 without a DAG processor",
    why="On Airflow 3 nothing else parses DAG files; the chart accepts the switch all the same.",
)
def dag_processor_off(values: ValuesInput) -> Iterator[Finding]:
    """`dagProcessor.enabled: false` on Airflow 3."""
    if values.airflow3 and values.get("dagProcessor.enabled") is False:
        yield Finding(
            "dagProcessor.enabled",
            "no DAG will ever be parsed: Airflow 3 needs the DAG processor",
            "remove dagProcessor.enabled, or set it to true",
            requires="dagProcessor.enabled",
        )


@check(
    "airflow/api-server-off",
    ERROR,
    "Airflow 3 without an API server",
    why="Tasks report to the Execution API and people use the UI there; the chart also leaves out "
    "the API and JWT secrets.",
)
def api_server_off(values: ValuesInput) -> Iterator[Finding]:
    """`apiServer.enabled: false` on Airflow 3."""
    if values.airflow3 and values.get("apiServer.enabled") is False:
        yield Finding(
            "apiServer.enabled",
            "no task can run: workers reach Airflow only through the API server",
            "remove apiServer.enabled, or set it to true",
            requires="apiServer.enabled",
        )


@check(
    "airflow/fullname-ignored",
    WARNING,
    "fullnameOverride and nameOverride without useStandardNaming",
    why="Object names come from the release name unless useStandardNaming is true; the names of "
    "ServiceAccounts follow the override all the same, and with them whoever trusts these.",
)
def fullname_ignored(values: ValuesInput) -> Iterator[Finding]:
    """A name given that only the ServiceAccounts take."""
    if values.on("useStandardNaming"):
        return
    for key in ("fullnameOverride", "nameOverride"):
        if values.text(key):
            yield Finding(
                key,
                f"{key} renames the ServiceAccounts alone: all other objects keep the release's "
                "name",
                "set {key:useStandardNaming}: true before the first install; later it renames "
                "everything",
            )


@check(
    "airflow/home-in-wait-containers",
    INFO,
    "Another airflowHome",
    why="The containers that wait for migrations mount logs at the literal path /opt/airflow/logs.",
    source="chart 1.22.0, templates",
)
def home(values: ValuesInput) -> Iterator[Finding]:
    """`airflowHome` changed."""
    if values.text("airflowHome").rstrip("/") not in ("", "/opt/airflow"):
        yield Finding(
            "airflowHome",
            "the containers that wait for migrations still mount logs at /opt/airflow/logs",
            "keep airflowHome: /opt/airflow unless your image really moves it",
        )
