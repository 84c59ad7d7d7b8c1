from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.model.sync import Window
from generator.promotion.sync_windows import WindowError, frozen_until

BERLIN = ZoneInfo("Europe/Berlin")
WEEKEND = Window(kind="deny", schedule="0 18 * * 5", duration="60h", timeZone="Europe/Berlin")
NIGHT = Window(kind="deny", schedule="30 23 * * *", duration="2h", timeZone="Europe/Berlin")
HALF_PAST_TWO = Window(kind="deny", schedule="30 2 * * *", duration="1h", timeZone="Europe/Berlin")


def berlin(*parts, fold=0):
    return datetime(*parts, tzinfo=BERLIN, fold=fold)


@pytest.mark.parametrize(
    ("window", "now", "until"),
    [
        (WEEKEND, berlin(2026, 5, 29, 17, 59), None),
        (WEEKEND, berlin(2026, 5, 29, 18, 0), berlin(2026, 6, 1, 6, 0)),
        (WEEKEND, berlin(2026, 6, 1, 5, 59), berlin(2026, 6, 1, 6, 0)),
        (WEEKEND, berlin(2026, 6, 1, 6, 0), None),
        # The clock goes forward on the Sunday in between, and back: the wall clock decides.
        (WEEKEND, berlin(2026, 3, 28, 12, 0), berlin(2026, 3, 30, 6, 0)),
        (WEEKEND, berlin(2026, 3, 30, 5, 59), berlin(2026, 3, 30, 6, 0)),
        (WEEKEND, berlin(2026, 10, 26, 5, 59), berlin(2026, 10, 26, 6, 0)),
        (WEEKEND, berlin(2026, 10, 26, 6, 0), None),
        # Across midnight, and across the new year.
        (NIGHT, berlin(2026, 6, 2, 23, 29), None),
        (NIGHT, berlin(2026, 6, 2, 23, 30), berlin(2026, 6, 3, 1, 30)),
        (NIGHT, berlin(2026, 6, 3, 0, 10), berlin(2026, 6, 3, 1, 30)),
        (NIGHT, berlin(2026, 1, 1, 0, 10), berlin(2026, 1, 1, 1, 30)),
        (NIGHT, berlin(2026, 6, 3, 1, 30), None),
        # 02:30 does not exist on this day, but what would have begun there ends at 03:30.
        (HALF_PAST_TWO, berlin(2026, 3, 29, 3, 10), berlin(2026, 3, 29, 3, 30)),
        (HALF_PAST_TWO, berlin(2026, 3, 29, 3, 30), None),
        # 02:40 exists twice: both are inside, and the window does not end before 03:30.
        (HALF_PAST_TWO, berlin(2026, 10, 25, 2, 40), berlin(2026, 10, 25, 3, 30)),
        (HALF_PAST_TWO, berlin(2026, 10, 25, 2, 40, fold=1), berlin(2026, 10, 25, 3, 30)),
    ],
)
def test_a_window_denies_by_the_wall_clock_of_its_zone(window, now, until):
    assert frozen_until([window], now) == (until.astimezone(UTC) if until else None)


def test_a_window_that_ends_in_the_hour_that_is_skipped_does_not_end_early():
    window = Window(kind="deny", schedule="0 1 * * *", duration="90m", timeZone="Europe/Berlin")
    assert frozen_until([window], berlin(2026, 3, 29, 1, 45)) is not None


def test_the_place_of_the_reader_does_not_matter():
    now = berlin(2026, 5, 30, 12, 0)
    elsewhere = now.astimezone(ZoneInfo("Pacific/Auckland"))
    assert frozen_until([WEEKEND], now) == frozen_until([WEEKEND], elsewhere)


def test_windows_that_meet_are_one_freeze():
    monday = Window(kind="deny", schedule="0 6 * * 1", duration="3h", timeZone="Europe/Berlin")
    end = frozen_until([WEEKEND, monday], berlin(2026, 5, 30, 12, 0))
    assert end == berlin(2026, 6, 1, 9, 0)


def test_windows_that_never_stop_have_no_end():
    always = Window(kind="deny", schedule="* * * * *", duration="24h")
    end = frozen_until([always], datetime(2026, 6, 1, tzinfo=UTC))
    assert end is not None
    assert end.year == datetime.max.year


def test_a_window_that_allows_freezes_nothing():
    allow = Window(kind="allow", schedule="* * * * *", duration="24h")
    assert frozen_until([allow], datetime(2026, 6, 1, tzinfo=UTC)) is None


def test_a_day_that_never_comes_never_freezes():
    never = Window(kind="deny", schedule="0 0 30 2 *", duration="24h")
    assert frozen_until([never], datetime(2026, 6, 1, tzinfo=UTC)) is None


@pytest.mark.parametrize(
    ("schedule", "zone", "word"),
    [
        ("soon", "UTC", "soon"),
        ("61 * * * *", "UTC", "61"),
        ("0 0 * * * *", "UTC", "five fields"),
        ("@daily", "UTC", "@daily"),
        ("0 0 * * *", "Europe/Atlantis", "Atlantis"),
        ("0 0 * * *", "../../etc/passwd", "passwd"),
    ],
)
def test_what_cannot_be_read_is_named(schedule, zone, word):
    window = Window(kind="deny", schedule=schedule, duration="1h", timeZone=zone)
    with pytest.raises(WindowError, match=word):
        frozen_until([window], datetime(2026, 6, 1, tzinfo=UTC))


@given(
    moment=st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC)),
    hour=st.integers(0, 23),
    length=st.integers(1, 40),
    zone=st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC"]),
)
def test_a_freeze_lasts_to_its_end_and_is_over_then(moment, hour, length, zone):
    window = Window(kind="deny", schedule=f"15 {hour} * * 3", duration=f"{length}h", timeZone=zone)
    until = frozen_until([window], moment)
    if until is None:
        return
    assert moment < until <= moment + timedelta(hours=length + 2)
    assert frozen_until([window], until) is None
