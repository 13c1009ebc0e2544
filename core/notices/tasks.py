"""What the worker does for this room."""

from celery import shared_task
from django.utils import timezone

from core.notices.accounts import tell_last_terms
from core.notices.letters import write_daily, write_to_responsible
from core.notices.services import escalate_overdue


@shared_task
def write_about(notices: list[int]) -> None:
    """Write to those whom these notices concern, at most one letter a day each."""
    write_to_responsible(notices, at=timezone.now())


@shared_task
def escalate_notices() -> None:
    """Tell the authority of what is overdue."""
    escalate_overdue(at=timezone.now())


@shared_task
def tell_terms_that_end() -> None:
    """Tell the authority before there are not two left who give roles."""
    tell_last_terms(at=timezone.now())


@shared_task
def write_letters() -> None:
    """The morning's letters."""
    write_daily(at=timezone.now())
