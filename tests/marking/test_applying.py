"""Blank labels are bound once, with a photo, by the office that has them; rows of a weighing table name them."""

import io
from datetime import datetime

import pytest
from django.core.files.base import ContentFile
from django.db import DatabaseError, transaction
from django.test import Client
from PIL import Image

from core.accounts.models import User
from core.audit.models import Event
from core.base.errors import BadInput, NotAllowed
from core.documents.models import Document
from core.documents.services import keep_document
from core.notices.models import Notice
from marking.codes import group
from marking.models import LabelApplication, LabelMovement, LabelReel, Mark, RowLabel
from marking.payload import to_text
from marking.selectors import Verdict, check_text
from marking.selectors_stock import office_rows, reel_rows, reels_that_differ
from marking.services.applying import (
    AlreadyMarked,
    ForeignLabel,
    LabelNotHere,
    LabelRefused,
    apply_blank,
    name_row_labels,
    telling_refused,
)
from marking.services.issue import register_and_mark
from marking.services.orders import LabelOrder
from marking.services.shipments import Counted, receive_reels, send_reels
from marking.services.stock import write_off
from registry.models import Derivative, Intake, RowPhoto
from reports.story import tell_story
from tests.builders import Receive

pytestmark = pytest.mark.django_db


def picture() -> ContentFile:
    out = io.BytesIO()
    Image.new("RGB", (40, 30), "white").save(out, "JPEG")
    return ContentFile(out.getvalue(), name="label.jpg")


@pytest.fixture
def unmarked(signing_key: object, open_intake: Intake, inspector: User, now: datetime) -> list[Derivative]:
    """Six horns registered without marks."""
    register_and_mark(actor=inspector, at=now, intake=open_intake, mark=False)
    return list(open_intake.derivatives.order_by("row"))


def photograph(intake: Intake, rows: list[int], actor: User, at: datetime) -> None:
    for row in rows:
        document = keep_document(actor=actor, at=at, kind=Document.Kind.PHOTO, name="row.jpg", content=picture())
        RowPhoto.objects.create(intake=intake, row=row, document=document)


def test_a_blank_label_becomes_the_mark_of_an_item(
    blank: Mark, unmarked: list[Derivative], inspector: User, now: datetime
) -> None:
    assert blank.reel is not None
    printed = to_text(bytes(blank.payload), bytes(blank.signature))
    mark = apply_blank(actor=inspector, at=now, code=blank.code, derivative=unmarked[0], photo=picture())

    assert (mark.state, mark.derivative_id, mark.generation) == ("active", unmarked[0].pk, 1)
    answer = check_text(printed, own_hosts=())
    assert (answer.verdict, answer.term) == (Verdict.GENUINE, "HOR")
    assert unmarked[0].photos.count() == 1
    (row,) = reel_rows([blank.reel])
    assert (row.balance.places["applied"], row.balance.remaining, row.balance.adds_up) == (1, 9, True)
    assert [office.applied_by_marks for office in office_rows(inspector)] == [1]
    assert reels_that_differ() == []
    told = Event.objects.about(("derivative", unmarked[0].pk)).get(verb="label.bound")
    assert (told.actor_id, told.subject_name) == (inspector.pk, unmarked[0].number)
    assert told.facts == {
        "label": group(mark.code),
        "reel": blank.reel.number,
        "place": 1,
        "second_person": "",
    }
    story = tell_story(unmarked[0], reader=inspector)
    assert blank.reel.number in [fact.value for step in story for fact in step.facts]


def test_where_every_label_came_from_a_reel_the_page_offers_no_print(
    reel: LabelReel, unmarked: list[Derivative], inspector: User, client: Client, now: datetime
) -> None:
    address = f"/intakes/{unmarked[0].intake_id}/labels/?lang=en"
    client.force_login(inspector)
    client.cookies["django_language"] = "en"
    assert "with a mark in force" in client.get(address).text
    blanks = Mark.objects.filter(reel=reel).order_by("place_on_reel")
    for item, blank in zip(unmarked, blanks, strict=False):
        apply_blank(actor=inspector, at=now, code=blank.code, derivative=item, photo=picture())

    page = client.get(address).text

    assert "carries blank labels" in page
    assert "register the horns first" not in page
    assert 'id="label-order"' not in page


def test_a_label_is_bound_once_and_an_item_has_one(
    blank: Mark, unmarked: list[Derivative], inspector: User, now: datetime
) -> None:
    apply_blank(actor=inspector, at=now, code=blank.code, derivative=unmarked[0], photo=picture())
    other = Mark.objects.get(reel=blank.reel, place_on_reel=2)

    with pytest.raises(LabelRefused, match=unmarked[0].number), telling_refused(inspector, now):
        apply_blank(actor=inspector, at=now, code=blank.code, derivative=unmarked[1], photo=picture())
    with pytest.raises(AlreadyMarked):
        apply_blank(actor=inspector, at=now, code=other.code, derivative=unmarked[0], photo=picture())
    assert Notice.objects.filter(code="labels.refused").count() == 1


def test_a_lost_label_is_refused_and_told_once(
    blank: Mark, reel: LabelReel, unmarked: list[Derivative], inspector: User, now: datetime
) -> None:
    write_off(
        actor=inspector, at=now, reel=reel, places=[1], kind=LabelMovement.Kind.LOST, reason="Blown away by the wind"
    )

    for _again in range(2):
        with pytest.raises(LabelRefused), telling_refused(inspector, now):
            apply_blank(actor=inspector, at=now, code=blank.code, derivative=unmarked[0], photo=picture())
    assert reel.number in Notice.objects.get(code="labels.refused").text


def test_the_label_of_another_office_is_asked_about_and_told(
    blank: Mark,
    reel: LabelReel,
    unmarked: list[Derivative],
    inspector: User,
    storekeeper: User,
    inspector_elsewhere: User,
    now: datetime,
) -> None:
    with pytest.raises(NotAllowed):
        apply_blank(actor=inspector_elsewhere, at=now, code=blank.code, derivative=unmarked[0], photo=picture())
    with pytest.raises(ForeignLabel):
        apply_blank(actor=storekeeper, at=now, code=blank.code, derivative=unmarked[0], photo=picture())
    apply_blank(
        actor=storekeeper, at=now, code=blank.code, derivative=unmarked[0], photo=picture(), confirm_foreign=True
    )

    assert Notice.objects.get(code="labels.foreign").organisation == reel.series.office
    assert LabelApplication.objects.get().is_foreign
    send_reels(actor=inspector, at=now, receiver=reel.series.printer, reels=[reel])
    other = Mark.objects.get(reel=reel, place_on_reel=2)
    with pytest.raises(LabelNotHere):
        apply_blank(actor=inspector, at=now, code=other.code, derivative=unmarked[1], photo=picture())


def test_the_database_binds_it_with_a_photo_once_and_for_good(
    blank: Mark, unmarked: list[Derivative], inspector: User, now: datetime
) -> None:
    rows = Mark.objects.filter(pk=blank.pk)
    for change in (
        {"state": "active"},
        {"derivative": unmarked[0]},
        {"state": "void", "derivative": unmarked[0]},
        {"state": "active", "derivative": unmarked[0]},  # no photo
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            rows.update(**change)
    apply_blank(actor=inspector, at=now, code=blank.code, derivative=unmarked[0], photo=picture())
    with pytest.raises(DatabaseError), transaction.atomic():
        rows.update(derivative=unmarked[1])
    with pytest.raises(DatabaseError), transaction.atomic():
        rows.update(state="blank", derivative=None)
    with pytest.raises(DatabaseError), transaction.atomic():
        LabelApplication.objects.all().delete()


def test_registering_binds_the_labels_that_rows_name(
    reel: LabelReel, open_intake: Intake, inspector: User, now: datetime
) -> None:
    codes = list(Mark.objects.filter(reel=reel).order_by("place_on_reel").values_list("code", flat=True))
    named = name_row_labels(
        actor=inspector, at=now, intake=open_intake, labels={1: codes[0].lower(), 4: codes[3]}, own_hosts=()
    )
    assert named == 2
    with pytest.raises(BadInput) as refusal:
        register_and_mark(actor=inspector, at=now, intake=open_intake)
    assert set(refusal.value.fields) == {"rows.1.label", "rows.4.label"}  # no photos yet
    photograph(open_intake, [1, 4], inspector, now)

    done = register_and_mark(actor=inspector, at=now, intake=open_intake, order=LabelOrder("a4-65"))

    by_row = dict(Mark.objects.active().filter(derivative__intake=open_intake).values_list("derivative__row", "code"))
    assert (by_row[1], by_row[4]) == (codes[0], codes[3])
    assert len(by_row) == 6
    assert done.label_run is not None
    assert done.label_run.count == 4  # those on horns already are not printed
    assert not RowLabel.objects.exists()
    assert Event.objects.filter(verb="label.bound").count() == 2
    (row,) = reel_rows([reel])
    assert (row.balance.places["applied"], row.balance.adds_up) == (2, True)


def test_a_reel_with_labels_that_open_tables_name_stays(
    reel: LabelReel, open_intake: Intake, inspector: User, now: datetime
) -> None:
    codes = list(Mark.objects.filter(reel=reel).order_by("place_on_reel").values_list("code", flat=True))
    name_row_labels(actor=inspector, at=now, intake=open_intake, labels={1: codes[0]}, own_hosts=())

    with pytest.raises(BadInput) as refusal:
        send_reels(actor=inspector, at=now, receiver=reel.series.printer, reels=[reel])
    assert open_intake.number in str(refusal.value.fields["reels"])

    photograph(open_intake, [1], inspector, now)
    register_and_mark(actor=inspector, at=now, intake=open_intake)
    assert send_reels(actor=inspector, at=now, receiver=reel.series.printer, reels=[reel]).lines.get().sent == 9


def test_a_label_that_became_another_offices_is_told_to_that_office(
    reel: LabelReel, open_intake: Intake, inspector: User, storekeeper: User, now: datetime
) -> None:
    """Named while it was ours; the reel went on by a door that did not look."""
    shipment = send_reels(actor=inspector, at=now, receiver=reel.series.printer, reels=[reel])
    receive_reels(actor=storekeeper, at=now, shipment=shipment, counts={reel.pk: Counted(reel.size)})
    blank = Mark.objects.get(reel=reel, place_on_reel=1)
    RowLabel.objects.create(intake=open_intake, row=1, mark=blank, is_foreign=False, named_by=inspector, named_at=now)
    photograph(open_intake, [1], inspector, now)

    register_and_mark(actor=inspector, at=now, intake=open_intake)

    applied = LabelApplication.objects.get(mark=blank)
    assert (applied.is_foreign, applied.office) == (True, reel.series.printer)
    assert Notice.objects.get(code="labels.foreign").organisation == reel.series.printer


def test_rows_name_only_labels_that_can_be_bound(
    reel: LabelReel, marks: list[Mark], receive: Receive, inspector: User, now: datetime
) -> None:
    other_intake = receive(rows=2)
    codes = list(Mark.objects.filter(reel=reel).order_by("place_on_reel").values_list("code", flat=True))

    def name(labels: dict[int, str], intake: Intake = other_intake) -> int:
        return name_row_labels(actor=inspector, at=now, intake=intake, labels=labels, own_hosts=())

    for wrong in ({1: "nonsense"}, {1: marks[0].code}, {99: codes[0]}, {1: codes[0], 2: codes[0]}):
        with pytest.raises(BadInput):
            name(wrong)
    write_off(
        actor=inspector, at=now, reel=reel, places=[5], kind=LabelMovement.Kind.SPOILED, reason="Torn in the store"
    )
    with pytest.raises(LabelRefused):
        name({1: codes[4]})
    assert name({1: codes[0], 2: codes[1]}) == 2
    assert name({1: codes[0]}) == 2
    assert name({2: ""}) == 1


def test_the_page_binds_a_label(
    blank: Mark, unmarked: list[Derivative], inspector: User, storekeeper: User, client: Client
) -> None:
    client.force_login(storekeeper)
    url = f"/items/{unmarked[0].pk}/bind/"
    assert client.get(url).status_code == 200
    asked = client.post(url, {"label": blank.code, "photo": picture()})
    assert asked.status_code == 422
    assert asked.context["form"].errors["confirm_foreign"]
    client.force_login(inspector)
    assert client.post(url, {"label": blank.code}).status_code == 422
    assert client.post(url, {"label": "7H4Q-9TX2-MW8H", "photo": picture()}).status_code == 422

    done = client.post(url, {"label": f"https://testserver/M/{blank.code}", "photo": picture()})

    assert done["Location"] == f"/items/{unmarked[0].pk}/"
    assert Mark.objects.active().get(derivative=unmarked[0]) == blank
    assert blank == client.get(url).context["former"]


def test_the_page_of_row_labels(reel: LabelReel, open_intake: Intake, inspector: User, client: Client) -> None:
    client.force_login(inspector)
    codes = list(Mark.objects.filter(reel=reel).values_list("code", flat=True))
    url = f"/intakes/{open_intake.pk}/blank-labels/"
    assert client.get(url).status_code == 200

    wrong = client.post(url, {"label-1": "XXXX", "label-2": codes[0]})
    assert wrong.status_code == 422
    assert codes[0] in wrong.content.decode()
    assert client.post(url, {"label-2": codes[0]}).status_code == 302
    assert RowLabel.objects.get().row == 2
