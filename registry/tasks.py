"""Doors of the registry room for the worker."""

from typing import Any

from celery import shared_task
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.jobs.models import Job
from core.jobs.services import Progress, runner
from registry.services.cases import carry_out_waiting
from registry.services.importing import JOB_ADD, JOB_READ, run_adding, run_reading
from registry.services.reconciling import check_days as check


@shared_task(expires=3600)
def check_days() -> int:
    """Raise what does not add up in the days of the season, and what nobody closed by the day after."""
    return check(at=timezone.now())


@shared_task(expires=3600)
def carry_out_decisions() -> int:
    """Have court decisions take effect on goods that were missing when they were confirmed and are there again."""
    return carry_out_waiting(at=timezone.now())


@runner(JOB_READ, _("Reading a table file"))
def read_sheet(job: Job, progress: Progress) -> dict[str, Any]:
    return run_reading(job, progress)


@runner(JOB_ADD, _("Adding rows from a file"))
def add_sheet(job: Job, progress: Progress) -> dict[str, Any]:
    return run_adding(job, progress)
