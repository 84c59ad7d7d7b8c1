"""Custom resources against the CustomResourceDefinitions that a directory holds."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from generator.core.errors import UserError
from generator.core.problem import NotDone, Problem, Severity
from generator.core.rule import Rule
from generator.kube.fields import entries, section
from generator.kube.pods import Where, rendered_only, title_of
from generator.kube.resource import Object, group_of
from generator.lint.objects.kubernetes_schema import is_builtin
from generator.lint.objects.schema_errors import SchemaCheck

SCHEMA = Rule(
    "crd/schema",
    Severity.ERROR,
    "A custom resource that its definition refuses",
    "The API server rejects wrong types and drops unknown fields silently.",
    "the CustomResourceDefinition",
)
VERSION = Rule(
    "crd/unknown-version",
    Severity.ERROR,
    "A version that the definition does not serve",
    "The sync fails until the controller is upgraded.",
    "the CustomResourceDefinition",
)

_STRINGS = {"type": ["object", "null"], "additionalProperties": {"type": "string"}}
# What people may write; the API server fills in the rest. A schema of ObjectMeta is in no CRD.
_METADATA = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "name": {"type": "string"},
        "generateName": {"type": "string"},
        "namespace": {"type": "string"},
        "labels": _STRINGS,
        "annotations": _STRINGS,
        "finalizers": {"type": "array", "items": {"type": "string"}},
        "ownerReferences": {"type": "array", "items": {"type": "object"}},
        "creationTimestamp": {"type": ["string", "null"]},
        **{key: {"type": "string"} for key in ("uid", "resourceVersion", "selfLink")},
        "generation": {"type": "integer"},
        "managedFields": {"type": "array"},
    },
}
_JUNCTIONS = ("allOf", "anyOf", "oneOf")
_KEPT = (
    *("type", "enum", "pattern", "required", "minimum", "maximum", "minLength", "maxLength"),
    *("minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties", "multipleOf"),
)


@dataclasses.dataclass(frozen=True)
class Definitions:
    """CRDs by group and kind, each with its served versions and their schemas."""

    schemas: Mapping[tuple[str, str], Mapping[str, Mapping[str, Any]]]
    _compiled: dict[tuple[str, str, str], SchemaCheck] = dataclasses.field(
        default_factory=dict, repr=False, compare=False
    )

    @staticmethod
    def of(documents: Iterable[Mapping[str, Any]]) -> Definitions:
        """From CustomResourceDefinitions; whatever else is among them is left out."""
        found: dict[tuple[str, str], dict[str, Mapping[str, Any]]] = {}
        for document in documents:
            if document.get("kind") != "CustomResourceDefinition":
                continue
            spec = section(document, "spec")
            key = (str(spec.get("group")), str(section(spec, "names").get("kind")))
            for version in entries(spec, "versions"):
                schema = section(version, "schema", "openAPIV3Schema")
                if version.get("served", True) and schema:
                    found.setdefault(key, {})[str(version.get("name"))] = schema
        return Definitions(found)

    def validator(self, group: str, kind: str, version: str) -> SchemaCheck:
        """The compiled schema of one served version; KeyError for any other."""
        key = (group, kind, version)
        if key not in self._compiled:
            self._compiled[key] = compiled(self.schemas[group, kind][version])
        return self._compiled[key]


@dataclasses.dataclass(frozen=True, slots=True)
class Checked:
    """What the definitions refuse, and the kinds that have none."""

    problems: tuple[Problem, ...]
    not_done: tuple[NotDone, ...]


def load_definitions(folder: Path) -> Definitions:
    """Every CRD in the YAML and JSON files of one folder; unchanged files are read once.

    Raises UserError when it is no folder or a file in it cannot be read.
    """
    if not folder.is_dir():
        raise UserError(
            "folder of CustomResourceDefinitions not found",
            path=str(folder),
            hint="set GEN_ENV_CRDS, or crds: in gen-env.yaml, to a folder of CRD files",
        )
    files = [
        file
        for file in sorted(folder.iterdir())
        if file.suffix in (".yaml", ".yml", ".json") and file.is_file()
    ]
    stamps = [(file, file.stat()) for file in files]
    return _loaded(tuple((file, stat.st_mtime_ns, stat.st_size) for file, stat in stamps))


@functools.lru_cache(maxsize=2)
def _loaded(files: tuple[tuple[Path, int, int], ...]) -> Definitions:
    from generator.yaml.manifests import load_manifests

    documents: list[dict[str, Any]] = []
    for file, _, _ in files:
        documents += load_manifests(file.read_bytes(), path=str(file))
    return Definitions.of(documents)


def check(
    manifests: Iterable[Object], folder: Path | None, *, where: Where = rendered_only
) -> Checked:
    """Custom resources against the CRDs of a folder; without one nothing counts as passed."""
    return check_against(manifests, load_definitions(folder) if folder else None, where=where)


def check_against(
    manifests: Iterable[Object], definitions: Definitions | None, *, where: Where = rendered_only
) -> Checked:
    """The same with definitions at hand: one NotDone for each kind that has none."""
    problems: list[Problem] = []
    missing: set[tuple[str, str]] = set()
    for manifest in manifests:
        if is_builtin(manifest):
            continue
        group, _, version = str(manifest.get("apiVersion")).rpartition("/")
        kind = str(manifest.get("kind"))
        served = definitions.schemas.get((group, kind)) if definitions else None
        if definitions is None or served is None:
            missing.add((group, kind))
        elif version not in served:
            problems.append(_unknown_version(manifest, sorted(served), where))
        else:
            problems += _faults(manifest, definitions.validator(group, kind, version), where)
    return Checked(tuple(problems), tuple(_missing(group, kind) for group, kind in sorted(missing)))


def _missing(group: str, kind: str) -> NotDone:
    return NotDone(
        SCHEMA.id,
        f"no CustomResourceDefinition of {kind} ({group}) is available",
        "set GEN_ENV_CRDS, or crds: in gen-env.yaml, to a folder of CRD files",
    )


def compiled(schema: Mapping[str, Any]) -> SchemaCheck:
    """A validator for one version of a definition, unknown fields refused."""
    from jsonschema import Draft7Validator

    converted = closed(schema, root=True)
    return SchemaCheck(Draft7Validator(converted))


def _faults(manifest: Object, check: SchemaCheck, where: Where) -> Iterator[Problem]:
    for fault in check.faults(manifest):
        message = f"{title_of(manifest)}: {fault.message}"
        yield SCHEMA.problem(message, path=where(manifest), hint=fault.hint)


def _unknown_version(manifest: Object, served: list[str], where: Where) -> Problem:
    group = group_of(str(manifest.get("apiVersion")))
    return VERSION.problem(
        f"{title_of(manifest)}: {manifest.get('apiVersion')} is not served",
        path=where(manifest),
        hint=f"use {group}/{served[-1]}",
    )


def closed(schema: Mapping[str, Any], *, root: bool = False, junction: bool = False) -> Any:
    """A structural schema as JSON Schema in which fields that would be pruned are errors.

    Rules in CEL (x-kubernetes-validations) are not evaluated. Inside allOf and its like nothing
    may declare fields, so nothing is closed there.
    """
    result: dict[str, Any] = {key: schema[key] for key in _KEPT if key in schema}
    properties = section(schema, "properties")
    if properties:
        result["properties"] = {
            key: closed(section(item), junction=junction) for key, item in properties.items()
        }
    if "items" in schema:
        result["items"] = closed(section(schema["items"]), junction=junction)
    extra = schema.get("additionalProperties")
    if isinstance(extra, Mapping):
        result["additionalProperties"] = closed(extra, junction=junction)
    elif properties and extra is None and not junction and not _preserves(schema):
        result["additionalProperties"] = False
    for key in _JUNCTIONS:
        if schema.get(key):  # Route's own definition holds `anyOf: null`
            result[key] = [closed(section(item), junction=True) for item in schema[key]]
    if "not" in schema:
        result["not"] = closed(section(schema["not"]), junction=True)
    if schema.get("x-kubernetes-int-or-string"):
        result["type"] = ["integer", "string"]
        result.pop("anyOf", None)
    if root or schema.get("x-kubernetes-embedded-resource"):
        _add_identity(result)
    if schema.get("nullable"):
        _add_null(result)
    return result


def _preserves(schema: Mapping[str, Any]) -> bool:
    return bool(schema.get("x-kubernetes-preserve-unknown-fields"))


def _add_identity(result: dict[str, Any]) -> None:
    own = section(result, "properties")
    result["properties"] = {
        **own,
        "apiVersion": {"type": "string"},
        "kind": {"type": "string"},
        "metadata": _METADATA,
    }


def _add_null(result: dict[str, Any]) -> None:
    kind = result.get("type")
    if isinstance(kind, str):
        result["type"] = [kind, "null"]
    elif isinstance(kind, list):
        result["type"] = [*kind, "null"]
    if "enum" in result:
        result["enum"] = [*result["enum"], None]
