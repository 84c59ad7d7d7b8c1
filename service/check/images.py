"""Images that a change newly names, looked up in the registries that the base allows."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection

from generator.actions.validate import NotDone
from generator.core.problem import Severity, ordered
from generator.core.rule import Rule
from generator.pipeline.image_look_up import MOST, Answer, look_up
from generator.redaction.text import redact
from service.check.assess import Findings

NOT_FOUND = Rule(
    "image/not-found",
    Severity.ERROR,
    "An image that its registry does not have",
    "Pods of the environment would wait for it (ImagePullBackOff). Only what a change newly names "
    "is looked up, in the registries of policy.registries.",
    "OCI distribution-spec 1.1",
    command="service",
)
_SHOWN = 200
FORK = "the change comes from a fork"


def judged(found: Findings, registries: Collection[str], *, fork: bool) -> Findings:
    """The findings with what the registries say, which are asked nothing for a fork."""
    named = sorted({image for item in found.report.environments for image in item.images})
    if not registries or not named:
        return found
    answers = (
        {image: Answer(image, None, FORK) for image in named}
        if fork
        else {answer.image: answer for answer in look_up(named, registries)}
    )
    environments = []
    for item in found.report.environments:
        missing = [image for image in item.images if answers[image].there is False]
        problems = [
            NOT_FOUND.problem(
                f"image '{_shown(image)}' not found in its registry",
                environment=item.name,
                hint="push it, then check again (/gen-env check), or name one that is there",
            )
            for image in missing
        ]
        every = ordered((*item.problems, *problems)) if problems else item.problems
        environments.append(dataclasses.replace(item, problems=every))
    not_done = list(found.not_done)
    # One note for each of the first images, and one for the rest of them.
    for index, answer in enumerate(item for item in answers.values() if item.there is None):
        one = f"image '{_shown(answer.image)}' in its registry"
        check = one if index < MOST else "further images in their registries"
        not_done.append(NotDone("", check, redact(answer.reason)))
    report = dataclasses.replace(found.report, environments=tuple(environments))
    return dataclasses.replace(found, report=report, not_done=tuple(not_done))


def _shown(image: str) -> str:
    return redact(image if len(image) <= _SHOWN else f"{image[:_SHOWN]}...")
