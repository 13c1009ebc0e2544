"""Destruction: no goods leave without a scanned list and the signatures of a commission of three."""

import io
from collections.abc import Callable
from datetime import datetime

import pypdfium2
import pytest
from django.core.files.base import ContentFile
from PIL import Image

from core.accounts.models import User
from core.base.errors import BadInput, InvalidTransition, NotAllowed
from core.documents.attaching import attach_files
from core.documents.models import Document
from core.documents.services import keep_document
from custody.models import CommissionMember, DestructionOrder
from custody.services import destruction
from ledger.models import AccountKind, CustodyAccount, Hold, Holding, Movement, MovementKind
from ledger.selectors import find_differences
from ledger.services import ItemsOnHold, dispatch_items, lift_hold, move_items
from marking.models import Mark
from marking.selectors import Reason, check_text
from registry.models import Derivative, Intake, Outcome
from registry.services import DecisionFacts, confirm_decision, record_decision
from tests.builders import register
from tests.custody.test_loss import refused

Later = Callable[..., datetime]
BASIS = DestructionOrder.Basis


def picture() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (64, 48), "white").save(out, "PNG")
    return out.getvalue()


def show(order: DestructionOrder, actor: User, at: datetime) -> None:
    """A photo of the fire, added as the files component adds it."""
    attach_files(
        actor=actor,
        at=at,
        subject=("destruction", order.pk),
        files=[ContentFile(picture(), "fire.png")],
        caption="Fire",
    )


@pytest.fixture
def order(
    marked: list[Derivative], storekeeper: User, reception_store: CustodyAccount, now: datetime
) -> DestructionOrder:
    """Three of six horns of the reception store are rotten."""
    return destruction.order_destruction(
        actor=storekeeper,
        at=now,
        store=reception_store,
        basis=BASIS.SPOILAGE,
        basis_paper="Act of inspection 5",
        planned_on=now.date(),
        item_ids=[horn.pk for horn in marked[:3]],
    )


def seat(order: DestructionOrder, actor: User, at: datetime, *users: User, witness: str = "") -> None:
    for user in users:
        destruction.seat_member(actor=actor, at=at, order=order, user=user, post="Member")
    if witness:
        destruction.seat_member(actor=actor, at=at, order=order, user=None, full_name=witness, post="Akimat")


@pytest.fixture
def closed(
    order: DestructionOrder, marked: list[Derivative], storekeeper: User, inspector: User, now: datetime
) -> DestructionOrder:
    """Two of the three are in hand; the storekeeper, the inspector and a witness are to sign."""
    seat(order, storekeeper, now, storekeeper, inspector, witness="Смағұлов Ербол")
    for horn in marked[:2]:
        destruction.scan_goods(actor=storekeeper, at=now, order=order, item_id=horn.pk)
    show(order, storekeeper, now)
    return destruction.close_list(
        actor=storekeeper, at=now, order=order, place="Oral", method="Burning", mass_before_g=400, mass_after_g=60
    )


def sign_all(order: DestructionOrder, taker: User, at: datetime) -> None:
    for member in order.members.all():
        signer, drawn = (member.user, None) if member.user else (taker, picture())
        destruction.sign_destruction(actor=signer, at=at, member=member, digest=order.digest, picture=drawn)


def test_listed_goods_are_held(
    order: DestructionOrder, marked: list[Derivative], storekeeper: User, reception_store: CustodyAccount,
    central_store: CustodyAccount, now: datetime,
) -> None:  # fmt: skip
    with pytest.raises(ItemsOnHold):
        dispatch_items(
            actor=storekeeper, at=now, key="x", source=reception_store, target=central_store, item_ids=[marked[0].pk]
        )
    with pytest.raises(ItemsOnHold):
        destruction.order_destruction(
            actor=storekeeper, at=now, store=reception_store, basis=BASIS.UNFIT, basis_paper="-", planned_on=now.date(),
            item_ids=[marked[0].pk],
        )  # fmt: skip


def test_a_commission_destroys_what_it_has_in_hand_and_the_marks_say_so(
    closed: DestructionOrder, marked: list[Derivative], storekeeper: User, inspector: User,
    reception_store: CustodyAccount, later: Later,
) -> None:  # fmt: skip
    code = Mark.objects.get(derivative=marked[0]).code
    sign_all(closed, inspector, later(hours=1))

    done = destruction.execute_destruction(actor=storekeeper, at=later(hours=2), order=closed)

    places = dict(
        Holding.objects.filter(item__in=[h.pk for h in marked], pieces__gt=0).values_list("item", "account__kind")
    )
    assert [places[horn.pk] for horn in marked] == ["destruction"] * 2 + ["store"] * 4
    assert not Hold.objects.active().exists()
    assert check_text(code, own_hosts=()).reasons == (Reason.DESTROYED,)
    assert sorted(done.lines.values_list("outcome", flat=True)) == ["destroyed", "destroyed", "left"]
    movement = Movement.objects.get(kind="destruction")
    assert movement.document == done.paper_kk
    assert find_differences() == {}
    for paper in (done.paper_kk, done.paper_ru, done.paper_en):
        assert paper is not None
        text = "".join(page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(paper.file.read()))
        for said in (done.number, marked[0].number, "Смағұлов Ербол", inspector.full_name):
            assert said in text
        assert marked[2].number not in text


def test_nothing_is_executed_before_all_have_signed(
    closed: DestructionOrder, marked: list[Derivative], storekeeper: User, inspector: User, trader: User, now: datetime
) -> None:
    first, second, witness = closed.members.all()
    destruction.sign_destruction(actor=storekeeper, at=now, member=first, digest=closed.digest)
    with pytest.raises(NotAllowed):
        destruction.sign_destruction(actor=storekeeper, at=now, member=second, digest=closed.digest)
    with pytest.raises(BadInput):
        destruction.sign_destruction(actor=inspector, at=now, member=witness, digest=closed.digest)
    with pytest.raises(InvalidTransition):
        destruction.sign_destruction(actor=inspector, at=now, member=second, digest="other")
    with pytest.raises(destruction.NotSignedByAll):
        destruction.execute_destruction(actor=storekeeper, at=now, order=closed)
    with pytest.raises(NotAllowed):
        destruction.execute_destruction(actor=trader, at=now, order=closed)
    assert not Movement.objects.filter(kind="destruction").exists()


def test_a_commission_of_two_or_of_the_creator_alone_is_refused(
    order: DestructionOrder, marked: list[Derivative], storekeeper: User, inspector: User, now: datetime
) -> None:
    destruction.scan_goods(actor=storekeeper, at=now, order=order, item_id=marked[0].pk)
    masses = {"place": "Oral", "method": "Burning", "mass_before_g": 200, "mass_after_g": 0}
    seat(order, storekeeper, now, storekeeper, witness="A A")
    with pytest.raises(destruction.CommissionTooSmall):
        destruction.close_list(actor=storekeeper, at=now, order=order, **masses)  # type: ignore[arg-type]
    seat(order, storekeeper, now, witness="B B")
    with pytest.raises(destruction.OnlyOwnSignatures):
        destruction.close_list(actor=storekeeper, at=now, order=order, **masses)  # type: ignore[arg-type]
    assert DestructionOrder.objects.get().state == "planned"


def test_pictures_are_part_of_it(
    order: DestructionOrder, marked: list[Derivative], storekeeper: User, inspector: User, now: datetime
) -> None:
    seat(order, storekeeper, now, storekeeper, inspector, witness="A A")
    destruction.scan_goods(actor=inspector, at=now, order=order, item_id=marked[0].pk, weighed_g=180)
    closed = destruction.close_list(
        actor=storekeeper, at=now, order=order, place="Oral", method="Burning", mass_before_g=180, mass_after_g=0
    )
    sign_all(closed, inspector, now)
    with pytest.raises(destruction.PicturesNeeded):
        destruction.execute_destruction(actor=storekeeper, at=now, order=closed)


def test_an_opened_list_needs_new_signatures(
    closed: DestructionOrder, storekeeper: User, inspector: User, now: datetime
) -> None:
    sign_all(closed, inspector, now)

    again = destruction.open_list_again(actor=storekeeper, at=now, order=closed, reason="One more horn")

    assert again.members.filter(signed_at=None).count() == 3


def test_goods_that_a_court_ordered_to_be_destroyed_leave_by_its_order_only(
    open_seizure: Intake, marked: list[Derivative], inspector: User, authority_officer: User,
    evidence_room: CustodyAccount, reception_store: CustodyAccount, now: datetime,
) -> None:  # fmt: skip
    goods = register(open_seizure, actor=inspector, at=now)
    keys = [horn.pk for horn in goods]
    case = goods[0].intake.case
    assert case is not None
    ask = {"actor": inspector, "at": now, "basis_paper": "7", "planned_on": now.date()}
    with pytest.raises(ItemsOnHold):
        destruction.order_destruction(store=evidence_room, basis=BASIS.COURT, item_ids=keys, **ask)  # type: ignore[arg-type]
    paper = DecisionFacts("Court", "7", now.date(), now.date())
    outcomes = {Outcome.DESTROY: keys[:3], Outcome.CONFISCATED: keys[3:]}
    decision = record_decision(actor=inspector, at=now, case=case, facts=paper, outcomes=outcomes)
    confirm_decision(actor=authority_officer, at=now, decision=decision)
    with pytest.raises(destruction.CourtDecidesOtherwise):
        destruction.order_destruction(store=evidence_room, basis=BASIS.UNFIT, item_ids=keys[:1], **ask)  # type: ignore[arg-type]
    with pytest.raises(destruction.CourtDecidesOtherwise):
        destruction.order_destruction(store=evidence_room, basis=BASIS.COURT, item_ids=keys, **ask)  # type: ignore[arg-type]

    order = destruction.order_destruction(store=evidence_room, basis=BASIS.COURT, item_ids=keys[:3], **ask)  # type: ignore[arg-type]
    refused(
        lambda: lift_hold(actor=inspector, at=now, item_ids=keys[:1], kind=Hold.Kind.COURT, reason="Sold"),
        "hold_is_lifted_by_its_act",
    )
    destruction.cancel_destruction(actor=inspector, at=now, order=order, reason="Rain")

    assert set(Hold.objects.active().values_list("item_id", "kind")) == {(key, "court") for key in keys[:3]}


def test_the_database_wants_three_signatures_and_not_the_creators_alone(
    closed: DestructionOrder, storekeeper: User, inspector: User, now: datetime
) -> None:
    paper = keep_document(actor=storekeeper, at=now, kind=Document.Kind.REPORT, name="a.pdf", content=b"%PDF-1.4")
    end = {"state": "executed", "ended_by": storekeeper, "ended_at": now}
    end |= {"paper_kk": paper, "paper_ru": paper, "paper_en": paper}
    rows = DestructionOrder.objects.filter(pk=closed.pk)
    refused(lambda: rows.update(**end), "destruction_is_signed_by_its_commission")
    first, second, witness = closed.members.all()
    for member in (first, second):
        destruction.sign_destruction(actor=member.user, at=now, member=member, digest=closed.digest)  # type: ignore[arg-type]
    refused(lambda: rows.update(**end), "destruction_is_signed_by_its_commission")
    forged = {"signed_at": now, "signed_digest": closed.digest, "taken_by": storekeeper}
    refused(
        lambda: CommissionMember.objects.filter(pk=witness.pk).update(**forged),
        "members_sign_themselves_and_witnesses_draw",
    )
    refused(lambda: CommissionMember.objects.filter(pk=witness.pk)._raw_delete("default"), "commission_sits_while")
    destruction.sign_destruction(actor=inspector, at=now, member=witness, digest=closed.digest, picture=picture())
    refused(lambda: rows.update(**end), "destruction_moves_its_goods")
    refused(lambda: closed.lines.update(weighed_g=1), "destruction_list_is_fixed_when_signed")
    refused(lambda: closed.lines.update(outcome="destroyed"), "")
    refused(lambda: rows.update(quorum=2), "")
    assert DestructionOrder.objects.get().state == "signing"


def test_the_database_destroys_nothing_without_an_order(
    closed: DestructionOrder,
    marked: list[Derivative],
    storekeeper: User,
    reception_store: CustodyAccount,
    now: datetime,
) -> None:
    refused(
        lambda: move_items(
            actor=storekeeper,
            at=now,
            key="k",
            kind=MovementKind.DESTRUCTION,
            item_ids=[marked[5].pk],
            source=reception_store,
            target=CustodyAccount.objects.boundary(AccountKind.DESTRUCTION),
            effective_on=now.date(),
        ),
        "goods_leave_by_their_act",
    )
    refused(
        lambda: lift_hold(actor=storekeeper, at=now, item_ids=[marked[0].pk], kind=Hold.Kind.TO_DESTROY, reason="-"),
        "hold_is_lifted_by_its_act",
    )
