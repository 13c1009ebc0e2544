"""Housekeeping of the accounts room."""

from datetime import timedelta

from celery import shared_task
from django.contrib.sessions.models import Session
from django.utils import timezone

from core.accounts.models import ApiRequest

REMEMBERED = timedelta(days=30)


@shared_task
def forget_old_requests() -> None:
    """Drop answers kept for Idempotency-Keys after 30 days, and sessions that have ended."""
    now = timezone.now()
    ApiRequest.objects.filter(at__lt=now - REMEMBERED).delete()
    Session.objects.filter(expire_date__lt=now).delete()
