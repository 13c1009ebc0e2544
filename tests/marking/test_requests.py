"""Reprints, ends and new marks: asked for by one person, approved by another; destroying labels likewise."""

from collections.abc import Callable
from datetime import datetime
from functools import partial

import pypdfium2
import pytest
from django.db import DatabaseError, transaction
from django.test import Client
from django.utils import translation
from django.utils.timezone import localtime

from core.accounts.models import Organisation, User
from core.audit.models import Event
from core.base.errors import BadInput, InvalidTransition, NotAllowed
from core.notices.models import Notice
from ledger.services import SecondPersonNeeded
from marking.codes import group
from marking.models import LabelDestruction, LabelMovement, LabelPlace, LabelReel, LabelSeries, Mark, MarkRequest
from marking.payload import to_text
from marking.selectors import Reason, Verdict, check_text
from marking.selectors_stock import reel_rows, reels_that_differ
from marking.services.applying import (
    AlreadyMarked,
    ForeignLabel,
    LabelNotHere,
    LabelRefused,
    MarkedBefore,
    _bind,
    apply_blank,
    keep_label_photo,
    take_blank_of,
)
from marking.services.destroying import (
    ToDestroy,
    ask_destruction,
    can_refuse,
    can_sign,
    destroy_labels,
    refuse_destruction,
)
from marking.services.issue import issue_marks
from marking.services.labels import print_labels
from marking.services.orders import LabelOrder
from marking.services.requests import TiedLabel, approve_request, ask_for_mark, refuse_request
from marking.services.stock import write_off
from registry.models import Intake
from tests.cast import PASSWORD
from tests.marking.test_applying import picture

pytestmark = pytest.mark.django_db

ORDER = LabelOrder("roll-50x25")


def printed(mark: Mark) -> str:
    mark.refresh_from_db()
    return to_text(bytes(mark.payload), bytes(mark.signature))


@pytest.fixture
def ask(marks: list[Mark], inspector: User, now: datetime) -> Callable[..., MarkRequest]:
    return partial(ask_for_mark, actor=inspector, at=now, mark=marks[0], reason="Torn off by the wind", order=ORDER)


def test_a_reprint_keeps_the_code_and_the_former_copy_is_told(
    ask: Callable[..., MarkRequest], marks: list[Mark], storekeeper: User, now: datetime
) -> None:
    former, others = printed(marks[0]), printed(marks[1])
    done = approve_request(actor=storekeeper, at=now, asked=ask(kind=MarkRequest.Kind.REPRINT))

    marks[0].refresh_from_db()
    assert (marks[0].state, marks[0].generation) == ("active", 2)
    assert check_text(former, own_hosts=()).reasons == (Reason.OLD_COPY,)
    assert check_text(printed(marks[0]), own_hosts=()).verdict == Verdict.GENUINE
    assert check_text(others, own_hosts=()).verdict == Verdict.GENUINE
    assert done.run is not None
    assert list(done.run.run_marks.values_list("mark_id", "generation")) == [(marks[0].pk, 2)]
    notice = Notice.objects.get(code="marks.request_waits")
    assert notice.outcome == Notice.Outcome.SETTLED


def test_all_labels_of_an_intake_are_printed_again(
    marks: list[Mark], open_intake: Intake, inspector: User, storekeeper: User, now: datetime
) -> None:
    asked = ask_for_mark(
        actor=inspector,
        at=now,
        kind=MarkRequest.Kind.REPRINT,
        intake=open_intake,
        reason="The sheet got wet",
        order=ORDER,
    )
    done = approve_request(actor=storekeeper, at=now, asked=asked)

    assert set(Mark.objects.values_list("generation", flat=True)) == {2}
    assert done.run is not None
    assert [one.mark_id for one in done.run.run_marks.all()] == [mark.pk for mark in marks]


def test_void_and_replace(
    ask: Callable[..., MarkRequest], marks: list[Mark], inspector: User, storekeeper: User, now: datetime
) -> None:
    done = approve_request(actor=storekeeper, at=now, asked=ask(kind=MarkRequest.Kind.REPLACE))
    marks[0].refresh_from_db()
    assert (marks[0].state, marks[0].end_asked_by, marks[0].ended_by) == ("replaced", inspector, storekeeper)
    assert done.new_mark is not None
    assert done.new_mark.derivative_id == marks[0].derivative_id
    assert check_text(marks[0].code, own_hosts=()).reasons == (Reason.REPLACED,)

    void = ask(mark=done.new_mark, kind=MarkRequest.Kind.VOID, order=None)
    approve_request(actor=storekeeper, at=now, asked=void)
    assert check_text(done.new_mark.code, own_hosts=()).reasons == (Reason.VOID,)
    with pytest.raises(InvalidTransition):
        ask(kind=MarkRequest.Kind.REPRINT)


def test_it_takes_a_reason_and_two_people(
    ask: Callable[..., MarkRequest],
    inspector: User,
    storekeeper: User,
    inspector_elsewhere: User,
    trader: User,
    now: datetime,
) -> None:
    reprint = MarkRequest.Kind.REPRINT
    for wrong in ({"reason": " "}, {"reason": "Torn off"}, {"order": None}, {"order": LabelOrder("none")}):
        with pytest.raises(BadInput):
            ask(kind=reprint, **wrong)
    with pytest.raises(NotAllowed):
        ask(kind=reprint, actor=trader)
    asked = ask(kind=reprint)
    with pytest.raises(InvalidTransition):
        ask(kind=MarkRequest.Kind.VOID)
    with pytest.raises(SecondPersonNeeded):
        approve_request(actor=inspector, at=now, asked=asked)
    with pytest.raises(NotAllowed):
        approve_request(actor=inspector_elsewhere, at=now, asked=asked)
    refuse_request(actor=inspector, at=now, asked=asked, reason="Found it again")
    with pytest.raises(InvalidTransition):
        approve_request(actor=storekeeper, at=now, asked=asked)
    asked = ask(kind=reprint)
    approve_request(actor=storekeeper, at=now, asked=asked)
    with pytest.raises(InvalidTransition):
        approve_request(actor=storekeeper, at=now, asked=asked)


def test_the_database_wants_a_second_person_for_a_reprint(
    ask: Callable[..., MarkRequest], marks: list[Mark], inspector: User, storekeeper: User, now: datetime
) -> None:
    asked = MarkRequest.objects.filter(pk=ask(kind=MarkRequest.Kind.REPRINT).pk)
    rows = Mark.objects.filter(pk=marks[0].pk)

    def approve(person: User) -> int:
        return asked.update(state="approved", decided_by=person, decided_at=now)

    for around in (
        lambda: rows.update(generation=2, payload=b"x", signature=b"x"),
        lambda: approve(inspector),
        lambda: MarkRequest.objects.create(
            kind="reprint",
            mark=marks[1],
            reason="I print this alone",
            state="approved",
            asked_by=inspector,
            asked_at=now,
            decided_by=storekeeper,
            decided_at=now,
        ),
        lambda: (approve(storekeeper), rows.update(generation=3, payload=b"x", signature=b"x")),
        lambda: (approve(storekeeper), Mark.objects.filter(pk=marks[1].pk).update(generation=2)),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            around()


def test_pages_of_a_reprint(marks: list[Mark], inspector: User, storekeeper: User, client: Client) -> None:
    client.force_login(inspector)
    assert b"/ask/" in client.get(f"/items/{marks[0].derivative_id}/").content
    url = f"/marks/{marks[0].code}/ask/"
    assert client.get(url).status_code == 200
    said = {
        "kind": "reprint",
        "reason": "Torn in the store",
        "profile": "roll-50x25",
        "dpi": 300,
        "start": 1,
        "language": "kk",
    }
    asked = client.post(url, said)
    page = asked["Location"]
    assert b'name="password"' not in client.get(page).content  # nobody approves their own
    client.force_login(storekeeper)
    assert marks[0].item.number.encode() in client.get("/labels/requests/").content
    assert client.post(page, {"password": "wrong"}).status_code == 422
    assert client.post(page, {"password": PASSWORD}).status_code == 302
    marks[0].refresh_from_db()
    assert marks[0].generation == 2
    assert client.get(page).status_code == 200
    assert client.get("/labels/requests/?state=all").status_code == 200


def test_programs_ask_and_approve(marks: list[Mark], inspector: User, storekeeper: User, client: Client) -> None:
    client.force_login(inspector)
    body = {"kind": "reprint", "mark": marks[0].code, "reason": "Torn in the store", "order": {"profile": "roll-50x25"}}
    asked = client.post("/api/v1/mark-requests/", body, content_type="application/json")
    assert asked.status_code == 201, asked.content
    approve = f"/api/v1/mark-requests/{asked.json()['id']}/approve/"
    own = client.post(approve, {"password": PASSWORD}, content_type="application/json")
    assert own.status_code == 403
    client.force_login(storekeeper)
    assert client.post(approve, {"password": "no"}, content_type="application/json").status_code == 422
    done = client.post(approve, {"password": PASSWORD}, content_type="application/json")
    assert (done.status_code, done.json()["state"]) == (200, "approved")


def tied(code: str, **changes: object) -> TiedLabel:
    return TiedLabel(code, picture(), **changes)  # type: ignore[arg-type]


def test_a_damaged_label_is_replaced_by_a_blank_one_of_the_office(
    ask: Callable[..., MarkRequest],
    marks: list[Mark],
    blank: Mark,
    reel: LabelReel,
    inspector: User,
    storekeeper: User,
    now: datetime,
) -> None:
    former, (before,) = printed(marks[0]), reel_rows([reel])

    asked = ask(kind="replace", order=None, label=tied(blank.code))

    assert (asked.blank, asked.is_foreign, asked.order) == (blank, False, None)
    blank.refresh_from_db()
    assert blank.state == "blank"  # until somebody else has looked
    with pytest.raises(SecondPersonNeeded) as refusal:
        approve_request(actor=inspector, at=now, asked=asked)
    with translation.override("en"):
        assert str(refusal.value.message) == "You asked for this; another person decides."
    done = approve_request(actor=storekeeper, at=now, asked=asked)

    blank.refresh_from_db()
    assert (blank.state, blank.derivative_id) == ("active", marks[0].derivative_id)
    assert (done.new_mark, done.run) == (blank, None)
    assert check_text(former, own_hosts=()).reasons == (Reason.REPLACED,)
    assert check_text(printed(blank), own_hosts=()).verdict == Verdict.GENUINE
    applied = blank.application
    assert (applied.applied_by, applied.photo, applied.is_foreign) == (inspector, asked.photo, False)
    assert LabelMovement.objects.get(kind="applied").second == storekeeper
    told = Event.objects.about(("derivative", marks[0].derivative_id)).get(verb="label.bound")
    assert (told.actor_id, told.facts["reel"]) == (inspector.pk, reel.number)
    assert told.facts["second_person"] == storekeeper.full_name
    (after,) = reel_rows([reel])
    assert after.balance.places[LabelPlace.APPLIED] == before.balance.places[LabelPlace.APPLIED] + 1
    assert not reels_that_differ()
    assert marks[0].item.photos.filter(document=asked.photo).exists()


def test_a_reprint_begins_with_a_label_for_horns_whatever_was_printed_last(
    marks: list[Mark], open_intake: Intake, inspector: User, now: datetime, client: Client
) -> None:
    print_labels(actor=inspector, at=now, intake=open_intake, order=LabelOrder("roll-58x40"))
    client.force_login(inspector)

    for page in (f"/marks/{marks[0].code}/ask/", f"/intakes/{open_intake.pk}/reprint/"):
        assert client.get(page).context["form"].initial["profile"] == "roll-50x25"


def test_a_label_that_must_not_be_used_replaces_nothing(
    ask: Callable[..., MarkRequest],
    marks: list[Mark],
    blank: Mark,
    reel: LabelReel,
    series: LabelSeries,
    inspector: User,
    storekeeper: User,
    now: datetime,
) -> None:
    replace = partial(ask, kind="replace", order=None)
    not_received = Mark.objects.get(reel__series=series, reel__reel=2, place_on_reel=1)
    spoiled, stays = (Mark.objects.get(reel=reel, place_on_reel=place) for place in (2, 3))
    write_off(
        actor=inspector, at=now, reel=reel, places=[2], kind=LabelMovement.Kind.SPOILED, reason="Torn in the store"
    )
    with pytest.raises(LabelRefused):
        replace(label=tied(spoiled.code))
    with pytest.raises(LabelNotHere):
        replace(label=tied(not_received.code))
    with pytest.raises(BadInput):
        replace(label=tied(marks[1].code))
    with pytest.raises(BadInput):
        ask(kind="void", label=tied(blank.code))
    with pytest.raises(ForeignLabel):
        ask_for_mark(
            actor=storekeeper,
            at=now,
            kind=MarkRequest.Kind.REPLACE,
            reason="Torn in the store",
            mark=marks[1],
            label=tied(stays.code),
        )
    assert not MarkRequest.objects.exists()

    asked = replace(label=tied(blank.code))
    with pytest.raises(InvalidTransition):
        replace(label=tied(blank.code), mark=marks[1])  # it waits for another item
    write_off(actor=inspector, at=now, reel=reel, places=[1], kind=LabelMovement.Kind.LOST, reason="Fell off the horn")
    with pytest.raises(InvalidTransition):
        approve_request(actor=storekeeper, at=now, asked=asked)
    marks[0].refresh_from_db()
    assert marks[0].state == "active"
    refused = MarkRequest.objects.get()
    assert (refused.state, refused.decided_by, refused.refusal) == ("refused", inspector, "Fell off the horn")
    assert not Notice.objects.open().filter(code="marks.request_waits").exists()
    replace(label=tied(stays.code))  # by another label


def test_the_database_wants_a_photo_of_the_label_and_keeps_which_it_is(
    ask: Callable[..., MarkRequest], marks: list[Mark], blank: Mark, reel: LabelReel, inspector: User, now: datetime
) -> None:
    asked = ask(kind="replace", order=None, label=tied(blank.code))
    rows = MarkRequest.objects.filter(pk=asked.pk)
    other = Mark.objects.get(reel=reel, place_on_reel=2)
    new = {"mark": marks[1], "reason": "Torn in the store", "asked_by": inspector, "asked_at": now}

    def refused(act: Callable[[], object]) -> None:
        with pytest.raises(DatabaseError), transaction.atomic():
            act()

    refused(lambda: rows.update(blank=other))
    refused(lambda: rows.update(photo=None))
    refused(lambda: MarkRequest.objects.create(**new, kind="replace", blank=other))
    refused(lambda: MarkRequest.objects.create(**new, kind="void", blank=other, photo=asked.photo))
    refused(lambda: MarkRequest.objects.create(**new, kind="replace", blank=blank, photo=asked.photo))


def test_pages_and_programs_replace_by_a_blank_label(
    marks: list[Mark], blank: Mark, reel: LabelReel, inspector: User, storekeeper: User, client: Client
) -> None:
    client.force_login(inspector)
    url = f"/marks/{marks[0].code}/ask/"
    said = {
        "kind": "replace",
        "reason": "Torn in the store",
        "profile": "roll-50x25",
        "dpi": 300,
        "start": 1,
        "language": "kk",
    }
    assert 'enctype="multipart/form-data"' in client.get(url).content.decode()
    for wrong in (
        {"label": blank.code},
        {"label": "nonsense", "photo": picture()},
        {"label": blank.code, "kind": "void"},
    ):
        assert client.post(url, said | wrong).status_code == 422
    page = client.post(url, said | {"label": to_text(bytes(blank.payload), bytes(blank.signature)), "photo": picture()})
    client.force_login(storekeeper)
    shown = client.get(page["Location"]).content.decode()
    assert group(blank.code) in shown
    assert f"{page['Location']}label/" in shown
    assert client.get(f"{page['Location']}label/").status_code == 200
    assert client.post(page["Location"], {"password": PASSWORD}).status_code == 302
    blank.refresh_from_db()
    assert blank.derivative_id == marks[0].derivative_id

    second = Mark.objects.get(reel=reel, place_on_reel=2)
    client.force_login(inspector)
    body = {"kind": "replace", "mark": marks[1].code, "reason": "Torn in the store", "blank": second.code}
    assert client.post("/api/v1/mark-requests/", body).status_code == 422  # no photo
    asked = client.post("/api/v1/mark-requests/", body | {"photo": picture()}, headers={"Idempotency-Key": "r1"})
    assert (asked.status_code, asked.json()["blank"]) == (201, second.code), asked.content
    client.force_login(storekeeper)
    approve = f"/api/v1/mark-requests/{asked.json()['id']}/approve/"
    done = client.post(approve, {"password": PASSWORD}, content_type="application/json")
    assert (done.status_code, done.json()["new_mark"]) == (200, second.code)


@pytest.fixture
def void(ask: Callable[..., MarkRequest], storekeeper: User, now: datetime) -> Mark:
    """The mark of the first horn, void."""
    done = approve_request(actor=storekeeper, at=now, asked=ask(kind=MarkRequest.Kind.VOID))
    assert done.mark is not None
    done.mark.refresh_from_db()
    return done.mark


def test_an_item_whose_mark_is_void_gets_the_next_by_two(
    ask: Callable[..., MarkRequest], void: Mark, blank: Mark, inspector: User, storekeeper: User, now: datetime
) -> None:
    with pytest.raises(MarkedBefore):
        apply_blank(actor=inspector, at=now, code=blank.code, derivative=void.item, photo=picture())
    blank.refresh_from_db()
    assert blank.state == "blank"
    for kind in (MarkRequest.Kind.REPRINT, MarkRequest.Kind.VOID):
        with pytest.raises(InvalidTransition):
            ask(kind=kind)

    asked = ask(kind=MarkRequest.Kind.REPLACE, order=None, label=tied(blank.code))
    with pytest.raises(SecondPersonNeeded):
        approve_request(actor=inspector, at=now, asked=asked)
    done = approve_request(actor=storekeeper, at=now, asked=asked)

    blank.refresh_from_db()
    void.refresh_from_db()
    assert (done.new_mark, blank.state, blank.derivative_id) == (blank, "active", void.derivative_id)
    assert (void.state, void.end_reason) == ("void", "Torn off by the wind")
    with pytest.raises(InvalidTransition):
        ask(kind=MarkRequest.Kind.REPLACE)  # it is not the last any more


def test_a_void_mark_is_followed_by_a_printed_one_too(
    ask: Callable[..., MarkRequest], void: Mark, storekeeper: User, now: datetime
) -> None:
    done = approve_request(actor=storekeeper, at=now, asked=ask(kind=MarkRequest.Kind.REPLACE))

    assert done.new_mark is not None
    assert (done.new_mark.state, done.new_mark.derivative_id) == ("active", void.derivative_id)
    assert done.run is not None
    assert list(Mark.objects.renewable().filter(derivative=void.derivative_id)) == [done.new_mark]


def test_the_database_lets_no_mark_follow_another_by_one_person(
    ask: Callable[..., MarkRequest], void: Mark, blank: Mark, inspector: User, storekeeper: User, now: datetime
) -> None:
    _mark, holding, _foreign = take_blank_of(inspector, blank.code, confirm_foreign=False)
    photo = keep_label_photo(actor=inspector, at=now, derivative=void.item, photo=picture())
    bind = partial(_bind, inspector, now, [(blank, void.item.pk, photo.pk, False)], {holding.reel_id: holding})
    issue = partial(issue_marks, actor=inspector, at=now, derivatives=[void.item])

    def refused(act: Callable[[], object]) -> None:
        with pytest.raises(AlreadyMarked) as refusal, transaction.atomic():
            act()
        assert "takes a second person" in str(refusal.value.__cause__)

    refused(bind)
    refused(issue)
    # Nor by what was approved for another photo, or for a blank label.
    asked = ask(kind=MarkRequest.Kind.REPLACE, order=None, label=tied(blank.code))
    MarkRequest.objects.filter(pk=asked.pk).update(state="approved", decided_by=storekeeper, decided_at=now)
    refused(bind)
    refused(issue)
    assert not Mark.objects.active().filter(derivative=void.derivative_id).exists()


def test_pages_and_programs_lead_from_a_void_mark_to_two_persons(
    void: Mark, blank: Mark, inspector: User, storekeeper: User, client: Client
) -> None:
    ask_page = f"/marks/{void.code}/ask/"
    bind_page = f"/items/{void.derivative_id}/bind/"
    client.force_login(inspector)
    assert ask_page in client.get(f"/items/{void.derivative_id}/").text
    assert ask_page in client.get(bind_page).text
    assert client.post(bind_page, {"label": blank.code, "photo": picture()}).status_code == 422
    said = {"label": blank.code, "item": void.item.number, "photo": picture()}
    applied = client.post("/api/v1/marks/apply/", said)
    assert (applied.status_code, applied.json()["code"]) == (409, "marked-before")

    page = client.get(ask_page).text
    assert 'value="replace"' in page
    assert 'value="reprint"' not in page
    body = {"kind": "replace", "mark": void.code, "reason": "Void by mistake of ours", "blank": blank.code}
    asked = client.post("/api/v1/mark-requests/", body | {"photo": picture()})
    assert asked.status_code == 201, asked.content
    client.force_login(storekeeper)
    shown = f"/labels/requests/{asked.json()['id']}/"
    assert f"{shown}label/" in client.get(shown).text
    assert client.post(shown, {"password": PASSWORD}).status_code == 302
    blank.refresh_from_db()
    assert blank.derivative_id == void.derivative_id


@pytest.fixture
def spoiled(reel: LabelReel, inspector: User, now: datetime) -> LabelReel:
    """The reel of the inspection with two labels spoiled and two lost."""
    for places, kind in (([1, 2], LabelMovement.Kind.SPOILED), ([3, 4], LabelMovement.Kind.LOST)):
        write_off(actor=inspector, at=now, reel=reel, places=places, kind=kind, reason="A storm took them away")
    return reel


def test_labels_are_destroyed_by_two_with_an_act(
    spoiled: LabelReel, inspectorate: Organisation, inspector: User, authority_officer: User, now: datetime
) -> None:
    asked = ask_destruction(
        actor=inspector,
        at=now,
        organisation=inspectorate,
        lines=[ToDestroy(spoiled, rest=True, found="4")],
        reason="End of the season",
        method="Shredded",
    )
    line = asked.lines.get()
    assert (line.spoiled, line.blank, line.found_pieces) == (2, 6, 1)
    with pytest.raises(SecondPersonNeeded) as refusal:
        destroy_labels(actor=inspector, at=now, destruction=asked)
    with translation.override("en"):
        assert str(refusal.value.message) == "You asked for this; another person decides."

    done = destroy_labels(actor=authority_officer, at=now, destruction=asked)

    assert done.paper_kk is not None
    assert done.paper_ru is not None
    for paper in (done.paper_kk, done.paper_ru):
        (page,) = pypdfium2.PdfDocument(paper.file.read())
        said = page.get_textpage().get_text_range()
        assert f"{localtime(now):%d.%m.%Y %H:%M}" in said
        assert "<" not in said
    (row,) = reel_rows([spoiled])
    places = row.balance.places
    assert (places[LabelPlace.DESTROYED], places[LabelPlace.LOST], row.balance.remaining) == (9, 1, 0)
    assert row.balance.adds_up
    assert Mark.objects.filter(reel=spoiled, state="destroyed").count() == 9


def test_what_another_office_lost_is_destroyed_under_the_eyes_of_the_authority(
    spoiled: LabelReel,
    okhotzooprom: Organisation,
    inspector: User,
    storekeeper: User,
    authority_officer: User,
    now: datetime,
) -> None:
    write_off(
        actor=inspector, at=now, reel=spoiled, places=[9], kind=LabelMovement.Kind.LOST, reason="Stolen from the safe"
    )
    asked = ask_destruction(
        actor=storekeeper,
        at=now,
        organisation=okhotzooprom,
        lines=[ToDestroy(spoiled, spoiled=False, found="9")],
        reason="Found in the stairwell",
        method="Shredded",
    )
    # Whoever is of the office that found them may leave it undone, and not sign.
    assert not can_sign(storekeeper, asked)
    assert can_refuse(storekeeper, asked)
    with pytest.raises(NotAllowed):
        destroy_labels(actor=storekeeper, at=now, destruction=asked)
    destroy_labels(actor=authority_officer, at=now, destruction=asked)
    assert Mark.objects.get(reel=spoiled, place_on_reel=9).state == Mark.State.DESTROYED


def test_destroying_follows_what_is_there(
    spoiled: LabelReel,
    inspectorate: Organisation,
    inspector: User,
    storekeeper: User,
    authority_officer: User,
    now: datetime,
) -> None:
    def ask(**other: object) -> LabelDestruction:
        said = {
            "lines": [ToDestroy(spoiled)],
            "reason": "Spoiled by the printer",
            "method": "Shredded",
            "actor": inspector,
        } | other
        return ask_destruction(at=now, organisation=inspectorate, **said)  # type: ignore[arg-type]

    wrongs: list[dict[str, object]] = [{"reason": ""}, {"reason": "Spoiled"}, {"method": ""}, {"lines": []}]
    wrongs.append({"lines": [ToDestroy(spoiled, found="5")]})
    for wrong in wrongs:
        with pytest.raises(BadInput):
            ask(**wrong)
    with pytest.raises(NotAllowed):
        ask(actor=storekeeper)
    asked = ask()
    write_off(
        actor=inspector, at=now, reel=spoiled, places=[7], kind=LabelMovement.Kind.SPOILED, reason="Torn in the store"
    )
    with pytest.raises(InvalidTransition):
        destroy_labels(actor=authority_officer, at=now, destruction=asked)
    refuse_destruction(actor=inspector, at=now, destruction=asked, reason="One more was torn")
    destroy_labels(actor=authority_officer, at=now, destruction=ask())
    assert Mark.objects.filter(reel=spoiled, state="destroyed").count() == 3
    rows = LabelDestruction.objects.filter(pk=ask(lines=[ToDestroy(spoiled, spoiled=False, rest=True)]).pk)
    with pytest.raises(DatabaseError), transaction.atomic():
        rows.update(state="done", ended_by=inspector, ended_at=now)
