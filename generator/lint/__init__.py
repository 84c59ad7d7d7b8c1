"""Checks: pure functions over values and rendered objects; each finding is a `Problem`."""
