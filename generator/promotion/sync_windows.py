"""When sync windows deny, and until when: the same arithmetic that Argo CD uses."""

from __future__ import annotations

import zoneinfo
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from generator.model.base import seconds_of
from generator.model.sync import Window

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
    deny = [window for window in windows if window.kind == "deny"]
    while ends := list(_ends(deny, moment)):
        moment = max(ends)
        if moment - now > _FOREVER:
            return datetime.max.replace(tzinfo=UTC)
    return moment if moment > now else None


def _ends(windows: Sequence[Window], moment: datetime) -> Iterator[datetime]:
    for window in windows:
        end = _end(window, moment)
        if end is not None and end > moment:
            yield end


def _end(window: Window, moment: datetime) -> datetime | None:
    """The end of the latest run of this window that has begun at `moment`.

    On the wall clock of its zone, without regard to a change of summer time inside the window, as
    Argo CD reckons (SyncWindows.active, pkg/apis/application/v1alpha1/types.go): 60 hours from
    Friday 18:00 end on Monday at 06:00 on every weekend of the year.
    """
    zone = _zone(window)
    wall = moment.astimezone(zone).replace(tzinfo=None)
    duration = timedelta(seconds=seconds_of(window.duration))
    start = _latest_start(window.schedule, wall)
    if start is None or start + duration <= wall:
        return None
    # An end in an hour that occurs twice, or never: the later reading, so that none is too early.
    end = (start + duration).replace(tzinfo=zone)
    return max(end.replace(fold=fold).astimezone(UTC) for fold in (0, 1))


def _zone(window: Window) -> zoneinfo.ZoneInfo:
    try:
        return zoneinfo.ZoneInfo(window.time_zone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise WindowError(f"unknown time zone '{window.time_zone}'") from None


def _latest_start(schedule: str, wall: datetime) -> datetime | None:
    from croniter import CroniterBadDateError, CroniterError, croniter

    if len(schedule.split()) != _FIELDS or not croniter.is_valid(schedule):
        raise WindowError(f"'{schedule}' is not a cron expression with five fields")
    try:
        # A start at this very moment counts: croniter looks strictly before.
        start = croniter(schedule, wall + timedelta(seconds=1)).get_prev(datetime)
    except CroniterBadDateError:
        return None
    except CroniterError as error:
        raise WindowError(f"'{schedule}': {error}") from None
    return start
