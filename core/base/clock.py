"""Days of the register are days of Almaty, wherever a server or a reader is."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

ALMATY = ZoneInfo("Asia/Almaty")


def day_of(at: datetime) -> date:
    """The calendar day of a moment in Kazakhstan."""
    return at.astimezone(ALMATY).date()
