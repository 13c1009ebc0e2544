"""Things that tests begin with, made by the services, so that no test starts from a state the product cannot reach.

`season`, `permit_to_remove`, `brigade` and the stores are fixtures (stores are named by who keeps them); intakes are
made by functions, because tests want many of them in different states.
"""

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from core.accounts.models import Organisation, Region, User
from ledger.models import AccountKind, CustodyAccount
from registry.measures import TableRow
from registry.models import (
    Brigade,
    Derivative,
    Intake,
    Population,
    RemovalDecision,
    RemovalLimit,
    RemovalPermit,
    Season,
    Sex,
    SlaughterPoint,
)
from registry.services import CaseFacts, open_removal_intake, open_seizure_intake, register_intake, save_rows
from tests.cast import LONG_AGO, enter_organisation, enter_person

# --- places ---------------------------------------------------------------------------------------------------


# What a report of loss says beside its items.
LOSS_TOLD = {
    "place": "Shelf A-2",
    "circumstances": "The lock of the door is broken.",
    "how_found": "Seen on the morning round",
    "told": "Duty officer of the Oral police",
}


def build_store(
    code: str,
    custodian: Organisation,
    region: Region | None,
    *,
    kind: AccountKind = AccountKind.STORE,
    is_reception_point: bool = False,
) -> CustodyAccount:
    """A place of a custodian; its transit account is opened with its first one."""
    if kind != AccountKind.TRANSIT:
        CustodyAccount.objects.get_or_create(
            kind=AccountKind.TRANSIT,
            custodian=custodian,
            defaults={
                "code": f"TR-{custodian.bin}",
                "name_kk": f"Жолда: {custodian.name_kk}",
                "name_ru": f"В пути: {custodian.name_ru}",
                "name_en": f"In transit: {custodian.name_en}",
            },
        )
    return CustodyAccount.objects.create(
        kind=kind,
        code=code,
        custodian=custodian,
        region=region,
        is_reception_point=is_reception_point,
        name_kk=f"Қойма {code}",
        name_ru=f"Склад {code}",
        name_en=f"Store {code}",
    )


@pytest.fixture
def reception_store(okhotzooprom: Organisation, region: Region) -> CustodyAccount:
    """A reception point of the state enterprise in West Kazakhstan."""
    return build_store("RP-27-1", okhotzooprom, region, is_reception_point=True)


@pytest.fixture
def other_reception_store(okhotzooprom: Organisation, region: Region) -> CustodyAccount:
    """A second reception point in West Kazakhstan."""
    return build_store("RP-27-2", okhotzooprom, region, is_reception_point=True)


@pytest.fixture
def reception_store_elsewhere(okhotzooprom: Organisation, region_elsewhere: Region) -> CustodyAccount:
    """A reception point in Kostanay."""
    return build_store("RP-39-1", okhotzooprom, region_elsewhere, is_reception_point=True)


@pytest.fixture
def central_store(okhotzooprom: Organisation) -> CustodyAccount:
    """The guarded cold store in Almaty."""
    return build_store("CS-75", okhotzooprom, Region.objects.get(pk="75"))


@pytest.fixture
def evidence_room(inspectorate: Organisation, region: Region) -> CustodyAccount:
    """Where the inspection of West Kazakhstan keeps what was seized."""
    return build_store("EV-27", inspectorate, region, kind=AccountKind.EVIDENCE)


@pytest.fixture
def trader_store(trader_company: Organisation) -> CustodyAccount:
    return build_store("TS-1", trader_company, Region.objects.get(pk="75"))


@pytest.fixture
def other_trader_store(other_trader_company: Organisation, region: Region) -> CustodyAccount:
    return build_store("TS-2", other_trader_company, region)


# --- papers of a season ---------------------------------------------------------------------------------------


@pytest.fixture
def season(db: None) -> Season:
    """1 July to 30 November 2025."""
    return build_season()


@pytest.fixture
def permit_to_remove(
    season: Season, committee: Organisation, okhotzooprom: Organisation, region: Region
) -> RemovalPermit:
    return build_removal_permit(season, region, okhotzooprom)


@pytest.fixture
def brigade(season: Season, region: Region) -> Brigade:
    return build_brigade(season, region)


def build_season(starts_on: date = date(2025, 7, 1), ends_on: date = date(2025, 11, 30)) -> Season:
    return Season.objects.create(
        starts_on=starts_on,
        ends_on=ends_on,
        name_kk=f"{starts_on.year} жылғы маусым",
        name_ru=f"Сезон {starts_on.year} года",
        name_en=f"Season {starts_on.year}",
    )


def build_removal_permit(
    season: Season, region: Region, holder: Organisation, *, number: str = "ИЖ-27/2025-1", animals_limit: int = 50_000
) -> RemovalPermit:
    return RemovalPermit.objects.create(
        number=number,
        issued_on=season.starts_on,
        season=season,
        limit=build_limit(season, region, animals=animals_limit, number=f"Р-{number}"),
        population=Population.URAL,
        region=region,
        holder=holder,
        animals_limit=animals_limit,
    )


def build_limit(
    season: Season, region: Region, *, animals: int = 50_000, number: str = "Р-1", sex: Sex = Sex.ANY
) -> RemovalLimit:
    """The one line of a decision, entered by an officer of the committee."""
    committee = enter_organisation("committee")
    officer = User.objects.filter(username="decider").first() or enter_person("decider", "Ержанов Санжар")
    decision = RemovalDecision.objects.create(
        number=number,
        decided_on=season.starts_on,
        title="Киік санын реттеу туралы",
        season=season,
        authority=committee,
        legal_basis="2004 жылғы 9 шілдедегі № 593 Заңның 34-бабы",
        basis_by="Зоология институты",
        basis_number="БН-14",
        basis_on=season.starts_on,
        entered_by=officer,
        entered_at=LONG_AGO,
    )
    return RemovalLimit.objects.create(
        decision=decision, population=Population.URAL, region=region, animals=animals, sex=sex
    )


def build_brigade(season: Season, region: Region, *, name: str = "Бригада №1", contract: str = "Д-1") -> Brigade:
    return Brigade.objects.create(
        name=name,
        season=season,
        region=region,
        contract_number=contract,
        contract_on=season.starts_on,
        leader="Тасболатов Ерхан",
        members=8,
        valid_from=season.starts_on,
        valid_until=season.ends_on,
    )


# --- intakes --------------------------------------------------------------------------------------------------


def build_slaughter_point(region: Region, number: str = "УП-27/018", **names: str) -> SlaughterPoint:
    return SlaughterPoint.objects.create(
        **{"name_kk": "Қазталов сою пункті", "name_ru": "Убойный пункт Казталовка", "name_en": "Kaztalovka"} | names,
        region=region,
        attestation_number=number,
        attested_on=date(2025, 6, 2),
    )


def some_rows(count: int, *, first: int = 1) -> list[TableRow]:
    """Plausible horns: left and right by turns, 180 g to 230 g, 220 mm to 290 mm."""
    return [
        TableRow(
            row=first + place,
            side="LR"[place % 2],
            mass_g=180 + (place * 7) % 51,
            length_mm=220 + (place * 11) % 71,
        )
        for place in range(count)
    ]


def build_intake(
    *,
    actor: User,
    at: datetime,
    store: CustodyAccount,
    permit: RemovalPermit,
    brigade: Brigade,
    rows: int | Sequence[TableRow] = 4,
    on: date | None = None,
    males: int | None = None,
    females: int = 3,
    young: int = 1,
    carcasses: int | None = None,
) -> Intake:
    """An open reception with these rows on its table; as many males as the horns need, unless told otherwise."""
    table = some_rows(rows) if isinstance(rows, int) else list(rows)
    males = (len(table) + 1) // 2 if males is None else males
    intake = open_removal_intake(
        actor=actor,
        at=at,
        store=store,
        permit=permit,
        brigade=brigade,
        on=on or at.date(),
        males=males,
        females=females,
        young=young,
        carcasses=males + females + young if carcasses is None else carcasses,
    )
    if table:
        intake = save_rows(actor=actor, at=at, intake=intake, version=intake.version, rows=table)
    return intake


def build_seizure(
    *,
    actor: User,
    at: datetime,
    store: CustodyAccount,
    agency: Organisation,
    rows: int | Sequence[TableRow] = 4,
    erdr_number: str = "252700121000345",
) -> Intake:
    """An open intake of seized horns, its case entered with it."""
    day = at.date()
    facts = CaseFacts(
        protocol_number="17/2025",
        protocol_on=day,
        erdr_number=erdr_number,
        agency=agency,
        place="Жәнібек ауданы, 214-шақырым",
        seized_on=day - timedelta(days=1),
    )
    intake = open_seizure_intake(actor=actor, at=at, store=store, on=day, case=facts)
    table = some_rows(rows) if isinstance(rows, int) else list(rows)
    if table:
        intake = save_rows(actor=actor, at=at, intake=intake, version=intake.version, rows=table)
    return intake


def register(intake: Intake, *, actor: User, at: datetime) -> list[Derivative]:
    """Register without marks whatever stands on the table, masses and counts explained."""
    why = "Counted twice."
    return list(register_intake(actor=actor, at=at, intake=intake, explanation=why, confirm_band=True, band_reason=why))


Receive = Callable[..., Intake]


@pytest.fixture
def receive(
    inspector: User, now: datetime, reception_store: CustodyAccount, permit_to_remove: RemovalPermit, brigade: Brigade
) -> Receive:
    """`receive(rows=6, males=3)`: an open reception of the inspector's at the reception point; see build_intake."""
    usual: dict[str, Any] = {"actor": inspector, "at": now, "store": reception_store}
    papers: dict[str, Any] = {"permit": permit_to_remove, "brigade": brigade}
    return lambda **facts: build_intake(**(usual | papers | facts))


@pytest.fixture
def open_intake(receive: Receive) -> Intake:
    """Six horns of three males weighed at the reception point, not registered yet."""
    return receive(rows=6)


@pytest.fixture
def open_seizure(inspector: User, now: datetime, evidence_room: CustodyAccount, police: Organisation) -> Intake:
    """Four seized horns weighed in the evidence room, not registered yet."""
    return build_seizure(actor=inspector, at=now, store=evidence_room, agency=police)


@pytest.fixture
def horns(open_intake: Intake, inspector: User, now: datetime) -> list[Derivative]:
    """Six registered horns in the reception store, without marks."""
    return register(open_intake, actor=inspector, at=now)
