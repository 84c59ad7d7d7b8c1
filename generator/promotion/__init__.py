"""Promotion: what was proven in one environment moves to the next by pull request."""
