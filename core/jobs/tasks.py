"""Doors of the job room for the worker."""

import uuid

from celery import shared_task
from django.utils import timezone

from core.jobs.services import execute_job, ring_again


@shared_task
def run_job(job_id: str) -> None:
    execute_job(uuid.UUID(job_id))


@shared_task(expires=10)
def sweep_jobs() -> None:
    """Ring again for jobs that the broker or a dead worker forgot; a double ring does no harm."""
    for job_id in ring_again(at=timezone.now()):
        run_job.delay(str(job_id))
