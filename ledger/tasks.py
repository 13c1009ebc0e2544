"""Doors of the ledger for the worker."""

from celery import shared_task
from django.utils import timezone

from ledger.services import tell_silence


@shared_task(expires=300)
def tell_silent_stores() -> int:
    """Tell of stores whose sensors have been silent too long."""
    return tell_silence(at=timezone.now())
