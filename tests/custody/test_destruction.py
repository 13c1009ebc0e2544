"""Destruction: no goods leave without a scanned list and the signatures of a commission of three."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pypdfium2
import pytest
from django.core.files.base import ContentFile

from core.accounts.independence import DAYS
from core.accounts.models import Organisation, User
from core.accounts.roles import Role
from core.accounts.services import make_password_key
from core.base.errors import BadInput, InvalidTransition, NotAllowed, NotFound
from core.documents.attaching import ClosedToFiles, FilesAreKept, attach_files, withdraw_file
from core.documents.models import Attachment, Document, Withdrawal
from core.documents.services import keep_document
from core.notices.models import Notice
from custody.models import CommissionMember, DestructionOrder
from custody.papers import destruction_paper, draw_destruction_act
from custody.services import destruction
from ledger.models import AccountKind, CustodyAccount, Hold, Holding, Movement, MovementKind
from ledger.selectors import find_differences
from ledger.services import CommissionTooSmall, ItemsOnHold, dispatch_items, lift_hold, move_items
from marking.models import Mark
from marking.selectors import Reason, check_text
from registry.models import Derivative, Intake, Outcome
from registry.services import DecisionFacts, confirm_decision, record_decision
from tests.builders import register
from tests.cast import enter_person, give_role
from tests.custody.test_loss import refused
from tests.files import dot, picture, scanned, scrawl

Later = Callable[..., datetime]
BASIS = DestructionOrder.Basis


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
        basis_file=ContentFile(scanned(), "act.png"),
        planned_on=now.date(),
        item_ids=[horn.pk for horn in marked[:3]],
    )


def seat(order: DestructionOrder, actor: User, at: datetime, *users: User, witness: str = "") -> None:
    for user in users:
        destruction.seat_member(actor=actor, at=at, order=order, user=user, post="Member")
    if witness:
        destruction.seat_member(
            actor=actor, at=at, order=order, user=None, full_name=witness, identity="ID 012345678", post="Akimat"
        )


@pytest.fixture
def closed(
    order: DestructionOrder, marked: list[Derivative], storekeeper: User, inspector: User, authority_officer: User,
    now: datetime,
) -> DestructionOrder:  # fmt: skip
    """Two of the three are in hand; the storekeeper, the inspector, an officer and a witness are to sign."""
    seat(order, storekeeper, now, storekeeper, inspector, authority_officer, witness="Смағұлов Ербол")
    for horn in marked[:2]:
        destruction.scan_goods(actor=storekeeper, at=now, order=order, item_id=horn.pk)
    show(order, storekeeper, now)
    return destruction.close_list(
        actor=storekeeper,
        at=now,
        order=order,
        place="Oral",
        method="Burning",
        mass_before_g=sum(horn.mass_g for horn in marked[:2]),
        mass_after_g=60,
    )


def sign_all(order: DestructionOrder, taker: User, at: datetime) -> None:
    for member in order.members.all():
        signer, drawn = (member.user, None) if member.user else (taker, scrawl())
        destruction.sign_destruction(actor=signer, at=at, member=member, digest=order.digest, picture=drawn)


def test_a_witness_draws_a_line(closed: DestructionOrder, inspector: User, now: datetime) -> None:
    witness = closed.members.get(user=None)

    for nothing in (picture(), picture("black"), dot()):
        with pytest.raises(BadInput) as refusal:
            destruction.sign_destruction(actor=inspector, at=now, member=witness, digest=closed.digest, picture=nothing)
        assert set(refusal.value.fields) == {"signature"}

    witness.refresh_from_db()
    assert witness.signed_at is None


def test_listed_goods_are_held(
    order: DestructionOrder, marked: list[Derivative], storekeeper: User, reception_store: CustodyAccount,
    central_store: CustodyAccount, now: datetime,
) -> None:  # fmt: skip
    with pytest.raises(ItemsOnHold):
        dispatch_items(
            carried_by="A courier",
            actor=storekeeper,
            at=now,
            key="x",
            source=reception_store,
            target=central_store,
            item_ids=[marked[0].pk],
        )
    with pytest.raises(ItemsOnHold):
        destruction.order_destruction(
            actor=storekeeper, at=now, store=reception_store, basis=BASIS.UNFIT, basis_paper="-", planned_on=now.date(),
            basis_file=ContentFile(scanned(), "act.png"),
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
    assert movement.reference == done.number
    assert find_differences() == {}
    for language in ("kk", "ru", "en"):
        paper = destruction_paper(done, language, actor=storekeeper, at=later(hours=3))
        assert destruction_paper(done, language, actor=inspector, at=later(hours=4)) == paper
        text = "".join(page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(paper.file.read()))
        for said in (done.number, marked[0].number, "Смағұлов Ербол", inspector.full_name, "012345678"):
            assert said in text
        assert marked[2].number not in text


def test_nothing_is_executed_before_all_have_signed(
    closed: DestructionOrder, marked: list[Derivative], storekeeper: User, inspector: User, trader: User, now: datetime
) -> None:
    first, second, _third, witness = closed.members.all()
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


def close(order: DestructionOrder, actor: User, at: datetime, **said: Any) -> DestructionOrder:
    told: dict[str, Any] = {"place": "Oral", "method": "Burning", "mass_before_g": 180, "mass_after_g": 0}
    return destruction.close_list(actor=actor, at=at, order=order, **(told | said))


def test_witnesses_stand_beside_three_persons_of_the_register_never_for_one(
    order: DestructionOrder, marked: list[Derivative], storekeeper: User, inspector: User, now: datetime
) -> None:
    destruction.scan_goods(actor=storekeeper, at=now, order=order, item_id=marked[0].pk)
    show(order, storekeeper, now)
    seat(order, storekeeper, now, storekeeper, inspector, witness="Witness A.")
    seat(order, storekeeper, now, witness="Witness B.")

    with pytest.raises(CommissionTooSmall):
        close(order, storekeeper, now)

    assert DestructionOrder.objects.get().state == "planned"


def test_the_keepers_own_people_alone_are_no_commission(
    order: DestructionOrder, marked: list[Derivative], storekeeper: User, administrator: User,
    okhotzooprom: Organisation, authority_officer: User, now: datetime,
) -> None:  # fmt: skip
    own = [
        enter_person(f"keeper{n}", f"Ким {letter}", Role.STOREKEEPER, okhotzooprom, appointed_by=administrator)
        for n, letter in enumerate("АБ")
    ]
    seat(order, storekeeper, now, storekeeper, *own)
    destruction.scan_goods(actor=storekeeper, at=now, order=order, item_id=marked[0].pk)
    show(order, storekeeper, now)
    with pytest.raises(destruction.OutsiderNeeded):
        close(order, storekeeper, now)

    seat(order, storekeeper, now, authority_officer)

    assert close(order, storekeeper, now).state == "signing"


def test_a_witness_is_identified_and_nobody_without_a_role_sits(
    order: DestructionOrder, storekeeper: User, stranger: User, now: datetime
) -> None:
    for said in ({"user": None, "full_name": "Asan A.", "identity": " "}, {"user": stranger},
                 {"user": None, "full_name": "Asan A.", "identity": "document x"},
                 {"user": None, "full_name": "Asan A.", "identity": "№ 1, 12.03.2021"},
                 {"user": None, "full_name": "Asan A.", "identity": "123456789012"},
                 {"user": None, "full_name": "xxxxxxxx", "identity": "ID 012345678"}):  # fmt: skip
        with pytest.raises(BadInput):
            destruction.seat_member(actor=storekeeper, at=now, order=order, post="-", **said)
    refused(
        lambda: CommissionMember.objects.create(order=order, full_name="A A", post="-"),
        "commission_sits_while_the_order_lives",
    )
    assert not order.members.exists()


def test_who_has_a_members_account_in_hand_is_not_seated_beside_them(
    order: DestructionOrder, storekeeper: User, inspector: User, administrator: User, now: datetime, later: Later
) -> None:
    make_password_key(actor=administrator, at=now, person=storekeeper)
    seat(order, storekeeper, now, storekeeper, inspector)

    with pytest.raises(BadInput) as refusal:
        seat(order, storekeeper, later(minutes=5), administrator)
    assert set(refusal.value.fields) == {"username"}
    assert order.members.count() == 2

    seat(order, storekeeper, later(days=DAYS + 1), administrator)
    assert order.members.count() == 3


def test_legal_goods_are_destroyed_on_a_document(
    marked: list[Derivative], storekeeper: User, reception_store: CustodyAccount, now: datetime
) -> None:
    said = {"actor": storekeeper, "at": now, "store": reception_store, "basis": BASIS.UNFIT, "planned_on": now.date()}
    with pytest.raises(BadInput) as refusal:
        destruction.order_destruction(basis_paper="Act 1", item_ids=[marked[0].pk], **said)  # type: ignore[arg-type]
    assert set(refusal.value.fields) == {"basis_file"}
    refused(
        lambda: DestructionOrder.objects.create(
            number="DE25-9", store=reception_store, basis="unfit", basis_paper="-", planned_on=now.date(), quorum=3,
            ordered_by=storekeeper, ordered_at=now,
        ),
        "destruction_of_legal_goods_has_a_document",
    )  # fmt: skip
    assert not DestructionOrder.objects.exists()


def test_an_item_that_is_not_on_the_list_is_refused_loudly(
    order: DestructionOrder, marked: list[Derivative], storekeeper: User, now: datetime
) -> None:
    with pytest.raises(destruction.NotOnTheList):
        destruction.scan_goods(actor=storekeeper, at=now, order=order, item_id=marked[5].pk)


def test_a_mass_far_from_the_register_is_asked_about_explained_and_told(
    order: DestructionOrder, marked: list[Derivative], storekeeper: User, inspector: User, authority_officer: User,
    now: datetime,
) -> None:  # fmt: skip
    horn = marked[0]
    seat(order, storekeeper, now, storekeeper, inspector, authority_officer)
    show(order, storekeeper, now)
    with pytest.raises(destruction.MassNotConfirmed):
        destruction.scan_goods(actor=inspector, at=now, order=order, item_id=horn.pk, weighed_g=1)
    assert not order.lines.exclude(weighed_g=None).exists()
    odd = {"actor": inspector, "at": now, "order": order, "item_id": horn.pk, "weighed_g": 1, "is_confirmed": True}
    for nothing in ("", "xxxxxxxxxx"):
        with pytest.raises(destruction.MassNotConfirmed) as unsaid:
            destruction.scan_goods(**odd, mass_reason=nothing)
        assert set(unsaid.value.fields) == {"mass_reason"}
    assert not order.lines.exclude(weighed_g=None).exists()
    destruction.scan_goods(**odd, mass_reason="Eaten by moths to the core")

    with pytest.raises(BadInput) as refusal:
        close(order, storekeeper, now, mass_before_g=horn.mass_g)
    assert set(refusal.value.fields) == {"mass_before_g", "mass_reason"}
    closed = close(order, storekeeper, now, mass_before_g=1, mass_reason="Only dust was left of it")

    notice = Notice.objects.get(code="destruction.mass_differs")
    assert notice.organisation.kind == "ministry"
    assert notice.params["booked"] == horn.mass_g
    assert closed.mass_reason == "Only dust was left of it"
    line = closed.lines.get(item=horn.pk)
    assert (line.booked_g, line.weighed_g, line.mass_reason) == (horn.mass_g, 1, "Eaten by moths to the core")
    paper = pypdfium2.PdfDocument(draw_destruction_act(closed, "ru", at=now))
    said = "".join(page.get_textpage().get_text_range() for page in paper)
    assert {"Eaten", str(horn.mass_g)} <= set(said.split())


def test_the_database_wants_a_reason_of_every_odd_mass(
    order: DestructionOrder, marked: list[Derivative], storekeeper: User, inspector: User, authority_officer: User,
    now: datetime,
) -> None:  # fmt: skip
    seat(order, storekeeper, now, storekeeper, inspector, authority_officer)
    show(order, storekeeper, now)
    destruction.scan_goods(actor=inspector, at=now, order=order, item_id=marked[0].pk)
    order.lines.filter(item=marked[0].pk).update(weighed_g=1)  # as an earlier version took it

    with pytest.raises(destruction.MassNotConfirmed, match=marked[0].number):
        close(order, storekeeper, now, mass_before_g=1, mass_reason="Only dust was left of it")
    refused(
        lambda: DestructionOrder.objects.filter(pk=order.pk).update(
            state="signing", mass_before_g=1, mass_after_g=1, digest="0" * 64, place="Oral", method="Burned"
        ),
        "odd_mass_of_an_item_says_why",
    )


def test_pictures_are_part_of_what_is_signed(
    order: DestructionOrder, marked: list[Derivative], storekeeper: User, inspector: User, authority_officer: User,
    now: datetime,
) -> None:  # fmt: skip
    seat(order, storekeeper, now, storekeeper, inspector, authority_officer)
    destruction.scan_goods(actor=inspector, at=now, order=order, item_id=marked[0].pk, weighed_g=180)
    with pytest.raises(destruction.PicturesNeeded):
        close(order, storekeeper, now)
    without = destruction.digest_of(order)
    show(order, storekeeper, now)
    file = Attachment.objects.get()
    assert destruction.digest_of(order) != without
    closed = close(order, storekeeper, now)
    sign_all(closed, inspector, now)

    with pytest.raises(ClosedToFiles):
        show(order, storekeeper, now)
    with pytest.raises(FilesAreKept):
        withdraw_file(actor=storekeeper, at=now, attachment=file, reason="Evidence gone")
    refused(
        lambda: Withdrawal.objects.create(attachment=file, reason="-", by=storekeeper, at=now), "files_of_acts_stay"
    )
    late = keep_document(actor=storekeeper, at=now, kind=Document.Kind.PHOTO, name="b.png", content=picture())
    refused(
        lambda: Attachment.objects.create(
            document=late, subject_kind="destruction", subject_id=str(order.pk), added_by=storekeeper, added_at=now
        ),
        "files_of_acts_stay",
    )

    again = destruction.open_list_again(actor=storekeeper, at=now, order=closed, reason="One more photo")
    withdraw_file(actor=storekeeper, at=now, attachment=file, reason="Another fire")

    assert again.members.filter(signed_at=None).count() == 3


def test_an_opened_list_needs_new_signatures(
    closed: DestructionOrder, storekeeper: User, inspector: User, now: datetime
) -> None:
    sign_all(closed, inspector, now)

    again = destruction.open_list_again(actor=storekeeper, at=now, order=closed, reason="One more horn")

    assert again.members.filter(signed_at=None).count() == 4


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
        destruction.order_destruction(
            store=evidence_room,
            basis=BASIS.UNFIT,
            item_ids=keys[:1],
            basis_file=ContentFile(scanned(), "a.png"),
            **ask,  # type: ignore[arg-type]
        )
    with pytest.raises(destruction.CourtDecidesOtherwise):
        destruction.order_destruction(store=evidence_room, basis=BASIS.COURT, item_ids=keys, **ask)  # type: ignore[arg-type]

    order = destruction.order_destruction(store=evidence_room, basis=BASIS.COURT, item_ids=keys[:3], **ask)  # type: ignore[arg-type]
    refused(
        lambda: lift_hold(actor=inspector, at=now, item_ids=keys[:1], kind=Hold.Kind.COURT, reason="Sold, as told"),
        "hold_is_lifted_by_its_act",
    )
    destruction.cancel_destruction(actor=inspector, at=now, order=order, reason="Rain, as told")

    assert set(Hold.objects.active().values_list("item_id", "kind")) == {(key, "court") for key in keys[:3]}


def test_the_database_wants_three_persons_and_one_from_outside(
    closed: DestructionOrder, storekeeper: User, inspector: User, authority_officer: User, now: datetime
) -> None:
    end = {"state": "executed", "ended_by": storekeeper, "ended_at": now}
    rows = DestructionOrder.objects.filter(pk=closed.pk)
    refused(lambda: rows.update(**end), "destruction_is_signed_by_its_commission")
    *people, third, witness = closed.members.all()
    for member in people:
        destruction.sign_destruction(actor=member.user, at=now, member=member, digest=closed.digest)  # type: ignore[arg-type]
    destruction.sign_destruction(actor=inspector, at=now, member=witness, digest=closed.digest, picture=scrawl())
    refused(lambda: rows.update(**end), "destruction_is_signed_by_its_commission")
    forged = {"signed_at": now, "signed_digest": closed.digest, "taken_by": storekeeper}
    refused(
        lambda: CommissionMember.objects.filter(pk=third.pk).update(**forged),
        "members_sign_themselves_and_witnesses_draw",
    )
    refused(lambda: CommissionMember.objects.filter(pk=third.pk)._raw_delete("default"), "commission_sits_while")
    destruction.sign_destruction(actor=authority_officer, at=now, member=third, digest=closed.digest)
    refused(lambda: rows.update(**end), "destruction_moves_its_goods")
    refused(lambda: closed.lines.update(weighed_g=1), "destruction_list_is_fixed_when_signed")
    refused(lambda: closed.lines.update(outcome="destroyed"), "")
    refused(lambda: rows.update(quorum=2), "")
    refused(lambda: rows.update(basis_document=None), "")
    assert DestructionOrder.objects.get().state == "signing"


def test_the_database_knows_the_keepers_own_people(
    order: DestructionOrder, marked: list[Derivative], storekeeper: User, administrator: User,
    okhotzooprom: Organisation, now: datetime,
) -> None:  # fmt: skip
    own = [
        enter_person(f"keeper{n}", f"Ким {letter}", Role.STOREKEEPER, okhotzooprom, appointed_by=administrator)
        for n, letter in enumerate("АБ")
    ]
    seat(order, storekeeper, now, storekeeper, *own)
    order.lines.filter(item=marked[0].pk).update(scanned_by=storekeeper, scanned_at=now)
    signing = {"state": "signing", "digest": "a" * 64, "place": "-", "method": "-", "mass_before_g": 1}
    rows = DestructionOrder.objects.filter(pk=order.pk)
    rows.update(mass_after_g=0, **signing)
    for member in order.members.all():
        destruction.sign_destruction(actor=member.user, at=now, member=member, digest="a" * 64)  # type: ignore[arg-type]

    refused(
        lambda: rows.update(state="executed", ended_by=storekeeper, ended_at=now),
        "destruction_is_signed_by_its_commission",
    )


def test_what_has_ended_stays_and_its_act_is_drawn_once(
    closed: DestructionOrder, storekeeper: User, inspector: User, now: datetime
) -> None:
    rows = DestructionOrder.objects.filter(pk=closed.pk)
    with pytest.raises(NotFound):
        destruction_paper(closed, "kk", actor=storekeeper, at=now)
    sign_all(closed, inspector, now)
    done = destruction.execute_destruction(actor=storekeeper, at=now, order=closed)
    destruction_paper(done, "kk", actor=storekeeper, at=now)

    refused(lambda: rows.update(mass_after_g=1), "destruction_ended_for_good")
    refused(lambda: rows.update(paper_kk=None), "destruction_ended_for_good")


def test_a_person_of_two_organisations_orders_only_where_the_role_grants_it(
    marked: list[Derivative], trader: User, administrator: User, okhotzooprom: Organisation,
    trader_store: CustodyAccount,    reception_store: CustodyAccount, now: datetime,
) -> None:  # fmt: skip
    give_role(trader, Role.STOREKEEPER, okhotzooprom, by=administrator, at=now)
    both = User.objects.get(pk=trader.pk)

    assert destruction.can_order(both, reception_store)
    assert not destruction.can_order(both, trader_store)


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
