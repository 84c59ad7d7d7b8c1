"""When sync windows deny, and until when: the same arithmetic that Argo CD uses."""

from __future__ import annotations

import contextlib
import dataclasses
import zoneinfo
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from generator.model.base import seconds_of
from generator.model.sync import Window

if TYPE_CHECKING:
    from croniter import croniter

_FOREVER = timedelta(days=366)
_FIELDS = 5


class WindowError(ValueError):
    """A window that cannot be read; the message says why."""


def frozen_until(windows: Sequence[Window], now: datetime) -> datetime | None:
    """The end of the freeze that holds at `now` (aware), in UTC; None when nothing denies.

    Windows that begin before another ends count as one freeze; one that lasts for more than a year
    has no end, and is datetime.max. Raises WindowError for a schedule or zone that is none.
    """
    moment = now.astimezone(UTC)
    deny = [_Denial.of(window) for window in windows if window.kind == "deny"]
    while ends := [end for denial in deny if (end := denial.end(moment)) and end > moment]:
        moment = max(ends)
        if moment - now > _FOREVER:
            return datetime.max.replace(tzinfo=UTC)
    return moment if moment > now else None


@dataclasses.dataclass(frozen=True)
class _Denial:
    """A window that denies, its schedule parsed once: a year of hourly runs asks for each."""

    schedule: str
    runs: croniter
    zone: zoneinfo.ZoneInfo
    duration: timedelta

    @classmethod
    def of(cls, window: Window) -> _Denial:
        return cls(
            window.schedule,
            _runs(window.schedule),
            _zone(window),
            timedelta(seconds=seconds_of(window.duration)),
        )

    def end(self, moment: datetime) -> datetime | None:
        """The end of the latest run of this window that has begun at `moment`.

        On the wall clock of its zone, without regard to a change of summer time inside the window,
        as Argo CD reckons (SyncWindows.active, pkg/apis/application/v1alpha1/types.go): 60 hours
        from Friday 18:00 end on Monday at 06:00 on every weekend of the year.
        """
        wall = moment.astimezone(self.zone).replace(tzinfo=None)
        start = self._latest_start(wall)
        if start is None or start + self.duration <= wall:
            return None
        # An end in an hour that occurs twice, or never: the later reading, so none is too early.
        end = (start + self.duration).replace(tzinfo=self.zone)
        return max(end.replace(fold=fold).astimezone(UTC) for fold in (0, 1))

    def _latest_start(self, wall: datetime) -> datetime | None:
        from croniter import CroniterBadDateError, CroniterError

        try:
            # A start at this very moment counts: croniter looks strictly before.
            self.runs.set_current(wall + timedelta(seconds=1), force=True)
            start: datetime = self.runs.get_prev(datetime)
        except CroniterBadDateError:
            return None
        except CroniterError as error:
            raise WindowError(f"'{self.schedule}': {error}") from None
        return start


def _zone(window: Window) -> zoneinfo.ZoneInfo:
    try:
        return zoneinfo.ZoneInfo(window.time_zone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise WindowError(f"unknown time zone '{window.time_zone}'") from None


def _runs(schedule: str) -> croniter:
    from croniter import CroniterError, croniter

    if len(schedule.split()) == _FIELDS:
        with contextlib.suppress(CroniterError):
            return croniter(schedule)
    raise WindowError(f"'{schedule}' is not a cron expression with five fields")
