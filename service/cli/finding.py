"""What the doctor found: one thing each."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from generator.core.errors import UserError


@dataclasses.dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; without a problem it is fine."""

    subject: str
    problem: str = ""
    hint: str = ""


def tried(subject: str, look: Callable[[], object]) -> Finding:
    """Fine unless looking raises a UserError, which says what is wrong and what to do."""
    try:
        look()
    except UserError as error:
        return Finding(subject, error.message, error.hint)
    except OSError as error:
        return Finding(subject, f"{error.filename or subject}: {error.strerror}")
    return Finding(subject)
