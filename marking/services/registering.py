"""Registering long tables in the background: one transaction, as any registration."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from core.accounts.models import User
from core.base.errors import DomainError
from core.jobs.models import Job
from core.jobs.services import Progress, start_job
from marking.services.issue import register_and_mark
from marking.services.labels import LabelOrder
from registry.models import Intake

REGISTER_KIND = "marking.register"
LONG = 5_000  # rows that are registered in the background
MOST_NAMED = 20


def start_registering(
    *,
    actor: User,
    at: datetime,
    intake: Intake,
    explanation: str,
    confirm_band: bool,
    band_reason: str,
    version: int | None,
    mark: bool | None,
    order: LabelOrder | None,
) -> Job:
    """Register the table as it is now, in the background; what is refused, the job tells in its error."""
    return start_job(
        actor=actor,
        at=at,
        kind=REGISTER_KIND,
        params={
            "intake": intake.pk,
            "number": intake.number,
            "explanation": explanation,
            "confirm_band": confirm_band,
            "band_reason": band_reason,
            # What others write from now on is not what the person saw.
            "version": intake.version if version is None else version,
            "mark": mark,
            "order": asdict(order) if order else None,
        },
    )


def run_registering(job: Job, progress: Progress) -> dict[str, Any]:
    said = job.params
    intake = Intake.objects.visible_to(job.owner).get(pk=said["intake"])
    if intake.state == Intake.State.REGISTERED and intake.closed_by_id == job.owner_id:
        return {"count": intake.pieces}
    progress(0, intake.rows.count())
    try:
        done = register_and_mark(
            actor=job.owner,
            at=timezone.now(),
            intake=intake,
            explanation=said["explanation"],
            confirm_band=said["confirm_band"],
            band_reason=said.get("band_reason", ""),
            version=said["version"],
            mark=said["mark"],
            order=LabelOrder(**said["order"]) if said["order"] else None,
        )
    except DomainError as refusal:
        raise DomainError(" ".join([str(refusal.message), *refusal_by_rows(refusal)])) from refusal
    return {"count": done.count}


def refusal_by_rows(refusal: DomainError) -> list[str]:
    """What is wrong, cell by cell, with the row where it stands; the first twenty."""
    said = []
    for name, text in list(refusal.fields.items())[:MOST_NAMED]:
        part = name.split(".")
        is_row = len(part) == 3 and part[0] == "rows"
        said.append(_("Row %(row)s: %(reason)s") % {"row": part[1], "reason": text} if is_row else str(text))
    return list(dict.fromkeys(said))
