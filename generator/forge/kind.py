"""The forges that gen-env knows."""

from __future__ import annotations

import enum


class ForgeKind(enum.StrEnum):
    """The forges that there is an adapter for; Forgejo speaks Gitea's language."""

    GITHUB = "github"
    GITLAB = "gitlab"
    GITEA = "gitea"
