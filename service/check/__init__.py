"""The check of one pull request: fetched, regenerated, validated, rendered, explained."""
