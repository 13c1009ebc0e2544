"""Jobs made for the tests; a real worker loads them by `celery worker --include tests.jobs.slow`."""

import os
import time
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils import timezone

from core.documents.models import Document
from core.documents.services import keep_document
from core.jobs.models import Job
from core.jobs.services import Progress, runner

SLOW = "tests.slow"
QUICK = "tests.quick"


@runner(SLOW, "A slow test")
def write_slowly(job: Job, progress: Progress) -> dict[str, Any]:
    """Count to `steps`, `pause` seconds each, then keep one document. Notes which process it runs in."""
    steps: int = job.params["steps"]
    with Path(job.params["note"]).open("a") as note:
        note.write(f"{os.getpid()}\n")
    for step in range(steps):
        progress(step, steps, "counting")
        time.sleep(job.params["pause"])
    with transaction.atomic():
        progress.hold()
        paper = keep_document(
            actor=job.owner, at=timezone.now(), kind=Document.Kind.REPORT, name="count.csv", content=b"1;2;3"
        )
    return {"documents": [{"id": str(paper.pk), "name": paper.name}], "steps": steps}


@runner(QUICK, "A quick test")
def do_quickly(job: Job, progress: Progress) -> dict[str, Any]:
    progress(1, 2)
    return {"seen": job.params}
