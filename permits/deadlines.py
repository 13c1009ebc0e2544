"""Counting working days: Monday to Friday. Public holidays are not left out, so a deadline errs on the early side."""

from datetime import date, timedelta

SATURDAY = 5


def working_day_after(day: date, count: int) -> date:
    """The day that lies `count` working days after `day`."""
    while count > 0:
        day += timedelta(days=1)
        count -= day.weekday() < SATURDAY
    return day
