"""Every origin with its evidence, every kind with its fields, certificates and sales under them."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import translation

from core.accounts.bin import bin_from
from core.accounts.models import Organisation, Region, User
from core.audit.models import Event
from core.base.errors import BadInput, InvalidTransition, NotAllowed
from core.notices.models import Notice
from core.notices.services import decide_notice, explain_notice
from core.rules.models import Rule, RuleCode
from core.rules.services import cite_basis, draft_rule, enact_rule
from ledger.models import AccountKind, AccountTotal, CustodyAccount, Hold, Holding, MovementKind
from ledger.services import ItemsOnHold, SecondPersonNeeded, lift_hold, move_items
from marking.models import Mark
from marking.services.issue import MarkingCompulsory, register_and_mark
from marking.services.keys import ensure_signing_key
from permits.selectors import PermitNeeded, find_right
from registry.fields import FIELDS
from registry.measures import TableRow
from registry.models import (
    BOUNDARIES,
    Confiscation,
    Derivative,
    Find,
    HornPair,
    Importation,
    Intake,
    IntakeConfirmation,
    OldStock,
    Origin,
    RemovalPermit,
    Sale,
    SlaughterPoint,
    Term,
    VeterinaryCertificate,
)
from registry.services import (
    CertificateExceeded,
    CertificateKnown,
    NoTitle,
    NotUnderCertificate,
    PairsWrong,
    SaleForbidden,
    Scan,
    confirm_intake,
    correct_intake,
    enter_certificate,
    open_intake,
    register_intake,
    save_rows,
    sell_batches,
)
from registry.services.registration import ExplanationNeeded, GoneOff
from tests.builders import build_slaughter_point
from tests.cast import PASSWORD
from tests.files import scanned
from tests.registry.test_pages import SignIn, client_of_inspector, sign_in

__all__ = ["client_of_inspector", "sign_in"]

pytestmark = pytest.mark.django_db

DAY = date(2025, 11, 3)
FIND = {
    "place": "Жәнібек ауданы, Тайпақ ауылынан 12 км",
    "found_on": DAY - timedelta(days=2),
    "finder": "Қайратов Бек",
    "finder_contact": "+7 701 000 00 00",
    "act_number": "12/2025",
    "act_on": DAY - timedelta(days=1),
}


@pytest.fixture
def veterinary(region: Region) -> Organisation:
    return Organisation.objects.create(
        bin=bin_from("05114000011"),
        kind=Organisation.Kind.VETERINARY,
        region=region,
        name_kk="Ветеринария бөлімі",
        name_ru="Ветеринарный отдел",
        name_en="Veterinary department",
    )


@pytest.fixture
def certificate(inspector: User, now: datetime, veterinary: Organisation, region: Region) -> VeterinaryCertificate:
    return enter_certificate(
        actor=inspector,
        at=now,
        number="KZ-27 001234",
        issued_on=now.date(),
        valid_until=now.date() + timedelta(days=5),
        issued_by=veterinary,
        officer="Ахметов Д.",
        slaughter_point=build_slaughter_point(region),
        carcasses=40,
        net_g=700_000,
    )


def paper_of(origin: Origin, importer: Organisation, permit: RemovalPermit, now: datetime) -> Any:
    """A paper that proves the origin, as it is entered."""
    day = now.date()
    match origin:
        case Origin.FOUND:
            return Find(**FIND | {"found_on": day - timedelta(days=2), "act_on": day - timedelta(days=1)})
        case Origin.CONFISCATED:
            return Confiscation(decision_number="2-114", decided_on=day, court="Орал қалалық соты", effective_on=day)
        case Origin.OLD_STOCK:
            return OldStock(sheet_number="7", sheet_on=day, commission="Ахметов\nСерікова")
        case Origin.IMPORTED:
            return Importation(
                permit_number="RU-77",
                permit_on=day,
                country="RU",
                declaration_number="50123/1",
                declared_on=day,
                importer=importer,
            )
        case Origin.REMOVAL:
            return permit
    return None


def weigh(intake: Intake, actor: User, at: datetime, *rows: TableRow) -> Intake:
    return save_rows(actor=actor, at=at, intake=intake, version=intake.version, rows=rows)


def begin(actor: User, at: datetime, store: CustodyAccount, **said: Any) -> Intake:
    """An intake of goods that came in today: horns of which nobody knows the origin, if nothing else is said."""
    said = {"origin": Origin.UNKNOWN, "term": Term.HORN} | said
    if said["origin"] == Origin.UNKNOWN:
        said.setdefault("explanation", "Left at the gate")
    return open_intake(actor=actor, at=at, store=store, on=at.date(), **said)


INVENTORY = Scan("sheet.jpg", scanned())
ORIGINS = [Origin.FOUND, Origin.CONFISCATED, Origin.OLD_STOCK, Origin.IMPORTED, Origin.UNKNOWN]


@pytest.fixture
def old_stock(
    inspector: User, trader_store: CustodyAccount, okhotzooprom: Organisation, permit_to_remove: RemovalPermit,
    now: datetime,
) -> Intake:  # fmt: skip
    """Two horns of a trader's stock from before marking, registered by one inspector."""
    store = CustodyAccount.objects.get(pk=trader_store.pk)
    CustodyAccount.objects.filter(pk=store.pk).update(region=permit_to_remove.region)
    store.refresh_from_db()
    intake = begin(
        inspector,
        now,
        store,
        origin=Origin.OLD_STOCK,
        paper=paper_of(Origin.OLD_STOCK, okhotzooprom, permit_to_remove, now),
        scan=INVENTORY,
    )
    weigh(intake, inspector, now, TableRow(1, "L", 215), TableRow(2, "R", 211))
    register_intake(actor=inspector, at=now, intake=intake)
    return Intake.objects.get(pk=intake.pk)


def held_items() -> int:
    return Hold.objects.active().filter(kind=Hold.Kind.ORIGIN).count()


def test_old_stock_is_taken_in_by_the_scan_of_its_inventory(
    inspector: User, reception_store: CustodyAccount, okhotzooprom: Organisation, permit_to_remove: RemovalPermit,
    now: datetime,
) -> None:  # fmt: skip
    with pytest.raises(BadInput) as refusal:
        begin(
            inspector,
            now,
            reception_store,
            origin=Origin.OLD_STOCK,
            paper=paper_of(Origin.OLD_STOCK, okhotzooprom, permit_to_remove, now),
        )

    assert set(refusal.value.fields) == {"scan"}
    assert not Intake.objects.exists()


def test_old_stock_is_held_until_a_second_person_confirms_it(
    old_stock: Intake,
    inspector: User,
    second_inspector: User,
    inspector_elsewhere: User,
    authority_officer: User,
    trader: User,
    storekeeper: User,
    now: datetime,
) -> None:
    notice = Notice.objects.get(code="intake.old_stock_waits")
    assert held_items() == 2
    with pytest.raises(SecondPersonNeeded):
        confirm_intake(actor=inspector, at=now, intake=old_stock)
    for party in (trader, storekeeper, inspector_elsewhere):
        with pytest.raises(NotAllowed):
            confirm_intake(actor=party, at=now, intake=old_stock)
    with pytest.raises(InvalidTransition):
        decide_notice(
            actor=authority_officer, at=now, notice=notice, outcome="other", decision="-", reason="The sheet is right"
        )
    with pytest.raises(ItemsOnHold):
        move_items(
            actor=trader,
            at=now,
            key="out",
            kind=MovementKind.WRITE_OFF,
            item_ids=list(Derivative.objects.values_list("pk", flat=True)),
            source=old_stock.store,
            target=CustodyAccount.objects.boundary(AccountKind.LOSS),
            effective_on=now.date(),
        )
    assert held_items() == 2

    confirm_intake(actor=second_inspector, at=now, intake=old_stock)

    notice.refresh_from_db()
    assert (held_items(), notice.state) == (0, "decided")
    with pytest.raises(InvalidTransition):
        confirm_intake(actor=authority_officer, at=now, intake=old_stock)


def test_the_database_holds_old_stock_until_somebody_else_confirms_it(
    old_stock: Intake,
    inspector: User,
    second_inspector: User,
    trader: User,
    reception_store: CustodyAccount,
    now: datetime,
) -> None:
    for party in (inspector, trader):
        with pytest.raises(IntegrityError, match="goods_are_confirmed_by_another"), transaction.atomic():
            IntakeConfirmation.objects.create(intake=old_stock, confirmed_by=party, confirmed_at=now)
    lift: dict[str, Any] = {"at": now, "kind": Hold.Kind.ORIGIN, "reason": "Never mind, as told"}
    items = list(Derivative.objects.values_list("pk", flat=True))
    for party in (inspector, second_inspector, trader):
        with pytest.raises(IntegrityError, match="goods_are_let_go_by_their_confirmation"), transaction.atomic():
            lift_hold(actor=party, item_ids=items, **lift)
    assert held_items() == 2

    bare = Intake(
        number="IN25-000099", origin=Origin.OLD_STOCK, term=Term.HORN, store=reception_store, on=now.date(),
        region=old_stock.region, old_stock=OldStock.objects.create(sheet_number="8", sheet_on=now, commission="A"),
        opened_by=inspector, opened_at=now,
    )  # fmt: skip
    bare.save()

    def register_bare() -> None:
        Intake.objects.filter(pk=bare.pk).update(
            state="registered", pieces=1, grams=200, closed_by=inspector, closed_at=now
        )
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")

    with pytest.raises(IntegrityError, match="goods_are_held_until_confirmed"), transaction.atomic():
        register_bare()


def test_old_stock_is_confirmed_on_its_page(
    client: Client, old_stock: Intake, inspector: User, second_inspector: User, trader: User
) -> None:
    page, act = (reverse(f"registry:{name}", args=[old_stock.pk]) for name in ("intake", "intake-confirm"))
    client.force_login(inspector)
    assert act not in client.get(page).content.decode()
    client.force_login(second_inspector)
    assert act in client.get(page).content.decode()
    assert client.post(act, {"password": "wrong"}).status_code == 422
    assert held_items() == 2

    assert client.post(act, {"password": PASSWORD})["Location"] == page

    assert held_items() == 0
    assert act not in client.get(page).content.decode()


@pytest.fixture
def found(
    inspector: User, reception_store: CustodyAccount, okhotzooprom: Organisation, permit_to_remove: RemovalPermit,
    now: datetime,
) -> Intake:  # fmt: skip
    """Two found horns with the scan of their hand-in act, registered by one inspector."""
    intake = begin(
        inspector,
        now,
        reception_store,
        origin=Origin.FOUND,
        paper=paper_of(Origin.FOUND, okhotzooprom, permit_to_remove, now),
        scan=INVENTORY,
    )
    weigh(intake, inspector, now, TableRow(1, "L", 215), TableRow(2, "R", 211))
    register_intake(actor=inspector, at=now, intake=intake)
    return Intake.objects.get(pk=intake.pk)


@pytest.mark.parametrize("finder", ["x", "xxxxxxxx", "x x", "Aa", "12345 67890", "Бисенов"])
def test_found_goods_name_their_finder_and_bring_their_act(
    inspector: User, reception_store: CustodyAccount, now: datetime, finder: str
) -> None:
    paper = Find(**FIND | {"finder": finder, "act_number": "1"})

    with pytest.raises(BadInput) as refusal:
        begin(inspector, now, reception_store, origin=Origin.FOUND, paper=paper)

    assert set(refusal.value.fields) == {"scan", "finder"}
    assert not Intake.objects.exists()


def test_found_goods_are_held_until_a_second_person_confirms_them(
    found: Intake,
    inspector: User,
    second_inspector: User,
    inspector_elsewhere: User,
    authority_officer: User,
    storekeeper: User,
    now: datetime,
) -> None:
    notice = Notice.objects.get(code="intake.found_waits")
    assert held_items() == 2
    with pytest.raises(SecondPersonNeeded):
        confirm_intake(actor=inspector, at=now, intake=found)
    # The officer may not read the act, which names the finder.
    for party in (storekeeper, inspector_elsewhere, authority_officer):
        with pytest.raises(NotAllowed):
            confirm_intake(actor=party, at=now, intake=found)
    with pytest.raises(ItemsOnHold):
        move_items(
            actor=storekeeper,
            at=now,
            key="out",
            kind=MovementKind.WRITE_OFF,
            item_ids=list(Derivative.objects.values_list("pk", flat=True)),
            source=found.store,
            target=CustodyAccount.objects.boundary(AccountKind.LOSS),
            effective_on=now.date(),
        )
    assert held_items() == 2

    confirm_intake(actor=second_inspector, at=now, intake=found)

    notice.refresh_from_db()
    assert (held_items(), notice.state) == (0, "decided")
    assert Event.objects.filter(verb="intake.found_confirmed", actor_id=second_inspector.pk).exists()


def test_the_database_holds_found_goods_until_somebody_else_confirms_them(
    found: Intake, inspector: User, storekeeper: User, reception_store: CustodyAccount, now: datetime
) -> None:
    for party in (inspector, storekeeper):
        with pytest.raises(IntegrityError, match="goods_are_confirmed_by_another"), transaction.atomic():
            IntakeConfirmation.objects.create(intake=found, confirmed_by=party, confirmed_at=now)
        with (
            pytest.raises(IntegrityError, match="goods_are_let_go_by_their_confirmation"),
            transaction.atomic(),
        ):
            Hold.objects.update(lifted_by=party, lifted_at=now, lift_reason="Never mind")
    assert held_items() == 2

    with pytest.raises(IntegrityError, match="find_names_its_finder"), transaction.atomic():
        Find.objects.create(**FIND | {"finder": "x"})
    Find.objects.create(**FIND | {"finder": "李明"})

    bare = Intake.objects.create(
        number="IN25-000099", origin=Origin.FOUND, term=Term.HORN, store=reception_store, on=now.date(),
        region=found.region, find=Find.objects.create(**FIND), opened_by=inspector, opened_at=now,
    )  # fmt: skip

    def register_bare() -> None:
        Intake.objects.filter(pk=bare.pk).update(
            state="registered", pieces=1, grams=200, closed_by=inspector, closed_at=now
        )
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")

    with pytest.raises(IntegrityError, match="goods_are_held_until_confirmed"), transaction.atomic():
        register_bare()


def test_found_goods_are_confirmed_on_their_page(
    client: Client, found: Intake, inspector: User, second_inspector: User
) -> None:
    page, act = (reverse(f"registry:{name}", args=[found.pk]) for name in ("intake", "intake-confirm"))
    client.force_login(inspector)
    assert act not in client.get(page).content.decode()
    client.force_login(second_inspector)
    assert act in client.get(page).content.decode()

    assert client.post(act, {"password": PASSWORD})["Location"] == page

    assert held_items() == 0


@pytest.mark.parametrize("origin", ORIGINS)
def test_goods_of_every_origin_come_in_from_its_boundary(
    origin: Origin,
    inspector: User,
    reception_store: CustodyAccount,
    okhotzooprom: Organisation,
    permit_to_remove: RemovalPermit,
    now: datetime,
) -> None:
    intake = begin(
        inspector,
        now,
        reception_store,
        origin=origin,
        paper=paper_of(origin, okhotzooprom, permit_to_remove, now),
        scan=None if origin == Origin.UNKNOWN else INVENTORY,
    )
    weigh(intake, inspector, now, TableRow(1, "L", 215), TableRow(2, "R", 211))

    derivatives = register_intake(actor=inspector, at=now, intake=intake)

    assert {horn.origin for horn in derivatives} == {origin.value}
    boundary = CustodyAccount.objects.boundary(BOUNDARIES[origin])
    assert AccountTotal.objects.get(account=boundary, stock_class=f"HOR:{origin}").pieces == -2
    assert Event.objects.get(verb="intake.opened").facts["origin"] == origin.value


def test_the_database_asks_each_origin_for_its_evidence(
    inspector: User, reception_store: CustodyAccount, region: Region, now: datetime
) -> None:
    for origin in [*ORIGINS, Origin.REMOVAL]:
        with pytest.raises(IntegrityError, match=r"has_its_(evidence|papers)"), transaction.atomic():
            Intake.objects.create(
                number="IN25-999999",
                origin=origin,
                store=reception_store,
                on=now.date(),
                region=region,
                opened_by=inspector,
                opened_at=now,
            )


def test_an_origin_is_not_proved_by_the_paper_of_another(
    inspector: User,
    reception_store: CustodyAccount,
    okhotzooprom: Organisation,
    permit_to_remove: RemovalPermit,
    now: datetime,
) -> None:
    with pytest.raises(BadInput) as refusal:
        begin(
            inspector,
            now,
            reception_store,
            origin=Origin.IMPORTED,
            paper=paper_of(Origin.OLD_STOCK, okhotzooprom, permit_to_remove, now),
        )

    assert "origin" in refusal.value.fields
    assert not Intake.objects.exists()
    assert not OldStock.objects.exists()


def test_days_of_a_find_follow_one_another(inspector: User, reception_store: CustodyAccount, now: datetime) -> None:
    find = Find(**FIND | {"found_on": now.date(), "act_on": now.date() - timedelta(days=3)})

    with pytest.raises(BadInput) as refusal:
        begin(inspector, now, reception_store, origin=Origin.FOUND, paper=find, scan=INVENTORY)

    assert set(refusal.value.fields) == {"act_on"}
    assert not Find.objects.exists()


def test_who_does_not_open_receptions_opens_none(trader: User, reception_store: CustodyAccount, now: datetime) -> None:
    with pytest.raises(NotAllowed):
        begin(trader, now, reception_store)


def test_a_correction_is_a_new_paper_and_the_old_one_stays(
    inspector: User,
    reception_store: CustodyAccount,
    okhotzooprom: Organisation,
    permit_to_remove: RemovalPermit,
    now: datetime,
) -> None:
    first = paper_of(Origin.FOUND, okhotzooprom, permit_to_remove, now)
    intake = begin(inspector, now, reception_store, origin=Origin.FOUND, paper=first, scan=INVENTORY)
    second = paper_of(Origin.FOUND, okhotzooprom, permit_to_remove, now)
    second.act_number = "13/2025"

    correct_intake(actor=inspector, at=now, intake=intake, on=now.date(), paper=second, version=intake.version)

    intake.refresh_from_db()
    assert intake.find is not None
    assert intake.find.act_number == "13/2025"
    assert Find.objects.count() == 2
    assert "Қайратов" not in str(list(Event.objects.values_list("facts", flat=True)))


# --- every kind of derivative ---------------------------------------------------------------------------------

ROWS = {
    Term.HORN: TableRow(1, "L", 215, 250, straight_mm=220, base_mm=88, rings=14),
    Term.HORN_PIECE: TableRow(1, mass_g=4200, package="bag", gross_g=4300, count=38),
    Term.HORN_CARVING: TableRow(1, mass_g=900, package="box", count=3),
    Term.POWDER: TableRow(1, mass_g=500, package="jar", gross_g=560),
    Term.MEAT: TableRow(1, mass_g=96_500, cut="half", count=8, treatment="chilled", use_by=date(2099, 1, 1)),
    Term.SKIN: TableRow(1, mass_g=2100, count=1, length_mm=1200, width_mm=800, treatment="salted"),
    Term.SKIN_PIECE: TableRow(1, mass_g=800, package="bag", count=4),
    Term.TROPHY: TableRow(
        1, mass_g=1900, length_mm=270, right_length_mm=268, base_mm=90, right_base_mm=91, spread_mm=180
    ),
    Term.MEDICINE: TableRow(1, mass_g=1200, product="Антелопин", lot="A-17", count=100, dose_mg=500),
}


@pytest.mark.parametrize("code", ["ZZ", "XX", "HS", "KZ", "R"])
def test_goods_are_imported_from_a_country_of_the_list(
    code: str,
    inspector: User,
    reception_store: CustodyAccount,
    okhotzooprom: Organisation,
    permit_to_remove: RemovalPermit,
    sign_in: SignIn,
    now: datetime,
) -> None:
    paper = paper_of(Origin.IMPORTED, okhotzooprom, permit_to_remove, now)
    paper.country = code
    said: dict[str, Any] = {"actor": inspector, "at": now, "origin": Origin.IMPORTED, "term": Term.HORN}
    with pytest.raises(BadInput) as refusal:
        open_intake(**said, store=reception_store, on=now.date(), paper=paper, scan=INVENTORY)
    assert set(refusal.value.fields) == {"country"}
    day = now.date().isoformat()
    form = {name: getattr(paper, name) for name in ("permit_number", "country", "declaration_number")}
    form |= {"term": "HOR", "store": reception_store.pk, "importer": okhotzooprom.pk}
    form |= {"on": day, "permit_on": day, "declared_on": day}
    address = reverse("registry:open-origin", args=["imported"])
    assert sign_in(inspector).post(address, form).status_code == 422

    refused = "importation_names_a_country|importation_has_its_papers"
    with pytest.raises(IntegrityError, match=refused), transaction.atomic():
        paper.save(force_insert=True)
    assert not Importation.objects.exists()
    whole = form | {"country": "MN", "scan": SimpleUploadedFile("papers.jpg", scanned())}
    assert sign_in(inspector).post(address, whole).status_code == 302
    assert Importation.objects.get().country == "MN"


def test_goods_of_unknown_origin_are_explained_in_words(
    sign_in: SignIn, inspector: User, reception_store: CustodyAccount, now: datetime
) -> None:
    for said in ("", ".", "?", "aaaaaaaaaaaa", "gate"):
        with pytest.raises(BadInput) as refusal:
            begin(inspector, now, reception_store, explanation=said)
        assert set(refusal.value.fields) == {"explanation"}
    form = {"term": "HOR", "store": reception_store.pk, "on": now.date().isoformat(), "explanation": "."}
    page = sign_in(inspector).post(reverse("registry:open-origin", args=["unknown"]) + "?lang=en", form)

    assert page.status_code == 422
    assert "two words and ten letters" in page.content.decode()
    assert not Intake.objects.exists()


def test_the_authority_judges_goods_of_unknown_origin(
    inspector: User,
    second_inspector: User,
    authority_officer: User,
    storekeeper: User,
    reception_store: CustodyAccount,
    now: datetime,
) -> None:
    intake = begin(inspector, now, reception_store)
    with pytest.raises(BadInput):
        correct_intake(actor=inspector, at=now, intake=intake, on=now.date(), explanation=".")
    weigh(intake, inspector, now, TableRow(1, "L", 215))
    Intake.objects.filter(pk=intake.pk).update(explanation=".")  # as an earlier version took it
    with pytest.raises(ExplanationNeeded):
        register_intake(actor=inspector, at=now, intake=intake)
    assert not Derivative.objects.exists()
    Intake.objects.filter(pk=intake.pk).update(explanation="Left at the gate")

    register_intake(actor=inspector, at=now, intake=intake)

    notice = Notice.objects.get(code="intake.unknown_origin")
    assert (notice.decides, notice.caused_by) == (Notice.Decides.AUTHORITY, inspector)
    assert (notice.params["explanation"], notice.params["pieces"]) == ("Left at the gate", 1)
    explain_notice(actor=second_inspector, at=now, notice=notice, explanation="A driver left them at the gate.")
    for person in (inspector, second_inspector, storekeeper):
        with pytest.raises((NotAllowed, InvalidTransition)):
            decide_notice(
                actor=person,
                at=now,
                notice=notice,
                outcome="explained",
                decision="Explained",
                reason="We know the driver.",
            )
    decide_notice(
        actor=authority_officer,
        at=now,
        notice=notice,
        outcome="explained",
        decision="Explained",
        reason="We know the driver.",
    )


@pytest.mark.parametrize("term", list(Term))
def test_every_kind_is_registered_with_its_own_fields(
    term: Term, inspector: User, reception_store: CustodyAccount, now: datetime
) -> None:
    intake = begin(inspector, now, reception_store, term=term)
    weigh(intake, inspector, now, ROWS[term])

    (one,) = register_intake(actor=inspector, at=now, intake=intake)

    assert one.term == term
    for field in FIELDS[term]:
        if field.column != "pair":
            assert getattr(one, field.column) == getattr(ROWS[term], field.column)
    assert Holding.objects.get(item=one.pk, account=reception_store).stock_class == f"{term}:unknown"


def test_a_kind_says_nothing_that_is_anothers(inspector: User, reception_store: CustodyAccount, now: datetime) -> None:
    intake = begin(inspector, now, reception_store, term=Term.POWDER)

    with pytest.raises(BadInput) as refusal:
        weigh(intake, inspector, now, replace(ROWS[Term.POWDER], side="L", package="", gross_g=1))

    assert set(refusal.value.fields) == {"rows.1.side", "rows.1.package", "rows.1.gross_g"}
    assert not intake.rows.exists()


def test_the_database_refuses_what_its_term_does_not_have(
    inspector: User, reception_store: CustodyAccount, now: datetime
) -> None:
    intake = begin(inspector, now, reception_store, term=Term.POWDER)
    weigh(intake, inspector, now, ROWS[Term.POWDER])
    intake.rows.update(rings=3)
    with pytest.raises(IntegrityError, match="pow_has_its_fields"), transaction.atomic():
        register_intake(actor=inspector, at=now, intake=intake)

    intake.rows.update(rings=None, package="")
    with transaction.atomic(), connection.cursor() as cursor:
        register_intake(actor=inspector, at=now, intake=intake)
        with pytest.raises(IntegrityError, match="lack what their term asks"), transaction.atomic():
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        transaction.set_rollback(True)
    for wrong in ({"gross_g": 1}, {"straight_mm": 9, "length_mm": 8}):
        with pytest.raises(IntegrityError), transaction.atomic():
            intake.rows.update(**wrong)


def test_marks_are_a_choice_where_they_are_no_duty(
    inspector: User, reception_store: CustodyAccount, now: datetime
) -> None:
    ensure_signing_key(at=now)
    made = []
    for mark in (None, True):
        intake = begin(inspector, now, reception_store, term=Term.SKIN)
        weigh(intake, inspector, now, ROWS[Term.SKIN])
        register_and_mark(actor=inspector, at=now, intake=intake, mark=mark)
        made.append(Mark.objects.filter(derivative__intake=intake).count())

    assert made == [0, 1]


def test_horns_are_marked_where_it_is_a_duty(inspector: User, reception_store: CustodyAccount, now: datetime) -> None:
    later = now.replace(year=2026, month=1, day=9)
    ensure_signing_key(at=now)
    intake = begin(inspector, later, reception_store)
    weigh(intake, inspector, later, ROWS[Term.HORN])

    with pytest.raises(MarkingCompulsory):
        register_and_mark(actor=inspector, at=later, intake=intake, mark=False)

    assert not Derivative.objects.exists()


# --- pairs ----------------------------------------------------------------------------------------------------


def test_two_horns_become_a_pair_once_and_each_other_s(open_intake: Intake, inspector: User, now: datetime) -> None:
    rows = [TableRow(1, "L", 215, pair="2"), TableRow(2, "R", 210), TableRow(3, "R", 205)]
    save_rows(actor=inspector, at=now, intake=open_intake, version=open_intake.version, rows=rows, whole=True)

    first, second, third = register_intake(actor=inspector, at=now, intake=open_intake, explanation="counted, as told")

    assert (first.pair, second.pair, third.pair) == (second, first, None)
    with pytest.raises(IntegrityError), transaction.atomic():
        HornPair.objects.create(left=first, right=third, at=now)
    with pytest.raises(IntegrityError, match="not a left and a right horn"), transaction.atomic():
        HornPair.objects.create(left=third, right=third, at=now)


@pytest.mark.parametrize(
    "rows",
    [
        [TableRow(1, "L", 215, pair="2"), TableRow(2, "L", 210)],
        [TableRow(1, "L", 215, pair="9")],
        [TableRow(1, "L", 215, pair="2"), TableRow(2, "R", 210), TableRow(3, "L", 205, pair="2")],
        [TableRow(1, "L", 215, pair="2"), TableRow(2, "R", 210, pair="3"), TableRow(3, "L", 205, pair="2")],
        [TableRow(1, "L", 215, pair="KZ25-9999999")],
    ],
)
def test_pairs_that_cannot_be_right_are_named_by_their_rows(
    rows: list[TableRow], open_intake: Intake, inspector: User, now: datetime
) -> None:
    save_rows(actor=inspector, at=now, intake=open_intake, version=open_intake.version, rows=rows, whole=True)

    with pytest.raises(PairsWrong) as refusal:
        register_intake(actor=inspector, at=now, intake=open_intake)

    assert "rows.1.pair" in refusal.value.fields or "rows.2.pair" in refusal.value.fields
    assert not Derivative.objects.exists()


# --- certificates and sales -----------------------------------------------------------------------------------


def meat_intake(
    certificate: VeterinaryCertificate,
    permit: RemovalPermit,
    store: CustodyAccount,
    actor: User,
    at: datetime,
    *masses: int,
) -> Intake:
    intake = begin(actor, at, store, term=Term.MEAT, origin=Origin.REMOVAL, paper=permit, certificate=certificate)
    rows = [replace(ROWS[Term.MEAT], row=row, mass_g=mass) for row, mass in enumerate(masses, start=1)]
    return weigh(intake, actor, at, *rows)


def test_batches_never_weigh_more_than_their_certificate_says(
    certificate: VeterinaryCertificate,
    permit_to_remove: RemovalPermit,
    reception_store: CustodyAccount,
    inspector: User,
    now: datetime,
) -> None:
    first = meat_intake(certificate, permit_to_remove, reception_store, inspector, now, 400_000)
    second = meat_intake(certificate, permit_to_remove, reception_store, inspector, now, 300_001)
    (batch,) = register_intake(actor=inspector, at=now, intake=first)

    with pytest.raises(CertificateExceeded):
        register_intake(actor=inspector, at=now, intake=second)

    assert batch.certificate == certificate
    assert Derivative.objects.count() == 1
    second.refresh_from_db()
    assert second.is_open


def test_meat_of_a_removal_has_its_certificate(
    permit_to_remove: RemovalPermit, reception_store: CustodyAccount, inspector: User, now: datetime
) -> None:
    with pytest.raises(BadInput) as refusal:
        begin(inspector, now, reception_store, term=Term.MEAT, origin=Origin.REMOVAL, paper=permit_to_remove)

    assert set(refusal.value.fields) == {"certificate"}


def test_nobody_uses_up_a_certificate_they_do_not_know(
    certificate: VeterinaryCertificate, reception_store_elsewhere: CustodyAccount, inspector_elsewhere: User,
    now: datetime,
) -> None:  # fmt: skip
    with pytest.raises(BadInput) as refusal:
        begin(inspector_elsewhere, now, reception_store_elsewhere, term=Term.MEAT, certificate=certificate)

    assert set(refusal.value.fields) == {"certificate"}
    assert not Intake.objects.exists()


@pytest.mark.parametrize("term", [Term.POWDER, Term.MEDICINE, Term.HORN_PIECE, Term.SKIN_PIECE])
def test_what_is_made_does_not_come_from_a_removal(
    term: Term, permit_to_remove: RemovalPermit, reception_store: CustodyAccount, inspector: User, now: datetime
) -> None:
    with pytest.raises(BadInput) as refusal:
        begin(inspector, now, reception_store, term=term, origin=Origin.REMOVAL, paper=permit_to_remove)

    assert set(refusal.value.fields) == {"origin"}
    assert not Intake.objects.exists()


def test_meat_past_its_day_does_not_come_in(
    certificate: VeterinaryCertificate, permit_to_remove: RemovalPermit, reception_store: CustodyAccount,
    inspector: User, now: datetime,
) -> None:  # fmt: skip
    intake = meat_intake(certificate, permit_to_remove, reception_store, inspector, now)
    intake = weigh(intake, inspector, now, replace(ROWS[Term.MEAT], row=1, use_by=date(2020, 1, 1)))

    with pytest.raises(GoneOff) as refusal:
        register_intake(actor=inspector, at=now, intake=intake)

    assert set(refusal.value.fields) == {"rows.1.use_by"}
    assert not Derivative.objects.exists()


def test_a_certificate_is_entered_once(
    certificate: VeterinaryCertificate, inspector: User, now: datetime, veterinary: Organisation, region: Region
) -> None:
    with pytest.raises(CertificateKnown):
        enter_certificate(
            actor=inspector,
            at=now,
            number=certificate.number,
            issued_on=now.date(),
            valid_until=now.date(),
            issued_by=veterinary,
            officer="Ахметов Д.",
            slaughter_point=SlaughterPoint.objects.get(),
            carcasses=1,
            net_g=1,
        )


@pytest.fixture
def sale_allowed(authority_officer: User, authority_head: User) -> Rule:
    return rule_sale(authority_officer, authority_head, allowed=True)


def rule_sale(officer: User, head: User, *, allowed: bool) -> Rule:
    at = datetime(2025, 1, 1, tzinfo=UTC)
    basis = cite_basis(actor=officer, at=at, title_kk="Бұйрық", title_ru="Приказ", title_en="Order 12", number="12")
    rule = draft_rule(
        actor=officer,
        at=at,
        code=RuleCode.DOMESTIC_SALE,
        value={"allowed": allowed},
        starts_on=date(2025, 1, 1),
        ends_on=None,
        basis=basis,
    )
    return enact_rule(actor=head, at=at, rule=rule)


@pytest.mark.parametrize("rule", ["none", "forbidden"])
def test_nothing_is_sold_without_a_rule_of_the_day(
    certificate: VeterinaryCertificate,
    permit_to_remove: RemovalPermit,
    reception_store: CustodyAccount,
    inspector: User,
    authority_officer: User,
    authority_head: User,
    now: datetime,
    rule: str,
) -> None:
    intake = meat_intake(certificate, permit_to_remove, reception_store, inspector, now, 96_500)
    (batch,) = register_intake(actor=inspector, at=now, intake=intake)
    if rule == "forbidden":
        rule_sale(authority_officer, authority_head, allowed=False)

    with pytest.raises(SaleForbidden) as refusal, translation.override("en"):
        sell(batch, inspector, reception_store, now)

    assert ("Order 12" in str(refusal.value)) == (rule == "forbidden")
    assert not Sale.objects.exists()
    assert Holding.objects.get(item=batch.pk, pieces=1).account == reception_store


@pytest.mark.usefixtures("sale_allowed")
def test_a_certificate_gives_no_title_to_goods_of_unknown_origin(
    certificate: VeterinaryCertificate,
    reception_store: CustodyAccount,
    trader_store: CustodyAccount,
    inspector: User,
    now: datetime,
) -> None:
    intake = begin(inspector, now, reception_store, term=Term.MEAT, certificate=certificate)
    weighed = weigh(intake, inspector, now, replace(ROWS[Term.MEAT], row=1, mass_g=96_500))
    (batch,) = register_intake(actor=inspector, at=now, intake=weighed)

    with pytest.raises(NoTitle):
        sell(batch, inspector, reception_store, now)
    with pytest.raises(PermitNeeded):
        find_right(source=reception_store, target=trader_store, permit=None, on=now.date(), item_ids=[batch.pk])

    assert not Sale.objects.exists()


def sell(batch: Derivative, actor: User, store: CustodyAccount, at: datetime) -> Sale:
    return sell_batches(
        actor=actor,
        at=at,
        key="s",
        store=store,
        items=[batch.pk],
        on=at.date(),
        buyer_name="Базар",
        buyer_bin=bin_from("05114000022"),
    )


@pytest.mark.usefixtures("sale_allowed")
def test_a_batch_is_sold_under_its_certificate_and_leaves_the_stock(
    certificate: VeterinaryCertificate,
    permit_to_remove: RemovalPermit,
    reception_store: CustodyAccount,
    inspector: User,
    now: datetime,
) -> None:
    intake = meat_intake(certificate, permit_to_remove, reception_store, inspector, now, 96_500, 40_000)
    one, other = register_intake(actor=inspector, at=now, intake=intake)
    deal: dict[str, Any] = {
        "actor": inspector,
        "at": now,
        "store": reception_store,
        "items": [one.pk],
        "on": now.date(),
        "buyer_name": "Орал базары",
        "buyer_bin": bin_from("05114000022"),
        "price_tenge": 180_000,
    }

    sale = sell_batches(key="s1", **deal)

    assert sell_batches(key="s1", **deal) == sale
    assert (sale.pieces, sale.grams) == (1, 96_500)
    gone = CustodyAccount.objects.boundary(AccountKind.DOMESTIC_SALE)
    assert Holding.objects.get(item=one.pk, pieces=1).account == gone
    assert Holding.objects.get(item=other.pk, pieces=1).account == reception_store
    late = now + timedelta(days=30)
    with pytest.raises(NotUnderCertificate):
        sell_batches(key="s2", **deal | {"items": [other.pk], "at": late, "on": late.date()})
    with pytest.raises(BadInput):
        sell_batches(key="s3", **deal | {"items": [other.pk], "buyer_bin": "123456789012"})
    assert Sale.objects.count() == 1


@pytest.mark.usefixtures("sale_allowed")
def test_the_database_sells_nothing_without_a_sale(
    certificate: VeterinaryCertificate,
    permit_to_remove: RemovalPermit,
    reception_store: CustodyAccount,
    inspector: User,
    now: datetime,
) -> None:
    intake = meat_intake(certificate, permit_to_remove, reception_store, inspector, now, 96_500, 40_000)
    one, other = register_intake(actor=inspector, at=now, intake=intake)
    sold = sell(one, inspector, reception_store, now)

    def take(reference: str) -> None:
        move_items(
            actor=inspector,
            at=now,
            key="around",
            kind=MovementKind.SALE,
            item_ids=[other.pk],
            source=reception_store,
            target=CustodyAccount.objects.boundary(AccountKind.DOMESTIC_SALE),
            effective_on=now.date(),
            reference=reference,
        )
        connection.check_constraints()

    for reference in ("", sold.number):
        with pytest.raises(IntegrityError, match="belongs to no sale"), transaction.atomic():
            take(reference)

    assert Holding.objects.get(item=other.pk, pieces=1).account == reception_store


# --- pages ----------------------------------------------------------------------------------------------------


def test_found_horns_are_opened_on_a_page_and_their_finder_is_seen_by_few(
    sign_in: SignIn, inspector: User, authority_officer: User, reception_store: CustodyAccount, now: datetime
) -> None:
    client = sign_in(inspector)
    today = now.date()
    sent = {
        "term": "HOR",
        "store": reception_store.pk,
        "on": today.isoformat(),
        **FIND,
        "found_on": "2025-10-01",
        "act_on": "2025-10-02",
        "latitude": "49,5",
        "longitude": "47,25",
    }
    assert client.get(reverse("registry:choose-origin")).status_code == 200
    assert client.get(reverse("registry:open-origin", args=["found"])).status_code == 200

    bare = client.post(reverse("registry:open-origin", args=["found"]), sent)
    assert (bare.status_code, list(bare.context["form"].errors)) == (422, ["scan"])

    answer = client.post(
        reverse("registry:open-origin", args=["found"]), sent | {"scan": SimpleUploadedFile("act.jpg", scanned())}
    )

    assert answer.status_code == 302, answer.content.decode()[:3000]
    intake = Intake.objects.get()
    assert intake.find is not None
    assert intake.find.latitude == Decimal("49.5")
    assert "Қайратов" in client.get(answer["Location"]).content.decode()
    assert client.get(reverse("registry:correct-origin", args=[intake.pk])).status_code == 200
    assert "Қайратов" not in sign_in(authority_officer).get(answer["Location"]).content.decode()


@pytest.mark.parametrize("slug", ["products", "confiscated", "old-stock", "imported", "unknown"])
def test_each_way_in_has_its_form_and_says_what_is_missing(
    slug: str,
    sign_in: SignIn,
    inspector: User,
    trader: User,
    reception_store: CustodyAccount,
    permit_to_remove: RemovalPermit,
) -> None:
    address = reverse("registry:open-origin", args=[slug])

    assert sign_in(inspector).get(address).status_code == 200
    assert sign_in(inspector).post(address, {"on": ""}).status_code == 422
    assert sign_in(trader).get(address).status_code == 403
    assert not Intake.objects.exists()


@pytest.mark.usefixtures("sale_allowed")
def test_pages_of_certificates_and_sales(
    sign_in: SignIn,
    certificate: VeterinaryCertificate,
    permit_to_remove: RemovalPermit,
    reception_store: CustodyAccount,
    inspector: User,
    now: datetime,
) -> None:
    intake = meat_intake(certificate, permit_to_remove, reception_store, inspector, now, 96_500)
    client = sign_in(inspector)
    table = client.get(reverse("registry:intake", args=[intake.pk])).content.decode()
    assert 'name="cut-1"' in table
    assert 'value="96.5"' in table
    register_intake(actor=inspector, at=now, intake=intake)
    item = Derivative.objects.get()
    act = client.get(reverse("registry:intake", args=[intake.pk]))
    assert item.number in act.content.decode()
    for name, args in (
        ("certificates", []),
        ("certificate", [certificate.pk]),
        ("sell", [certificate.pk]),
        ("sales", []),
    ):
        assert client.get(reverse(f"registry:{name}", args=args)).status_code == 200
    assert client.get(reverse("registry:enter-certificate")).status_code == 200

    sold = client.post(
        reverse("registry:sell", args=[certificate.pk]),
        {
            "item": item.pk,
            "on": now.date().isoformat(),
            "buyer_name": "Базар",
            "buyer_bin": bin_from("05114000022"),
            "key": "k",
        },
    )

    assert sold.status_code == 302, sold.content.decode()
    assert client.get(sold["Location"]).status_code == 200


def test_a_plain_form_of_another_kind_is_read_by_its_fields(
    client_of_inspector: Client, inspector: User, reception_store: CustodyAccount, now: datetime
) -> None:
    intake = begin(inspector, now, reception_store, term=Term.MEAT)
    sent = {
        "version": "0",
        "line": ["1", "2"],
        "cut-1": "half",
        "mass-1": "96,5",
        "count-1": "8",
        "use_by-1": "31.12.2026",
        "mass-2": "",
    }

    answer = client_of_inspector.post(reverse("registry:intake-rows", args=[intake.pk]), sent)

    assert answer.status_code == 302, answer.content.decode()
    row = intake.rows.get()
    assert (row.cut, row.mass_g, row.count, row.use_by) == ("half", 96_500, 8, date(2026, 12, 31))
