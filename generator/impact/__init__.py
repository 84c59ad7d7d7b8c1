"""What a change will do to what is running."""

from generator.impact.rules import find

__all__ = ["find"]
