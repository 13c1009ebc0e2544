"""No label is about twice: files are taken under the journal and closed, nothing is drawn twice, what has left the
store is not printed for."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from core.accounts.models import User
from core.audit.models import Event
from core.base.errors import NotAllowed
from core.documents.models import Document
from core.documents.services import keep_document
from core.jobs.models import Job
from core.jobs.services import cancel_job, execute_job
from ledger.models import AccountKind, CustodyAccount
from marking.models import LabelPart, LabelReel, LabelRun, LabelRunEnd, LabelSeries, Mark, MarkRequest, SigningKey
from marking.payload import decode, to_address
from marking.selectors import Verdict, check_text
from marking.services import labels
from marking.services.files import (
    FILE_DAYS,
    FilesClosed,
    KeyNotSound,
    NotReleased,
    ReelFilesClosed,
    declare_run_printed,
    take_part,
)
from marking.services.keys import NoSigningKey, create_key
from marking.services.labels import LabelFailed, PrintedBefore, labels_of, parts_of, print_labels
from marking.services.orders import LabelOrder
from marking.services.requests import NothingAtHand, approve_request, ask_for_mark
from marking.services.stock import ReelDrawnBefore, confirm_printed, print_reel
from registry.models import Intake
from tests.goods import put_into
from tests.marks import decide_key, end_mark

pytestmark = pytest.mark.django_db(transaction=True)

ORDER = LabelOrder("roll-50x25")


@pytest.fixture(autouse=True)
def _run_jobs_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.jobs.services.after_commit", lambda *args: None)


@pytest.fixture
def run(marks: list[Mark], open_intake: Intake, inspector: User) -> LabelRun:
    """Labels of an intake, drawn just now."""
    ordered = print_labels(actor=inspector, at=timezone.now(), intake=open_intake, order=ORDER)
    execute_job(ordered.job_id)
    return LabelRun.objects.select_related("job").get(pk=ordered.pk)


@pytest.fixture
def undrawn(series: LabelSeries) -> LabelReel:
    return series.reels.select_related("series").get(reel=2)


@pytest.fixture
def reel_run(undrawn: LabelReel, storekeeper: User) -> LabelRun:
    """Labels of a reel, drawn just now and not declared printed."""
    ordered = print_reel(actor=storekeeper, at=timezone.now(), reel=undrawn, order=ORDER)
    execute_job(ordered.job_id)
    return LabelRun.objects.select_related("job").get(pk=ordered.pk)


def doors_of(run: LabelRun) -> Iterator[str]:
    part = run.parts.get()
    yield f"/labels/{run.pk}/file/"
    yield f"/api/v1/labels/{run.pk}/parts/1/"
    yield f"/jobs/{run.job_id}/documents/{part.document_id}/"
    yield f"/api/v1/jobs/{run.job_id}/documents/{part.document_id}/"


def leave(mark: Mark, kind: AccountKind = AccountKind.EXPORT) -> None:
    put_into(mark.item.pk, CustodyAccount.objects.boundary(kind))


def reprint(intake: Intake, asker: User, approver: User, at: datetime) -> MarkRequest:
    asked = ask_for_mark(
        actor=asker, at=at, kind=MarkRequest.Kind.REPRINT, intake=intake, reason="Wet in the store", order=ORDER
    )
    return approve_request(actor=approver, at=at, asked=asked)


def keep_part(run: LabelRun, actor: User, at: datetime) -> LabelPart:
    """A part as no service would write it."""
    paper = keep_document(actor=actor, at=at, kind=Document.Kind.LABELS, name="x.pdf", content=b"%PDF-1.7 x")
    return LabelPart.objects.create(
        run=run, part=1, document=paper, labels=run.count, pages=run.count, read_back=1, at=at
    )


def test_every_door_writes_down_who_took_the_file(run: LabelRun, inspector: User, client: Client) -> None:
    client.force_login(inspector)

    for door in doors_of(run):
        before = Event.objects.filter(verb="labels.file_taken").count()
        response = client.get(door, follow=True)
        assert response.status_code == 200, door
        assert b"".join(response).startswith(b"%PDF"), door
        assert "no-store" in response["Cache-Control"], door
        taken = Event.objects.filter(verb="labels.file_taken")
        assert taken.count() == before + 1, door
    last = taken.latest("pk")
    assert (last.actor_id, last.subject_kind, last.subject_id) == (inspector.pk, "label_run", str(run.pk))


def test_the_file_of_a_reel_is_closed_when_it_is_declared_printed(
    reel_run: LabelRun, undrawn: LabelReel, storekeeper: User, client: Client
) -> None:
    client.force_login(storekeeper)
    doors = list(doors_of(reel_run))
    assert client.get(doors[1]).status_code == 200
    assert doors[0] in client.get(f"/labels/{reel_run.pk}/").content.decode()

    confirm_printed(actor=storekeeper, at=timezone.now(), reel=undrawn, device="Zebra ZD421")

    for door in doors:
        response = client.get(door, follow=True)
        assert response["Content-Type"] != "application/pdf", door
        if "/api/" in door:
            assert (response.status_code, response.json()["code"]) == (409, "label-files-closed"), door
    assert Event.objects.filter(verb="labels.file_taken").count() == 1
    assert doors[0] not in client.get(f"/labels/{reel_run.pk}/").content.decode()
    with pytest.raises(ReelFilesClosed):
        take_part(actor=storekeeper, at=timezone.now(), part=reel_run.parts.get())


def test_files_of_an_intake_are_closed_when_the_labels_are_declared_printed(
    run: LabelRun, inspector: User, client: Client
) -> None:
    client.force_login(inspector)
    page = f"/labels/{run.pk}/"
    assert f"{page}printed/" in client.get(page).content.decode()

    assert client.post(f"{page}printed/").status_code == 302

    assert LabelRunEnd.objects.get().ended_by == inspector
    assert Event.objects.filter(verb="labels.declared_printed").count() == 1
    assert client.get(f"/api/v1/labels/{run.pk}/parts/1/").json()["code"] == "label-files-closed"
    assert client.get(f"{page}file/")["Location"] == page
    assert f"{page}file/" not in client.get(page).content.decode()
    assert client.post(f"/api/v1/labels/{run.pk}/printed/").status_code == 409


def test_files_of_an_intake_close_by_themselves(run: LabelRun, inspector: User) -> None:
    part, ended = run.parts.get(), run.job.finished_at
    assert ended is not None

    take_part(actor=inspector, at=ended + timedelta(days=FILE_DAYS), part=part)
    with pytest.raises(FilesClosed):
        take_part(actor=inspector, at=ended + timedelta(days=FILE_DAYS, seconds=1), part=part)


def test_the_file_of_a_former_print_is_closed(
    run: LabelRun, open_intake: Intake, inspector: User, storekeeper: User, now: datetime
) -> None:
    reprint(open_intake, inspector, storekeeper, timezone.now())

    with pytest.raises(FilesClosed):
        take_part(actor=inspector, at=timezone.now(), part=run.parts.get())


def test_who_has_lost_the_right_takes_nothing(
    run: LabelRun, inspector: User, inspector_elsewhere: User, trader: User
) -> None:
    for somebody in (inspector_elsewhere, trader):
        with pytest.raises(NotAllowed):
            take_part(actor=somebody, at=timezone.now(), part=run.parts.get())


def test_parts_of_a_run_that_was_stopped_are_given_to_nobody_and_count_as_printed(
    marks: list[Mark], open_intake: Intake, inspector: User, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(labels, "PART_LABELS", 2)
    run = print_labels(actor=inspector, at=now, intake=open_intake, order=ORDER)
    real = labels._keep_part
    kept: list[LabelPart] = []

    def cancel_after_two(*args: Any, **options: Any) -> LabelPart:
        if len(kept) == 2:
            cancel_job(actor=inspector, at=now, job=run.job)
        kept.append(real(*args, **options))
        return kept[-1]

    monkeypatch.setattr(labels, "_keep_part", cancel_after_two)
    execute_job(run.job_id)

    assert LabelPart.objects.filter(run=run).count() == 2
    with pytest.raises(NotReleased):
        take_part(actor=inspector, at=now, part=run.parts.get(part=1))
    with pytest.raises(PrintedBefore):
        print_labels(actor=inspector, at=now, intake=open_intake, order=ORDER)


def test_a_reel_is_drawn_once(reel_run: LabelRun, undrawn: LabelReel, storekeeper: User) -> None:
    with pytest.raises(ReelDrawnBefore):
        print_reel(
            actor=storekeeper,
            at=timezone.now(),
            reel=undrawn,
            order=LabelOrder("roll-50x25", reason="The printer jammed"),
        )


def test_a_reel_whose_run_failed_before_anything_was_drawn_is_ordered_again(
    undrawn: LabelReel, storekeeper: User, now: datetime
) -> None:
    first = print_reel(actor=storekeeper, at=now, reel=undrawn, order=ORDER)
    Job.objects.filter(pk=first.job_id).update(state="failed", finished_at=now)

    assert print_reel(actor=storekeeper, at=now, reel=undrawn, order=ORDER) != first


def test_a_run_draws_what_was_ordered_or_nothing(
    marks: list[Mark], open_intake: Intake, inspector: User, storekeeper: User, now: datetime
) -> None:
    run = print_labels(actor=inspector, at=now, intake=open_intake, order=ORDER)
    again = reprint(open_intake, inspector, storekeeper, now).run
    assert again is not None
    (part,) = parts_of(run.stock, run.count, run.start)

    with pytest.raises(LabelFailed):
        labels_of(run, part, at=now)
    execute_job(run.job_id)
    execute_job(again.job_id)

    run.job.refresh_from_db()
    assert (run.job.state, run.parts.count()) == (Job.State.FAILED, 0)
    assert marks[0].item.number in run.job.error
    assert again.parts.get().labels == len(marks)


def test_no_label_of_an_ended_mark_is_printed(
    marks: list[Mark], open_intake: Intake, inspector: User, storekeeper: User, now: datetime
) -> None:
    run = print_labels(actor=inspector, at=now, intake=open_intake, order=ORDER)
    end_mark(marks[3], "void", asker=inspector, approver=storekeeper, at=now)

    execute_job(run.job_id)

    run.job.refresh_from_db()
    assert run.job.state == Job.State.FAILED
    assert marks[3].item.number in run.job.error
    assert print_labels(actor=inspector, at=now, intake=open_intake, order=ORDER).count == len(marks) - 1


def test_the_database_keeps_no_part_of_labels_that_were_printed(
    marks: list[Mark], open_intake: Intake, inspector: User, storekeeper: User, now: datetime
) -> None:
    first = print_labels(actor=inspector, at=now, intake=open_intake, order=ORDER)
    Job.objects.filter(pk=first.job_id).update(state="cancelled", finished_at=now)
    second = print_labels(actor=inspector, at=now, intake=open_intake, order=ORDER)
    keep_part(first, inspector, now)

    with pytest.raises(IntegrityError, match="was printed before"), transaction.atomic():
        keep_part(second, inspector, now)


def test_the_database_keeps_no_part_of_labels_that_are_not_what_was_ordered(
    marks: list[Mark], open_intake: Intake, inspector: User, storekeeper: User, now: datetime
) -> None:
    run = print_labels(actor=inspector, at=now, intake=open_intake, order=ORDER)
    reprint(open_intake, inspector, storekeeper, now)

    with pytest.raises(IntegrityError, match="not what was ordered"), transaction.atomic():
        keep_part(run, inspector, now)


@pytest.mark.parametrize("kind", [AccountKind.EXPORT, AccountKind.DESTRUCTION, AccountKind.LOSS])
def test_a_reprint_of_an_intake_leaves_alone_what_has_left(
    marks: list[Mark], open_intake: Intake, inspector: User, storekeeper: User, client: Client, kind: AccountKind,
    now: datetime,
) -> None:  # fmt: skip
    gone = marks[1]
    leave(gone, kind)
    asked = ask_for_mark(
        actor=inspector,
        at=now,
        kind=MarkRequest.Kind.REPRINT,
        intake=open_intake,
        reason="All of them are wet",
        order=ORDER,
    )
    client.force_login(storekeeper)
    assert gone.item.number in client.get(f"/labels/requests/{asked.pk}/").content.decode()

    done = approve_request(actor=storekeeper, at=now, asked=asked)

    assert list(done.left_out) == [gone.item.number]
    generations = dict(Mark.objects.values_list("pk", "generation"))
    assert generations == {mark.pk: 1 if mark == gone else 2 for mark in marks}
    assert done.run is not None
    assert done.run.count == len(marks) - 1
    assert not done.run.run_marks.filter(mark=gone).exists()
    assert gone.item.number in str(Event.objects.get(verb="mark.reprinted").facts)


def test_nothing_is_printed_again_where_all_has_left(
    marks: list[Mark], open_intake: Intake, inspector: User, storekeeper: User, now: datetime
) -> None:
    single = ask_for_mark(
        actor=inspector, at=now, kind=MarkRequest.Kind.REPRINT, mark=marks[0], reason="Torn in the store", order=ORDER
    )
    whole = ask_for_mark(
        actor=inspector,
        at=now,
        kind=MarkRequest.Kind.REPRINT,
        intake=open_intake,
        reason="Torn in the store",
        order=ORDER,
    )
    for mark in marks:
        leave(mark)

    with pytest.raises(NothingAtHand):
        approve_request(actor=storekeeper, at=now, asked=whole)
    with pytest.raises((NothingAtHand, NotAllowed)):
        approve_request(actor=storekeeper, at=now, asked=single)
    with pytest.raises(labels.NothingToPrint):
        print_labels(actor=inspector, at=now, intake=open_intake, order=ORDER)


def test_first_labels_are_printed_for_what_is_there_and_the_others_are_named(
    marks: list[Mark], open_intake: Intake, inspector: User, client: Client
) -> None:
    gone = marks[0].item.number
    leave(marks[0])
    client.force_login(inspector)
    assert gone in client.get(f"/intakes/{open_intake.pk}/labels/").content.decode()

    answer = client.post(
        f"/api/v1/intakes/{open_intake.pk}/labels/", {"profile": "roll-50x25"}, content_type="application/json"
    ).json()

    run = LabelRun.objects.get(pk=answer["id"])
    assert list(run.run_marks.values_list("mark", flat=True)) == [mark.pk for mark in marks[1:]]
    assert answer["left_out"] == [gone]
    assert Event.objects.get(verb="labels.ordered").facts["left_out"] == [gone]


def test_a_page_with_nothing_to_print_says_why_and_has_no_form(
    marks: list[Mark], open_intake: Intake, inspector: User, client: Client
) -> None:
    client.force_login(inspector)
    page = f"/intakes/{open_intake.pk}/labels/?lang=en"
    assert 'id="label-order"' in client.get(page).content.decode()
    for mark in marks:
        leave(mark)

    said = client.get(page)
    assert 'id="label-order"' not in said.content.decode()
    assert said.context["nothing"]


@pytest.mark.parametrize("whole", [True, False])
def test_the_database_reprints_nothing_that_has_left(
    marks: list[Mark], open_intake: Intake, inspector: User, storekeeper: User, now: datetime, whole: bool
) -> None:
    gone = marks[0]
    leave(gone)

    def go_around_the_service() -> None:
        with transaction.atomic():
            named = {"intake": open_intake} if whole else {"mark": gone}
            asked = MarkRequest.objects.create(
                kind="reprint", reason="All of them are torn", asked_by=inspector, asked_at=now, **named
            )
            MarkRequest.objects.filter(pk=asked.pk).update(state="approved", decided_by=storekeeper, decided_at=now)
            Mark.objects.filter(pk=gone.pk).update(generation=2, payload=b"new")

    with pytest.raises(IntegrityError, match="second person"):
        go_around_the_service()


def test_taking_a_file_costs_few_queries(
    run: LabelRun, inspector: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    part = run.parts.select_related("run").get()

    with django_assert_max_num_queries(14):
        take_part(actor=inspector, at=timezone.now(), part=part)


def test_a_run_is_declared_printed_once_it_is_drawn(
    marks: list[Mark], open_intake: Intake, inspector: User, reel_run: LabelRun, storekeeper: User, now: datetime
) -> None:
    waiting = print_labels(actor=inspector, at=now, intake=open_intake, order=ORDER)

    with pytest.raises(NotReleased):
        declare_run_printed(actor=inspector, at=now, run=waiting)
    with pytest.raises(NotAllowed):
        declare_run_printed(actor=inspector, at=now, run=reel_run)


# The key under which labels leave the house.


def rotate(asker: User, second: User, at: datetime) -> SigningKey:
    return decide_key(create_key(actor=asker, at=at), "use", asker=asker, second=second, at=at)


def test_what_was_never_printed_is_signed_anew_by_the_key_in_use(
    marks: list[Mark],
    signing_key: SigningKey,
    open_intake: Intake,
    inspector: User,
    administrator: User,
    authority_head: User,
    now: datetime,
) -> None:
    before = Mark.objects.get(pk=marks[0].pk)
    decide_key(signing_key, "compromise", asker=administrator, second=authority_head, at=now)
    with pytest.raises(NoSigningKey):
        print_labels(actor=inspector, at=now, intake=open_intake, order=ORDER)
    fresh = rotate(administrator, authority_head, now)

    run = print_labels(actor=inspector, at=now, intake=open_intake, order=ORDER)
    execute_job(run.job_id)

    after = Mark.objects.get(pk=before.pk)
    said, was = decode(bytes(after.payload)), decode(bytes(before.payload))
    assert (after.key_id, after.generation) == (fresh.pk, 1)
    assert replace(said, key_id=was.key_id) == was
    assert not Mark.objects.exclude(key=fresh).exists()
    text = to_address(labels.symbol_prefix(), bytes(after.payload), bytes(after.signature))
    answer = check_text(text, own_hosts=["saiga.gov.kz"])
    assert (answer.verdict, answer.signed) == (Verdict.GENUINE, True)
    assert Event.objects.get(verb="labels.signed_anew").subject_id == str(run.pk)
    assert run.parts.get().labels == len(marks)


def test_a_reel_ordered_before_the_key_was_retired_is_drawn_under_the_new_one(
    undrawn: LabelReel, storekeeper: User, administrator: User, authority_head: User, now: datetime
) -> None:
    run = print_reel(actor=storekeeper, at=now, reel=undrawn, order=ORDER)
    fresh = rotate(administrator, authority_head, now)

    execute_job(run.job_id)

    assert set(Mark.objects.filter(reel=undrawn).values_list("key", flat=True)) == {fresh.pk}
    assert run.parts.get().labels == undrawn.size


def test_a_run_whose_key_ends_while_it_is_drawn_is_not_released(
    marks: list[Mark],
    open_intake: Intake,
    inspector: User,
    administrator: User,
    authority_head: User,
    now: datetime,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = print_labels(actor=inspector, at=now, intake=open_intake, order=ORDER)
    sample = labels.check_sample

    def check_and_rotate(*args: Any, **kwargs: Any) -> int:
        rotate(administrator, authority_head, now)
        return sample(*args, **kwargs)

    monkeypatch.setattr(labels, "check_sample", check_and_rotate)

    execute_job(run.job_id)

    run.job.refresh_from_db()
    assert (run.job.state, run.parts.count()) == (Job.State.FAILED, 0)


def test_no_file_under_a_compromised_key_is_given_out(
    run: LabelRun,
    signing_key: SigningKey,
    inspector: User,
    administrator: User,
    authority_head: User,
    client: Client,
) -> None:
    decide_key(signing_key, "compromise", asker=administrator, second=authority_head, at=timezone.now())
    client.force_login(inspector)

    with pytest.raises(FilesClosed) as caught:
        take_part(actor=inspector, at=timezone.now(), part=run.parts.get())
    assert isinstance(caught.value, KeyNotSound)
    assert client.get(f"/api/v1/labels/{run.pk}/parts/1/").status_code == 409


def test_the_database_signs_anew_only_what_was_not_printed_and_says_the_same(
    run: LabelRun, undrawn: LabelReel, storekeeper: User, administrator: User, authority_head: User, now: datetime
) -> None:
    printed, blank = Mark.objects.filter(run_marks__run=run)[0], Mark.objects.filter(reel=undrawn)[0]
    unprinted = print_reel(actor=storekeeper, at=now, reel=undrawn, order=ORDER)
    old = blank.key_id
    fresh = rotate(administrator, authority_head, now)

    def sign_again(mark: Mark, key: str = fresh.pk, **other: Any) -> None:
        body = bytes(mark.payload)
        said = {"payload": body[:1] + bytes.fromhex(key) + body[5:], "signature": b"s" * 64}
        with transaction.atomic():
            Mark.objects.filter(pk=mark.pk).update(key_id=key, **said | other)

    body = bytes(blank.payload)
    for wrong in (
        lambda: keep_part(unprinted, storekeeper, now),
        lambda: sign_again(printed),
        lambda: sign_again(blank, old),
        lambda: sign_again(blank, payload=body),
        lambda: sign_again(blank, payload=body[:1] + bytes.fromhex(fresh.pk) + body[5:] + b"x"),
        lambda: sign_again(blank, signature=b"s"),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            wrong()
    sign_again(blank)
