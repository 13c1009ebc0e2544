"""Label runs: drawn in parts, read back before release, stopped by the label that fails, safe to run again."""

import io
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.utils import translation
from pypdf import PdfReader

from core.accounts.models import User
from core.audit.models import Event
from core.base.errors import BadInput, InvalidTransition
from core.jobs.models import Job
from core.jobs.services import Progress, cancel_job, execute_job
from marking.codes import group
from marking.labels import PROFILES, Print, render_page
from marking.labels.reading import read_symbols
from marking.models import LabelPart, LabelRun, Mark
from marking.selectors import Verdict, check_text
from marking.services import labels
from marking.services.labels import LabelOrder, PrintedBefore, make_labels, parts_of, print_labels
from registry.models import Intake

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _run_jobs_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """No worker is rung for: the tests run jobs where they want them to run."""
    monkeypatch.setattr("core.jobs.services.after_commit", lambda *args: None)


def order_labels(intake: Intake, actor: User, at: datetime, **chosen: Any) -> LabelRun:
    return print_labels(actor=actor, at=at, intake=intake, order=LabelOrder(**{"profile": "a4-65"} | chosen))


def read_document(part: LabelPart) -> bytes:
    with part.document.file.open("rb") as file:
        return file.read()


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("language", ["kk", "ru", "en"])
def test_it_prints_marks_that_the_public_check_calls_genuine(
    marks: list[Mark], open_intake: Intake, inspector: User, now: datetime, profile: str, language: str
) -> None:
    run = order_labels(open_intake, inspector, now, profile=profile, language=language)

    execute_job(run.job_id)

    run.job.refresh_from_db()
    assert (run.job.state, run.job.done, run.job.total) == (Job.State.DONE, 6, 6)
    (part,) = run.parts.all()
    assert (part.labels, part.read_back) == (6, 6 if PROFILES[profile].per_page > 1 else 3)
    assert run.job.result == {"documents": [{"id": str(part.document_id), "name": part.document.name}]}
    pdf = read_document(part)
    read = [text for page in range(part.pages) for text in read_symbols(render_page(pdf, page, dpi=300))]
    answers = [check_text(text, own_hosts=["saiga.gov.kz"]) for text in read]
    assert {answer.code for answer in answers} == {mark.code for mark in marks}
    assert {answer.verdict for answer in answers} == {Verdict.GENUINE}
    assert all(answer.signed for answer in answers)
    text = "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages)
    for mark in marks:
        assert group(mark.code) in text
        assert mark.item.number in text
    with translation.override(language):
        assert str(labels.words.THINGS["HOR"]) in text


def test_it_writes_orders_and_prints_into_the_journal(
    marks: list[Mark], open_intake: Intake, inspector: User, now: datetime
) -> None:
    run = order_labels(open_intake, inspector, now)
    execute_job(run.job_id)

    ordered = Event.objects.get(verb="labels.ordered")
    printed = Event.objects.get(verb="labels.printed")
    assert (ordered.subject_kind, ordered.subject_id) == ("intake", str(open_intake.pk))
    assert (printed.subject_kind, printed.subject_id) == ("label_run", str(run.pk))


def test_nobody_prints_again_alone(marks: list[Mark], open_intake: Intake, inspector: User, now: datetime) -> None:
    order_labels(open_intake, inspector, now)

    with pytest.raises(PrintedBefore):
        order_labels(open_intake, inspector, now, reason="The printer jammed")


def test_a_cancelled_order_needs_no_reason_to_be_given_again(
    marks: list[Mark], open_intake: Intake, inspector: User, now: datetime
) -> None:
    first = order_labels(open_intake, inspector, now)
    cancel_job(actor=inspector, at=now, job=first.job)

    execute_job(first.job_id)
    order_labels(open_intake, inspector, now)

    assert not first.parts.exists()


@pytest.mark.parametrize(
    "wrong",
    [{"profile": "a5"}, {"dpi": 100}, {"start": 0}, {"start": 66}, {"language": "zh"}],
    ids=lambda wrong: next(iter(wrong)),
)
def test_it_refuses_an_order_that_cannot_be_printed(
    marks: list[Mark], open_intake: Intake, inspector: User, now: datetime, wrong: dict[str, Any]
) -> None:
    with pytest.raises(BadInput) as caught:
        order_labels(open_intake, inspector, now, **wrong)

    assert set(caught.value.fields) == set(wrong)
    assert not LabelRun.objects.exists()
    assert not Job.objects.exists()


def test_it_prints_registered_horns_only(open_intake: Intake, inspector: User, now: datetime) -> None:
    with pytest.raises(InvalidTransition):
        order_labels(open_intake, inspector, now)


def test_it_draws_in_parts_that_end_with_full_sheets(
    marks: list[Mark], open_intake: Intake, inspector: User, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(labels, "PART_LABELS", 2)
    run = order_labels(open_intake, inspector, now, profile="roll-50x25")

    execute_job(run.job_id)

    parts = list(run.parts.select_related("document"))
    assert [(part.part, part.labels, part.pages) for part in parts] == [(1, 2, 2), (2, 2, 2), (3, 2, 2)]
    assert len({part.document.name for part in parts}) == 3
    run.job.refresh_from_db()
    assert [document["id"] for document in run.job.result["documents"]] == [str(p.document_id) for p in parts]


@pytest.mark.parametrize(("profile", "start"), [("a4-65", 1), ("a4-65", 40), ("a4-21", 21), ("roll-50x25", 1)])
@pytest.mark.parametrize("count", [1, 4_960, 12_345])
def test_parts_hold_every_label_once(profile: str, start: int, count: int) -> None:
    stock = PROFILES[profile]

    parts = parts_of(stock, count, start)

    assert [part.first for part in parts] == [0, *[part.last for part in parts[:-1]]]
    assert parts[-1].last == count
    assert [part.number for part in parts] == list(range(1, len(parts) + 1))
    assert [part.start for part in parts] == [start, *[1] * (len(parts) - 1)]
    assert all((part.last + start - 1) % stock.per_page == 0 for part in parts[:-1])
    assert all(0 < part.last - part.first <= labels.PART_LABELS for part in parts)


@pytest.mark.parametrize("form", ["pdf", "zpl", "png"])
def test_a_label_that_fails_stops_the_run_and_names_itself(
    marks: list[Mark], open_intake: Intake, inspector: User, now: datetime, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    monkeypatch.setattr(labels, "PART_LABELS", 2)
    real = labels.make_labels

    def spoil(*given: Any, **more: Any) -> list[Any]:
        spoilt = group(marks[3].code)
        return [replace(one, term="角") if one.code == spoilt else one for one in real(*given, **more)]

    monkeypatch.setattr(labels, "make_labels", spoil)
    run = order_labels(open_intake, inspector, now, profile="roll-50x25", form=form)

    execute_job(run.job_id)

    run.job.refresh_from_db()
    assert run.job.state == Job.State.FAILED
    assert marks[3].item.number in run.job.error
    assert [part.part for part in run.parts.all()] == [1]
    assert not Event.objects.filter(verb="labels.printed").exists()


@pytest.mark.parametrize("form", ["pdf", "zpl", "png"])
def test_a_run_whose_worker_died_goes_on_where_it_stopped(
    marks: list[Mark], open_intake: Intake, inspector: User, now: datetime, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    monkeypatch.setattr(labels, "PART_LABELS", 2)
    run = order_labels(open_intake, inspector, now, profile="roll-50x25", form=form)
    real = labels._draw_part
    drawn: list[int] = []

    def die(*args: Any, **kwargs: Any) -> Any:
        if len(drawn) == 2:
            raise SystemExit
        drawn.append(1)
        return real(*args, **kwargs)

    monkeypatch.setattr(labels, "_draw_part", die)
    with pytest.raises(SystemExit):
        execute_job(run.job_id)
    first_two = list(run.parts.values_list("document", flat=True))
    assert len(first_two) == 2

    monkeypatch.setattr(labels, "_draw_part", real)
    Job.objects.filter(pk=run.job_id).update(heartbeat_at=now)
    execute_job(run.job_id)

    run.job.refresh_from_db()
    assert run.job.state == Job.State.DONE
    assert list(run.parts.values_list("document", flat=True))[:2] == first_two
    assert run.parts.count() == 3
    assert Event.objects.filter(verb="labels.printed").count() == 1


def test_a_symbol_that_cannot_be_read_back_is_never_released(
    marks: list[Mark], open_intake: Intake, inspector: User, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("marking.labels.drawing._TO_BITS", b"0" * 256)
    run = order_labels(open_intake, inspector, now)

    execute_job(run.job_id)

    run.job.refresh_from_db()
    assert run.job.state == Job.State.FAILED
    assert marks[0].item.number in run.job.error
    assert not run.parts.exists()


def test_it_tells_true_progress(
    marks: list[Mark], open_intake: Intake, inspector: User, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(labels, "PART_LABELS", 2)
    told: list[tuple[int, int]] = []
    real = Progress.__call__

    def note(self: Progress, done: int, total: int, message: str = "") -> None:
        told.append((done, total))
        real(self, done, total, message)

    monkeypatch.setattr(Progress, "__call__", note)
    run = order_labels(open_intake, inspector, now, profile="roll-50x25")

    execute_job(run.job_id)

    assert told == [(0, 6), (2, 6), (2, 6), (4, 6), (4, 6), (6, 6)]


def test_it_writes_what_fits_and_has_a_glyph_in_every_language(marks: list[Mark]) -> None:
    heavy = Mark(
        derivative=marks[0].derivative, code=marks[0].code, payload=marks[0].payload, signature=marks[0].signature
    )
    for profile, language in _each():
        made = make_labels([*marks, heavy], language)
        out = io.BytesIO()
        labels.draw_labels(out, PROFILES[profile], made, labels.FONTS, how=Print(203), title="", language=language)
        text = PdfReader(out).pages[0].extract_text()
        assert "…" not in text


def _each() -> Iterator[tuple[str, str]]:
    for profile in PROFILES:
        for language in ("kk", "ru", "en"):
            yield profile, language


def test_the_database_keeps_runs_and_parts(
    marks: list[Mark], open_intake: Intake, inspector: User, now: datetime
) -> None:
    run = order_labels(open_intake, inspector, now)
    execute_job(run.job_id)
    for act in (
        lambda: LabelRun.objects.filter(pk=run.pk).update(count=1),
        lambda: run.run_marks.all().delete(),
        lambda: run.parts.all().delete(),
        lambda: run.parts.all().update(read_back=1),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            act()
        assert run.parts.count() == 1
