"""What happens after a check: gates, verification, the proposals that follow from it."""
