"""Hand-overs with two sides: seals, a sample weighed, reasons line by line, signatures, papers, lateness."""

import base64
from datetime import datetime, timedelta

import pypdfium2
import pytest
import zxingcpp
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.utils import translation

from core.accounts.models import User
from core.base.errors import BadInput, InvalidTransition
from core.notices.models import Notice
from ledger.models import CustodyAccount, Handover, HandoverLine, HandoverPaper, HandoverSeal, HandoverSignature
from ledger.sampling import draw
from ledger.services import OddOnArrival, SecondPersonNeeded, tell_late
from permits import services
from permits.papers import check_code, kinds_of, paper_of
from registry.models import Derivative
from tests.cast import PASSWORD
from tests.files import scrawl
from tests.rights import keys


@pytest.fixture
def sent(
    inspector: User,
    now: datetime,
    marked: list[Derivative],
    reception_store: CustodyAccount,
    central_store: CustodyAccount,
) -> Handover:
    return services.dispatch_goods(
        actor=inspector,
        at=now,
        key="sent",
        source=reception_store,
        target=central_store,
        item_ids=keys(marked),
        vehicle="512 KZA 27",
        driver="Есенғалиев Марат",
        escort="Сейітов Д.",
        route="Орал – Алматы",
        seals="К-1, К-2",
        expected_at=now + timedelta(days=2),
    )


@pytest.fixture
def receiver(storekeeper: User) -> User:
    return storekeeper


def intact(sent: Handover) -> dict[int, HandoverSeal.State]:
    return dict.fromkeys(sent.seal_checks.values_list("pk", flat=True), HandoverSeal.State.INTACT)


def scan_all(sent: Handover, receiver: User, at: datetime, *, leave: int = 0) -> list[int]:
    items = list(sent.lines.order_by("item_id").values_list("item_id", flat=True))
    for item in items[: len(items) - leave]:
        services.scan_goods(actor=receiver, at=at, handover=sent, item_id=item)
    return items


def sign_in(person: User) -> Client:
    client = Client(HTTP_ACCEPT_LANGUAGE="en")
    client.force_login(person)
    return client


def test_what_the_sender_says_goes_along_and_is_signed(sent: Handover, inspector: User) -> None:
    assert [seal.number for seal in sent.seal_checks.all()] == ["К-1", "К-2"]
    signature = sent.signatures.get()
    assert (signature.side, signature.signed_by) == (HandoverSignature.Side.SENDER, inspector)


def test_a_sample_is_drawn_once_and_anybody_can_draw_it_again(sent: Handover, receiver: User, now: datetime) -> None:
    drawn = services.draw_sample_of_goods(actor=receiver, at=now, handover=sent, size=2)

    items = sorted(sent.lines.values_list("item_id", flat=True))
    sample = set(sent.lines.filter(in_sample=True).values_list("item_id", flat=True))
    assert sample == set(draw(items, seed=drawn.sample_seed, count=2))
    with pytest.raises(InvalidTransition):
        services.draw_sample_of_goods(actor=receiver, at=now, handover=sent, size=3)


def test_another_mass_and_a_broken_seal_are_discrepancies_with_reasons(
    sent: Handover, receiver: User, now: datetime, marked: list[Derivative]
) -> None:
    scan_all(sent, receiver, now)
    light = marked[0]
    half = {"actor": receiver, "at": now, "handover": sent, "item_id": light.pk, "grams": light.mass_g // 2}
    with pytest.raises(OddOnArrival):
        services.weigh_goods(**half)
    services.weigh_goods(**half, confirmed=True)
    services.weigh_goods(actor=receiver, at=now, handover=sent, item_id=marked[1].pk, grams=marked[1].mass_g + 1)
    first, second = sent.seal_checks.all()
    found = {first.pk: HandoverSeal.State.INTACT, second.pk: HandoverSeal.State.BROKEN}

    with pytest.raises(BadInput):
        services.accept_goods(actor=receiver, at=now, handover=sent, seals=found)
    assert not HandoverSeal.objects.exclude(state="unchecked").exists()
    services.accept_goods(
        actor=receiver,
        at=now,
        handover=sent,
        difference_reason="Пломба үзілген",
        reasons={light.pk: "Сынған"},
        seals=found,
        signature=scrawl(),
    )

    codes = set(Notice.objects.filter(subject_kind="handover").values_list("code", flat=True))
    assert codes == {"handover.mass", "handover.seals"}
    assert sent.lines.get(item=light.pk).reason == "Сынған"
    sent.refresh_from_db()
    assert kinds_of(sent) == ["waybill", "act", "discrepancy"]
    assert sent.signatures.get(side="receiver").picture is not None


@pytest.mark.parametrize("language", ["kk", "ru", "en"])
def test_papers_say_what_happened_and_are_kept(sent: Handover, receiver: User, now: datetime, language: str) -> None:
    items = scan_all(sent, receiver, now, leave=1)
    services.accept_goods(
        actor=receiver,
        at=now,
        handover=sent,
        difference_reason="Біреуі жоқ, as told",
        seals=intact(sent),
        carrier_said="refuses",
    )
    sent = Handover.objects.select_related("source__custodian", "target__custodian").get(pk=sent.pk)
    missing = Derivative.objects.get(pk=items[-1])

    texts = {}
    for kind in kinds_of(sent):
        document = paper_of(sent, kind, language, actor=receiver, at=now)  # type: ignore[arg-type]
        assert paper_of(sent, kind, language, actor=receiver, at=now) == document  # type: ignore[arg-type]
        with document.file.open("rb") as content:
            pages = pypdfium2.PdfDocument(content.read())
        texts[kind] = "".join(page.get_textpage().get_text_range() for page in pages)
        assert check_code(sent, kind) in texts[kind]
        symbols = [found.text for found in zxingcpp.read_barcodes(pages[0].render(scale=3).to_pil())]
        assert any(symbol.endswith(f"/handovers/{sent.pk}/") for symbol in symbols)

    assert set(texts) == {"waybill", "act", "discrepancy"}
    assert all(sent.number in text for text in texts.values())
    assert "512 KZA 27" in texts[HandoverPaper.Kind.WAYBILL]
    assert missing.number in texts[HandoverPaper.Kind.DISCREPANCY]
    assert "Біреуі жоқ" in texts[HandoverPaper.Kind.DISCREPANCY]
    with translation.override(language):
        refused = str(Handover.Carrier.REFUSES.label)
    # The driver refused to sign what differed, not what was loaded.
    assert refused in " ".join(texts[HandoverPaper.Kind.DISCREPANCY].split())
    assert refused not in " ".join(texts[HandoverPaper.Kind.WAYBILL].split())


def test_a_discrepancy_act_exists_only_when_something_differed(sent: Handover, receiver: User, now: datetime) -> None:
    scan_all(sent, receiver, now)
    services.accept_goods(actor=receiver, at=now, handover=sent, seals=intact(sent))
    client = sign_in(receiver)

    assert client.get(f"/handovers/{sent.pk}/papers/act.ru.pdf")["Content-Type"] == "application/pdf"
    assert client.get(f"/handovers/{sent.pk}/papers/discrepancy.ru.pdf").status_code == 404
    assert client.get(f"/handovers/{sent.pk}/papers/act.de.pdf").status_code == 404


def test_lateness_is_told_once_to_both_sides(sent: Handover, now: datetime) -> None:
    assert tell_late(at=now + timedelta(days=1)) == 0
    assert tell_late(at=now + timedelta(days=3)) == 1
    assert tell_late(at=now + timedelta(days=4)) == 0

    told = Notice.objects.filter(code="handover.late")
    assert set(told.values_list("organisation", flat=True)) == {sent.source.custodian_id, sent.target.custodian_id}
    assert sent.is_late(now + timedelta(days=3))


def test_the_sender_neither_weighs_nor_accepts(sent: Handover, inspector: User, now: datetime) -> None:
    for act in (
        lambda: services.weigh_goods(actor=inspector, at=now, handover=sent, item_id=1, grams=1),
        lambda: services.accept_goods(actor=inspector, at=now, handover=sent),
    ):
        with pytest.raises(Exception, match=r"receiving store|Another person"):
            act()
    assert not HandoverLine.objects.exclude(weighed_g=None).exists()


def test_the_receiver_sees_the_page_signs_on_the_screen_and_the_item_on_its_way(
    sent: Handover, receiver: User, now: datetime, marked: list[Derivative]
) -> None:
    client = sign_in(receiver)
    scan_all(sent, receiver, now)
    seals = {f"seal-{seal.pk}": "intact" for seal in sent.seal_checks.all()}
    picture = "data:image/png;base64," + base64.b64encode(scrawl()).decode()

    unchecked = client.post(f"/handovers/{sent.pk}/accept/", {"password": PASSWORD})
    forged = client.post(f"/handovers/{sent.pk}/accept/", {**seals, "password": PASSWORD, "signature": "data:x,y"})
    assert (unchecked.status_code, forged.status_code) == (422, 422)
    assert "signature-pad" in client.get(f"/handovers/{sent.pk}/accept/").content.decode()
    client.post(f"/handovers/{sent.pk}/accept/", {**seals, "password": PASSWORD, "signature": picture})

    sent.refresh_from_db()
    assert sent.state == Handover.State.ACCEPTED
    page = client.get(f"/handovers/{sent.pk}/").content.decode()
    assert "act.kk.pdf" in page
    assert "discrepancy.kk.pdf" not in page


def test_goods_are_weighed_on_the_page(sent: Handover, receiver: User, now: datetime, marked: list[Derivative]) -> None:
    client = sign_in(receiver)
    weigh = f"/handovers/{sent.pk}/weigh/"

    assert client.post(weigh, {"size": "99"}).status_code == 422
    assert client.post(weigh, {"size": "2"}).status_code == 302
    asked = client.post(weigh, {"code": marked[0].number, "grams": "10"}).content.decode()
    assert 'name="confirmed"' in asked
    assert not HandoverLine.objects.exclude(weighed_g=None).exists()
    sure = {"item": marked[0].pk, "grams": "10", "confirmed": "yes"}
    light = client.post(weigh, {**sure, "reason": "Мүйіздің ұшы сынған"}).content.decode()
    assert 'data-tone="attention"' in light
    assert HandoverLine.objects.get(handover=sent, item=marked[0].pk).weigh_reason == "Мүйіздің ұшы сынған"
    assert 'name="reason"' in client.post(weigh, {**sure, "grams": "12"}).content.decode()
    client.post(weigh, {**sure, "grams": "12", "reason": "Таразы сыпырылмаған"})
    line = HandoverLine.objects.get(handover=sent, item=marked[0].pk)
    assert (line.weighed_g, line.first_weighed_g, line.weigh_reason) == (12, 10, "Таразы сыпырылмаған")
    exact = client.post(weigh, {"code": marked[1].number, "grams": str(marked[1].mass_g)}).content.decode()
    assert 'data-tone="ok"' in exact
    assert HandoverLine.objects.filter(handover=sent, weighed_g__isnull=False).count() == 2


# --- around the services ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE ledger_handover SET dispatched_by_id = dispatched_by_id + 1",
        "UPDATE ledger_handover SET seals = 'X'",
        "UPDATE ledger_handover SET state = 'accepted', closed_by_id = dispatched_by_id, closed_at = now()",
        "UPDATE ledger_handoversignature SET signed_at = now()",
        "DELETE FROM ledger_handoversignature",
        "DELETE FROM ledger_handoverseal",
        "UPDATE ledger_handoverline SET weighed_g = 5",
        "UPDATE ledger_handoverseal SET state = 'intact'",
        """
        INSERT INTO ledger_handoversignature (handover_id, side, signed_by_id, signed_at)
        SELECT id, 'receiver', dispatched_by_id, now() FROM ledger_handover
        """,
    ],
)
def test_the_database_refuses_it_too(sent: Handover, sql: str) -> None:
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)


def test_a_closed_hand_over_stays_as_it_closed(sent: Handover, receiver: User, now: datetime) -> None:
    scan_all(sent, receiver, now)
    services.accept_goods(actor=receiver, at=now, handover=sent, seals=intact(sent))

    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE ledger_handover SET state = 'dispatched', closed_by_id = NULL, closed_at = NULL")


def test_who_dispatched_is_always_refused(
    storekeeper: User, now: datetime, marked: list[Derivative], reception_store: CustodyAccount,
    central_store: CustodyAccount,
) -> None:  # fmt: skip
    sent = services.dispatch_goods(
        carried_by="A courier",
        actor=storekeeper,
        at=now,
        key="own",
        source=reception_store,
        target=central_store,
        item_ids=keys(marked),
    )

    with pytest.raises(SecondPersonNeeded):
        services.accept_goods(actor=storekeeper, at=now, handover=sent)
