"""Doors of the permits room for the worker."""

from celery import shared_task
from django.utils import timezone

from ledger.services import tell_late
from permits.services import expire_permits


@shared_task(expires=3600)
def end_outlived_permits() -> int:
    """End permits whose last day has passed, so that their items are free again."""
    return expire_permits(at=timezone.now())


@shared_task(expires=600)
def tell_late_handovers() -> int:
    """Alert both sides, once, about goods that should have arrived."""
    return tell_late(at=timezone.now())
