"""What the API server refuses though no schema says so: names, ports, probes, schedules, sizes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from generator.core.counted import counted
from generator.core.problem import Problem, Severity
from generator.core.rule import Rule
from generator.kube.fields import at, entries, integer, section
from generator.kube.pods import PodTemplate, containers, title_of
from generator.kube.resource import Object
from generator.lint.objects import amounts, duplicates, field_bounds, kubernetes_schema
from generator.lint.objects.context import RenderedInput
from generator.lint.objects.field_checks import SEGMENT
from generator.lint.objects.label_fields import SUBDOMAIN, is_key, is_value

NAME = Rule(
    "kubernetes/invalid-name",
    Severity.ERROR,
    "A name or label that Kubernetes refuses",
    "Names are DNS names of at most 253 characters, many of at most 63; label values have at most "
    "63, port names at most 15.",
    "kubernetes.io, object names and labels",
)
ANNOTATIONS = Rule(
    "kubernetes/annotations-too-large",
    Severity.ERROR,
    "More annotations than an object may have",
    "Keys and values of all annotations together may have 256 KiB.",
    "kubernetes.io, annotations",
)
PORT = Rule(
    "kubernetes/invalid-port",
    Severity.ERROR,
    "A port outside of 1 to 65535",
    "The API server refuses the object.",
    "kubernetes.io, API reference",
)
PROBE = Rule(
    "kubernetes/invalid-probe",
    Severity.ERROR,
    "A probe that Kubernetes refuses",
    "The API server refuses every pod of the workload.",
    "kubernetes.io, Configure Probes",
)
SCHEDULE = Rule(
    "kubernetes/invalid-schedule",
    Severity.ERROR,
    "A schedule that Kubernetes cannot read",
    "The API server refuses the CronJob.",
    "kubernetes.io, CronJob, schedule syntax",
)

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_SERVICE = re.compile(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?")
_PORT_NAME = re.compile(r"(?=.{1,15}$)(?=.*[a-z])(?!.*--)[a-z0-9]([-a-z0-9]*[a-z0-9])?")
# The API server takes any path segment as the name of these.
_LOOSE = frozenset(
    {"Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding", "PodDisruptionBudget"}
)
# Their pods' names and labels are made of theirs.
_LONGEST = {"CronJob": 52, "Job": 63, "Service": 63, "Namespace": 63}
_ANNOTATIONS = 256 * 1024
_ONE = ("exec", "httpGet", "tcpSocket", "grpc")
_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_BOUNDS = {
    "initialDelaySeconds": 0,
    "timeoutSeconds": 0,
    "periodSeconds": 0,
    "successThreshold": 0,
    "failureThreshold": 0,
    "terminationGracePeriodSeconds": 1,
}

_EVERY = re.compile(r"@every (\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+")
_MACROS = frozenset(
    {"@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"}
)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_DIGITS = re.compile(r"[0-9]{1,4}")
_FIELDS = ((0, 59, ()), (0, 23, ()), (1, 31, ()), (1, 12, _MONTHS), (0, 6, _DAYS))


def problems(rendered: RenderedInput) -> Iterator[Problem]:
    """Everything of these kinds in the objects of one environment."""
    yield from _labels(rendered)
    for manifest in rendered.manifests:
        yield from _name(rendered, manifest)
        yield from _annotations(rendered, manifest, title_of(manifest), manifest.get("metadata"))
        yield from _schedule(rendered, manifest)
    for service in rendered.of("Service"):
        yield from _ports(rendered, service, title_of(service), entries(service, "spec", "ports"))
    for template in rendered.templates:
        if template.owner.get("kind") != "Pod":
            yield from _annotations(rendered, template.owner, template.title, template.metadata)
        yield from _pod(rendered, template)
    yield from duplicates.problems(rendered)
    yield from amounts.problems(rendered)
    yield from field_bounds.problems(rendered)


def _name(rendered: RenderedInput, manifest: Object) -> Iterator[Problem]:
    name, kind = at(manifest, "metadata", "name"), str(manifest.get("kind"))
    if not isinstance(name, str) or (kind in _LOOSE and not SEGMENT(name)):
        return
    pattern = {"Service": _SERVICE, "Namespace": _LABEL}.get(kind, SUBDOMAIN)
    longest = _LONGEST.get(kind, 253)
    if len(name) > longest:
        message = f"{kind} has a name of {len(name)} characters; Kubernetes allows {longest}"
        yield rendered.problem(NAME, manifest, message, "use a shorter name")
    elif not pattern.fullmatch(name):
        message = f"{kind} has a name that Kubernetes refuses"
        yield rendered.problem(NAME, manifest, message, "use lower-case letters, digits and dashes")


def _labels(rendered: RenderedInput) -> Iterator[Problem]:
    """Of each wrong label or key one finding: it stands at many objects, and has one cause."""
    found: dict[tuple[str, str], dict[str, Object]] = {}
    for owner, title, metadata in _described(rendered):
        labels, annotations = section(metadata, "labels"), section(metadata, "annotations")
        for key, value in labels.items():
            if isinstance(value, str) and not is_value(value):
                message = f"the value of label {key} is not one that Kubernetes takes"
                hint = "use at most 63 letters, digits, dashes, dots and underscores"
                found.setdefault((message, hint), {}).setdefault(title, owner)
        for key in (*labels, *annotations):
            if not is_key(str(key)):
                message = f"Kubernetes refuses the key {key} of a label or annotation"
                hint = "write it as name or domain/name, the name with at most 63 characters"
                found.setdefault((message, hint), {}).setdefault(title, owner)
    for (message, hint), owners in found.items():
        title, owner = next(iter(owners.items()))
        more = f" and {counted(len(owners) - 1, 'more object')}" if owners.keys() - {title} else ""
        yield rendered.problem(NAME, owner, f"{title}{more}: {message}", hint)


def _described(rendered: RenderedInput) -> Iterator[tuple[Object, str, Mapping[str, Any]]]:
    """Every object and pod template with its metadata."""
    for manifest in rendered.manifests:
        yield manifest, title_of(manifest), section(manifest, "metadata")
    for template in rendered.templates:
        yield template.owner, template.title, template.metadata


def _annotations(
    rendered: RenderedInput, owner: Object, title: str, metadata: Any
) -> Iterator[Problem]:
    annotations = section(metadata, "annotations") if isinstance(metadata, Mapping) else {}
    size = sum(len(f"{key}{value}".encode()) for key, value in annotations.items())
    if size > _ANNOTATIONS:
        message = f"{title}: its annotations have {size // 1024} KiB; Kubernetes allows 256"
        yield rendered.problem(ANNOTATIONS, owner, message, "move large content to a ConfigMap")


def _pod(rendered: RenderedInput, template: PodTemplate) -> Iterator[Problem]:
    owner = template.owner
    for volume in entries(template.spec, "volumes"):
        yield from _label(rendered, template, "volume", volume.get("name"))
    for _, container in containers(template.spec):
        yield from _label(rendered, template, "container", container.get("name"))
        where = f"{template.title}, container {container.get('name')}"
        yield from _ports(rendered, owner, where, entries(container, "ports"))
        for probe in _PROBES:
            if isinstance(container.get(probe), Mapping):
                for fault in _probe_faults(probe, section(container, probe)):
                    message = f"{where}: {probe} {fault}"
                    yield rendered.problem(PROBE, owner, message, "correct the probe")


def _label(
    rendered: RenderedInput, template: PodTemplate, what: str, name: Any
) -> Iterator[Problem]:
    if isinstance(name, str) and not _LABEL.fullmatch(name):
        yield rendered.problem(
            NAME,
            template.owner,
            f"{template.title}: a {what} has a name that Kubernetes refuses",
            "use at most 63 lower-case letters, digits and dashes",
        )


def _ports(
    rendered: RenderedInput, owner: Object, where: str, ports: list[Mapping[str, Any]]
) -> Iterator[Problem]:
    of_service = owner.get("kind") == "Service"
    pattern = _LABEL if of_service else _PORT_NAME
    for row in ports:
        name = row.get("name")
        if isinstance(name, str) and name and not pattern.fullmatch(name):
            message = f"{where}: Kubernetes refuses the port name {name[:64]}"
            longest = 63 if of_service else 15
            hint = f"use at most {longest} lower-case letters, digits and single dashes"
            yield rendered.problem(NAME, owner, message, hint)
        target = row.get("targetPort")
        if isinstance(target, str) and target and not _PORT_NAME.fullmatch(target):
            message = f"{where}: Kubernetes refuses the target port {target[:64]}"
            hint = "name a port of the container, of at most 15 characters, or give its number"
            yield rendered.problem(NAME, owner, message, hint)
        for field in ("port", "containerPort", "hostPort", "targetPort", "nodePort"):
            number = integer(row, field)
            if number is not None and not _in_range(field, number):
                message = f"{where}: {field} {number} is not a valid port"
                yield rendered.problem(PORT, owner, message, "use a number from 1 to 65535")


def _in_range(field: str, number: int) -> bool:
    """Of these fields 0 means that nothing is asked for."""
    return (
        number == 0 and field in ("hostPort", "nodePort", "targetPort")
    ) or 1 <= number <= 65_535


def _probe_faults(kind: str, probe: Mapping[str, Any]) -> Iterator[str]:
    handlers = [name for name in _ONE if probe.get(name) is not None]
    if len(handlers) != 1:
        yield f"has {' and '.join(handlers) or 'no handler'}, and needs one handler"
    for field, least in _BOUNDS.items():
        number = integer(probe, field)
        if number is not None and number < least:
            yield f"has {field} {number}, below {least}"
    if kind != "readinessProbe" and integer(probe, "successThreshold") not in (None, 0, 1):
        yield "has a successThreshold other than 1"
    if kind == "readinessProbe" and probe.get("terminationGracePeriodSeconds") is not None:
        yield "has terminationGracePeriodSeconds, which only the other probes have"
    for handler in handlers:
        port = at(probe, handler, "port")
        number = isinstance(port, int) and not 1 <= port <= 65_535
        if number or (isinstance(port, str) and not _PORT_NAME.fullmatch(port)):
            yield f"has a port that Kubernetes refuses: {str(port)[:64]}"


def _schedule(rendered: RenderedInput, manifest: Object) -> Iterator[Problem]:
    schedule = at(manifest, "spec", "schedule")
    is_cron = manifest.get("kind") == "CronJob" and kubernetes_schema.is_builtin(manifest)
    if is_cron and not is_schedule(schedule):
        yield rendered.problem(
            SCHEDULE,
            manifest,
            f"{title_of(manifest)}: `{str(schedule)[:64]}` is not a valid schedule",
            "write five fields, such as 15 3 * * *, or @daily; the days of a week are 0 to 6",
        )


def is_schedule(text: Any) -> bool:
    """Whether a CronJob takes it: five fields, `@daily` and its like, or `@every 1h`."""
    if not isinstance(text, str):
        return False
    if text in _MACROS or _EVERY.fullmatch(text):
        return True
    fields = text.split()
    if len(fields) != len(_FIELDS):
        return False
    pairs = zip(fields, _FIELDS, strict=True)
    return all(_is_part(part, *bounds) for field, bounds in pairs for part in field.split(","))


def _is_part(part: str, least: int, most: int, names: tuple[str, ...]) -> bool:
    span, slash, step = part.partition("/")
    if slash and (not _DIGITS.fullmatch(step) or int(step) == 0):
        return False
    if span in ("*", "?"):
        return True
    ends = [_number(end, least, names) for end in span.split("-")]
    if len(ends) > 2 or any(not least <= end <= most for end in ends):
        return False
    return ends[0] <= ends[-1]


def _number(text: str, least: int, names: tuple[str, ...]) -> int:
    """The number, that of a month or day by name, or -1."""
    if text.lower() in names:
        return names.index(text.lower()) + least
    return int(text) if _DIGITS.fullmatch(text) else -1
