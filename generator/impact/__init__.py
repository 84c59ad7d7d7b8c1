"""What a change will do to what is running."""

from generator.impact.registry import find

__all__ = ["find"]
