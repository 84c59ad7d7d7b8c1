"""Every rule that gen-env and its service know, and the tables of docs/rules.md."""

import importlib
import itertools
import pkgutil

from generator.core.rule import Rule, registered
from tools.table import table


def modules():
    """Every module of both packages, imported; whatever declares a rule is among them."""
    for package in (importlib.import_module(name) for name in ("generator", "service")):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            yield importlib.import_module(found.name)


def everything() -> tuple[Rule, ...]:
    """Every rule, by id."""
    list(modules())
    return registered()


def of_validation(rules):
    """What `validate` and `check` find."""
    return [rule for rule in rules if rule.command in ("", "check")]


def of_impact(rules):
    """What a comparison says of a change."""
    return [rule for rule in rules if rule.area == "impact"]


def of_commands(rules):
    """What a single command, or the service, finds."""
    others = (*of_validation(rules), *of_impact(rules))
    return [rule for rule in rules if rule not in others]


def by_area(rules):
    """A heading and a table for each area."""
    groups = itertools.groupby(rules, key=lambda rule: rule.area)
    return "\n".join(f"### {area}\n\n{of_area(list(group))}" for area, group in groups)


def by_command(rules):
    """One table that names the command."""
    return table(
        ("rule", "command", "severity", "what", "why"),
        ((f"`{r.id}`", f"`{r.command}`", severity(r), r.title, r.why) for r in rules),
    )


def of_area(rules):
    """Rules of one area."""
    return table(
        ("rule", "severity", "what", "why", "source"),
        ((f"`{r.id}`", severity(r), r.title, r.why, r.source) for r in rules),
    )


def severity(rule):
    """`error (development: off); warning: it is marked to be kept`."""
    tiers = ", ".join(f"{tier or 'bare file'}: {level or 'off'}" for tier, level in rule.tiers)
    first = f"{rule.severity} ({tiers})" if tiers else str(rule.severity)
    return "; ".join([first, *(f"{level}: {when}" for level, when in rule.also)])
