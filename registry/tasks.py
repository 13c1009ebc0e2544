"""Doors of the registry room for the worker."""

from celery import shared_task
from django.utils import timezone

from registry.services.reconciling import check_days as check


@shared_task(expires=3600)
def check_days() -> int:
    """Raise what does not add up in the days of the season, and what nobody closed by the day after."""
    return check(at=timezone.now())
