"""Table files: what they say, found before anything is written, and their rows on the table; large ones by a job."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.core.files.base import File
from django.utils import timezone

from core.accounts.models import User
from core.documents.models import Document
from core.documents.services import keep_document
from core.jobs.models import Job
from core.jobs.services import Progress, start_job
from registry.importing import FileRefused, Problem, Sheet, Tell, read_sheet
from registry.models import Intake, IntakeSheet
from registry.selectors import Plausibility, Tally, can_work_on, plausibility
from registry.services.table import add_sheet_rows
from registry.wording import column_in_words, problem_in_words, refusal_in_words

JOB_READ, JOB_ADD = "registry.read_sheet", "registry.add_sheet"
LARGE = 512 * 1024  # bytes: a file that is read in the background
MOST_SHOWN = 500  # bad cells that a page or an answer names; the table to download has them all


def keep_sheet(*, actor: User, at: datetime, name: str, content: bytes | File) -> Document:
    """The file as it was given."""
    return keep_document(
        actor=actor, at=at, kind=Document.Kind.SHEET, name=name, content=content, media_type="text/csv"
    )


def read_kept(document: Document, term: str, *, tell: Tell = lambda _done, _of: None) -> Sheet:
    """All rows and problems of a kept file. Raises FileRefused."""
    with document.file.open("rb") as file:
        return read_sheet(file.read(), term, tell=tell)


def findings(sheet: Sheet, intake: Intake) -> dict[str, Any]:
    """What a file says, as JSON: the tally of its good rows, its bad ones with their reasons, columns not read."""
    rules = plausibility(intake.on, intake.term)
    bad = sheet.bad_lines
    return {
        "good": asdict(_tally(sheet, rules)),
        "bad": len(bad),
        "bad_cells": len(sheet.problems),
        "ignored": sheet.ignored_columns,
        "problems": [list(told) for told in problems_in_words(sheet.problems[:MOST_SHOWN], intake.term)],
    }


def problems_in_words(problems: Sequence[Problem], term: str) -> list[tuple[int, str, str, str]]:
    """Line, column, what stands there, why it is not taken."""
    return [
        (problem.line, column_in_words(problem.column, term), problem.value, problem_in_words(problem, term))
        for problem in problems
    ]


def _tally(sheet: Sheet, rules: Plausibility) -> Tally:
    return Tally(
        pieces=len(sheet.rows),
        grams=sum(row.mass_g for row in sheet.rows),
        left=sum(row.side == "L" for row in sheet.rows),
        right=sum(row.side == "R" for row in sheet.rows),
        outside=sum(rules.is_outside(row) for row in sheet.rows) if rules.bands else 0,
    )


def start_reading(*, actor: User, at: datetime, intake: Intake, document: Document) -> Job:
    """Find out in the background what a large file says."""
    return start_job(actor=actor, at=at, kind=JOB_READ, params={"intake": intake.pk, "document": str(document.pk)})


def start_adding(*, actor: User, at: datetime, intake: Intake, document: Document, only_good: bool) -> Job:
    """Add the rows of a kept file in the background: all of them, or with `only_good` those that can be taken."""
    params = {"intake": intake.pk, "document": str(document.pk), "only_good": only_good}
    return start_job(actor=actor, at=at, kind=JOB_ADD, params=params)


def run_reading(job: Job, progress: Progress) -> dict[str, Any]:
    intake, document = _meant(job)
    try:
        sheet = read_kept(document, intake.term, tell=progress)
    except FileRefused as refusal:
        return {"refused": refusal_in_words(refusal)}
    return findings(sheet, intake)


def run_adding(job: Job, progress: Progress) -> dict[str, Any]:
    """Nothing is added when one row is bad, unless only the good ones are wished. Safe to run again."""
    intake, document = _meant(job)
    earlier = IntakeSheet.objects.filter(document=document, intake=intake).first()
    if earlier is not None:
        return {"added": earlier.rows_added, "bad": earlier.rows_refused}
    try:
        sheet = read_kept(document, intake.term, tell=progress)
    except FileRefused as refusal:
        return {"refused": refusal_in_words(refusal), "added": 0}
    if sheet.problems and not job.params["only_good"]:
        return {**findings(sheet, intake), "added": 0}
    added = len(sheet.rows)
    add_sheet_rows(
        actor=job.owner,
        at=timezone.now(),
        intake=intake,
        document=document,
        rows=sheet.rows,
        rows_refused=len(sheet.bad_lines),
    )
    return {"added": added, "bad": len(sheet.bad_lines)}


def _meant(job: Job) -> tuple[Intake, Document]:
    """The intake and the file of a job; its owner may have lost the right meanwhile, and then sees nothing."""
    intake = Intake.objects.visible_to(job.owner).get(pk=job.params["intake"])
    if not can_work_on(job.owner, intake):
        raise Intake.DoesNotExist
    return intake, Document.objects.get(pk=job.params["document"], uploaded_by=job.owner)
