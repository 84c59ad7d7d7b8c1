"""Where people are told of what needs them: by event, team and tier."""

from __future__ import annotations

import dataclasses
import importlib.util
import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from generator.core.errors import UserError
from generator.redaction.secret import Secret

if TYPE_CHECKING:
    from apprise import Apprise


@dataclasses.dataclass(frozen=True, slots=True)
class Route:
    """One address, and what is sent to it; without events, teams or tiers: of all of them."""

    name: str
    url: Secret
    events: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()
    tiers: tuple[str, ...] = ()

    def wants(self, event: str, environments: Iterable[str], tiers: Mapping[str, str]) -> bool:
        """Whether it is told of an event of these environments, whose tiers are known or not.

        Of an environment whose tier is not known every tier is told, and of an event that is about
        no environment everybody: silence would be the worse mistake.
        """
        if self.events and event not in self.events:
            return False
        names = list(environments)
        return not names or any(self._concerns(name, tiers.get(name, "")) for name in names)

    def _concerns(self, name: str, tier: str) -> bool:
        team = name.rpartition("/")[0]
        of_team = not self.teams or team in self.teams
        return of_team and (not self.tiers or not tier or tier in self.tiers)


def client(url: Secret) -> Apprise | None:
    """What sends to an address; None where Apprise does not understand it.

    Apprise's own words are for nobody: they quote. What answers elsewhere has not taken a message.
    """
    import apprise

    logging.getLogger("apprise").disabled = True
    asset = apprise.AppriseAsset(app_id="gen-env", async_mode=False, http_redirects=False)
    found = apprise.Apprise(asset=asset)
    return found if found.add(url.text()) else None


def require(routes: Sequence[Route]) -> None:
    """Raises UserError where there are routes and nothing that could send, or an address is none;
    without routes it imports nothing.
    """
    if routes and importlib.util.find_spec("apprise") is None:
        raise UserError(
            "the settings have notifications, and Apprise is not installed",
            hint="pip install 'gen-env[notify]', or remove notifications",
        )
    if wrong := [route.name for route in routes if client(route.url) is None]:
        raise UserError(
            f"notifications: Apprise does not understand the url of {', '.join(wrong)}",
            hint="write it as Apprise does, such as slack://..., with what stands after it",
        )
