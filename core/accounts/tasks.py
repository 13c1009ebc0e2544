"""Housekeeping of the accounts room."""

from datetime import timedelta

from celery import shared_task
from django.contrib.sessions.models import Session
from django.utils import timezone

from core.accounts.letters import write_letters_of_hand, write_letters_of_request
from core.accounts.models import ApiRequest

REMEMBERED = timedelta(days=30)


@shared_task
def forget_old_requests() -> None:
    """Drop answers kept for Idempotency-Keys after 30 days, and sessions that have ended."""
    now = timezone.now()
    ApiRequest.objects.filter(at__lt=now - REMEMBERED).delete()
    Session.objects.filter(expire_date__lt=now).delete()


@shared_task
def write_of_hand(what: str, actor: int, person: int, address: str) -> None:
    """Write to the person whose account somebody else took in hand, and to the other administrators."""
    write_letters_of_hand(what, actor=actor, person=person, address=address, at=timezone.now())


@shared_task
def write_of_request(request: int) -> None:
    """Write to those who may confirm a role that was asked for."""
    write_letters_of_request(request, at=timezone.now())
