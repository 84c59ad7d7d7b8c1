"""Commands that get an environment back."""
