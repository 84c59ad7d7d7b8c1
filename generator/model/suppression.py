"""Findings that a definition accepts."""

import pydantic

from generator.model.base import Line, Spec


class Suppression(Spec):
    """One finding that is accepted, for a reason and for a time."""

    rule: Line
    """Rule id, or a pattern such as metrics/*."""
    reason: Line
    """Why it is accepted, for those who read it later."""
    expires: Line
    """Last day, as YYYY-MM-DD."""

    @pydantic.field_validator("expires")
    @classmethod
    def _day(cls, value: str) -> str:
        import datetime

        try:
            return datetime.date.fromisoformat(value).isoformat()
        except ValueError:
            raise ValueError("not a day such as 2027-03-31") from None
