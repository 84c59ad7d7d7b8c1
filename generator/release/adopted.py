"""An adopted environment: its definition's own words, and defaults only with the steps taken."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from typing import Any

import pydantic

from generator.core.problem import Problem, Severity
from generator.core.rule import Rule
from generator.definition.definition import Definition, faults
from generator.definition.resolve import Resolved
from generator.model.environment import Environment
from generator.release.setting import copied
from generator.yaml.scalars import as_helm

DEFAULTS = Rule(
    "adoption/defaults",
    Severity.ERROR,
    "An adopted environment that depends on defaults",
    "What runs would change without a decision.",
)
FOREIGN_NAME = Rule(
    "policy/foreign-name",
    Severity.ERROR,
    "The name of an Application or AppProject that gen-env.yaml does not allow",
    "A definition could take over an object of another owner.",
    "Argo CD",
)

# What a step takes from the defaults beside chart values.
_WITH_STEP: dict[str, tuple[str, ...]] = {
    "network": ("network_policy",),
    "namespace": ("quota", "limits", "namespace_labels"),
    "secrets": ("secrets",),
    "rest": ("metrics", "sync"),
}

# Findings that stop an adopted environment too; the others describe what was there before.
_FIRM = (
    *("chart/", "kubernetes/", "crd/", "definition/", "policy/", "values/", "adoption/"),
    *(f"render/{kind}" for kind in ("request", "chart", "template", "yaml", "limit")),
)


def softened(problems: Iterable[Problem], environment: Environment) -> list[Problem]:
    """The findings on a release; on an adopted one what hardening will mend is a warning."""
    return [
        item
        if environment.adoption is None
        or item.severity is not Severity.ERROR
        or item.rule.startswith(_FIRM)
        else dataclasses.replace(item, severity=Severity.WARNING)
        for item in problems
    ]


def written(definition: Definition) -> Callable[[str], bool]:
    """Whether the definition itself, not a default, says something about a dotted field."""

    def says(field: str) -> bool:
        parts = field.split(".")
        if field.startswith("airflow.config."):
            parts = ["airflow", "config", *field.split(".", 3)[2:]]
        return definition.part(*parts) is not None

    return says


def own_data(definition: Definition) -> dict[str, Any]:
    """The definition's own words as data, `values` as Helm reads them."""
    data: dict[str, Any] = copied(definition.data)
    data["values"], _ = as_helm(definition.data.get("values") or {})
    return data


def narrowed(resolved: Resolved) -> tuple[Resolved | None, tuple[Problem, ...]]:
    """The same environment as if there were no defaults but those of the steps taken.

    Without the step `secrets` the Secrets are those that exist, unless the definition says
    otherwise. A definition that cannot do without defaults is a problem.
    """
    data = own_data(resolved.definition)
    try:
        own = Environment.model_validate(data)
    except pydantic.ValidationError as error:
        return None, tuple(
            resolved.problem(
                DEFAULTS,
                f"{message}; an adopted environment takes nothing from defaults",
                *place,
                hint=hint,
            )
            for place, message, hint in faults(error, data, Environment)
        )
    full, adoption = resolved.environment, own.adoption
    if adoption is None:
        return None, (_by_default(resolved),)
    changes: dict[str, Any] = {"engine": full.engine} | {
        field: getattr(full, field) for step in adoption.steps for field in _WITH_STEP.get(step, ())
    }
    if "secrets" not in adoption.steps and not written(resolved.definition)("secrets.provider"):
        changes["secrets"] = own.secrets.model_copy(update={"provider": "existing"})
    narrow: Environment = own.model_copy(update=changes)
    return dataclasses.replace(resolved, environment=narrow), ()


def _by_default(resolved: Resolved) -> Problem:
    return resolved.problem(
        DEFAULTS,
        "adoption is a fact about one environment and cannot come from defaults",
        "adoption",
        hint="write it into the definition of the environment that was adopted",
    )


def foreign_names(resolved: Resolved) -> tuple[Problem, ...]:
    """Names of Argo CD objects that gen-env did not choose: gen-env.yaml must allow them.

    A project bounds what an environment may do, and an Application of another's name would
    replace that: neither may be a definition's own choice.
    """
    destination = resolved.environment.destination
    allowed = resolved.settings.repository.argocd.adopted
    found = []
    for field, name, names in (
        ("application", destination.application, allowed.applications),
        ("project", destination.project, allowed.projects),
    ):
        if name is not None and name not in names:
            found.append(
                resolved.problem(
                    FOREIGN_NAME,
                    f"destination.{field} '{name}' is not among argocd.adopted.{field}s",
                    "destination",
                    field,
                    hint=f"add it below argocd.adopted.{field}s in gen-env.yaml, and merge that"
                    " first",
                )
            )
    return tuple(found)
