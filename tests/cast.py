"""The cast: organisations and people that every test can ask for by name.

Made by the services, as the product makes them; people sign in with `client.force_login(person)` or with PASSWORD.
Times of a test start from NOW; nobody reads the clock behind its back.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest

from core.accounts.bin import bin_from
from core.accounts.granting import ask_role, confirm_role
from core.accounts.models import Appointment, Organisation, Region, User
from core.accounts.roles import DECIDING, Role
from core.accounts.services import appoint, create_organisation, create_person

PASSWORD = "Киік-мүйізі-2025"
LONG_AGO = datetime(2023, 1, 10, 9, 0, tzinfo=UTC)

Kind = Organisation.Kind
# BIN without its check digit, kind, KATO region, names in Kazakh, Russian, English.
ORGANISATIONS: dict[str, tuple[str, Organisation.Kind, str | None, str, str, str]] = {
    "committee": (
        "96024000012",
        Kind.MINISTRY,
        None,
        "Орман шаруашылығы және жануарлар дүниесі комитеті",
        "Комитет лесного хозяйства и животного мира",
        "Forestry and Wildlife Committee",
    ),
    "inspectorate": (
        "12034000034",
        Kind.INSPECTORATE,
        "27",
        "Батыс Қазақстан облыстық орман және жануарлар дүниесі инспекциясы",
        "Западно-Казахстанская областная инспекция лесного хозяйства и животного мира",
        "West Kazakhstan Forestry and Wildlife Inspection",
    ),
    "inspectorate_elsewhere": (
        "12034000042",
        Kind.INSPECTORATE,
        "39",
        "Қостанай облыстық орман және жануарлар дүниесі инспекциясы",
        "Костанайская областная инспекция лесного хозяйства и животного мира",
        "Kostanay Forestry and Wildlife Inspection",
    ),
    "okhotzooprom": (
        "95114000056",
        Kind.ENTERPRISE,
        "75",
        "«Охотзоопром» өндірістік бірлестігі",
        "Производственное объединение «Охотзоопром»",
        "Okhotzooprom Production Association",
    ),
    "police": (
        "97044000078",
        Kind.POLICE,
        "27",
        "Батыс Қазақстан облысының Полиция департаменті",
        "Департамент полиции Западно-Казахстанской области",
        "Police Department of West Kazakhstan Region",
    ),
    "customs": (
        "94094000079",
        Kind.CUSTOMS,
        "75",
        "Алматы қаласы бойынша Мемлекеттік кірістер департаменті",
        "Департамент государственных доходов по городу Алматы",
        "State Revenue Department of Almaty city",
    ),
    "institute": (
        "99104000093",
        Kind.SCIENTIFIC,
        "75",
        "Зоология институты",
        "Институт зоологии",
        "Institute of Zoology",
    ),
    "trader_company": (
        "15054000091",
        Kind.TRADER,
        "75",
        "«Дала саудасы» ЖШС",
        "ТОО «Степная торговля»",
        "Steppe Trade LLP",
    ),
    "other_trader_company": (
        "18064000013",
        Kind.TRADER,
        "27",
        "«Ақ Жайық экспорт» ЖШС",
        "ТОО «Ак Жайык экспорт»",
        "Ak Zhaiyk Export LLP",
    ),
    "audit_chamber": (
        "20074000035",
        Kind.AUDITOR,
        None,
        "Жоғары аудиторлық палата",
        "Высшая аудиторская палата",
        "Supreme Audit Chamber",
    ),
}


@pytest.fixture
def now() -> datetime:
    """The moment of a test: a working morning of the 2025 season, before marking became compulsory."""
    return datetime(2025, 11, 10, 5, 0, tzinfo=UTC)


@pytest.fixture
def today(now: datetime) -> date:
    return now.date()


@pytest.fixture
def later(now: datetime) -> Callable[..., datetime]:
    """`later(hours=2)`: a moment so long after `now`."""
    return lambda **span: now + timedelta(**span)


def enter_organisation(name: str) -> Organisation:
    """The organisation of the cast by this name, entered when it is not there yet."""
    digits, kind, region, kk, ru, en = ORGANISATIONS[name]
    bin_ = bin_from(digits)
    known = Organisation.objects.filter(bin=bin_).first()
    return known or create_organisation(
        actor=None,
        at=LONG_AGO,
        bin=bin_,
        kind=kind,
        name_kk=kk,
        name_ru=ru,
        name_en=en,
        region=Region.objects.get(pk=region) if region else None,
    )


def enter_person(
    username: str,
    names: str,
    role: Role | None = None,
    organisation: Organisation | None = None,
    *,
    appointed_by: User | None = None,
    language: str = "en",
) -> User:
    """A person ("Family First Patronymic") with PASSWORD and, if given, one role since long ago."""
    last, first, *rest = names.split()
    person = create_person(
        actor=appointed_by,
        at=LONG_AGO,
        username=username,
        last_name=last,
        first_name=first,
        patronymic=" ".join(rest),
        email=f"{username}@example.kz",
        language=language,
        password=PASSWORD,
    )
    if role is not None and organisation is not None:
        give_role(person, role, organisation, by=appointed_by)
    return person


def give_role(
    person: User, role: Role, organisation: Organisation, *, by: User | None, at: datetime = LONG_AGO
) -> Appointment:
    """A role given as it must be: one that decides is asked for, and the second administrator confirms it."""
    if by is None or role not in DECIDING:
        return appoint(actor=by, at=at, person=person, organisation=organisation, role=role)
    asked = ask_role(actor=by, at=at, person=person, organisation=organisation, role=role, reason="Қызметке алынды")
    given = confirm_role(actor=enter_second_administrator(), at=at, asked=asked)
    person.forget_roles()
    return given


def enter_second_administrator() -> User:
    """The other of the two whom nobody appointed; confirms the roles that the first asks for."""
    known = User.objects.filter(username="second_administrator").first()
    return known or enter_person(
        "second_administrator", "Бекенов Марат", Role.ADMINISTRATOR, enter_organisation("committee")
    )


@pytest.fixture
def region(db: None) -> Region:
    """West Kazakhstan."""
    return Region.objects.get(pk="27")


@pytest.fixture
def region_elsewhere(db: None) -> Region:
    """Kostanay."""
    return Region.objects.get(pk="39")


@pytest.fixture
def committee(db: None) -> Organisation:
    """The Committee of Forestry and Wildlife: the authority."""
    return enter_organisation("committee")


@pytest.fixture
def inspectorate(db: None) -> Organisation:
    """The inspection of West Kazakhstan."""
    return enter_organisation("inspectorate")


@pytest.fixture
def inspectorate_elsewhere(db: None) -> Organisation:
    return enter_organisation("inspectorate_elsewhere")


@pytest.fixture
def okhotzooprom(db: None) -> Organisation:
    """The state enterprise that guards the central store in Almaty."""
    return enter_organisation("okhotzooprom")


@pytest.fixture
def police(db: None) -> Organisation:
    return enter_organisation("police")


@pytest.fixture
def customs(db: None) -> Organisation:
    return enter_organisation("customs")


@pytest.fixture
def institute(db: None) -> Organisation:
    return enter_organisation("institute")


@pytest.fixture
def trader_company(db: None) -> Organisation:
    return enter_organisation("trader_company")


@pytest.fixture
def other_trader_company(db: None) -> Organisation:
    return enter_organisation("other_trader_company")


@pytest.fixture
def audit_chamber(db: None) -> Organisation:
    return enter_organisation("audit_chamber")


@pytest.fixture
def administrator(committee: Organisation) -> User:
    """Gives all other people their roles; appointed by the system itself."""
    return enter_person("administrator", "Ахметов Ерлан Серікұлы", Role.ADMINISTRATOR, committee)


@pytest.fixture
def second_administrator(administrator: User) -> User:
    """Set the registry up together with the first; confirms the roles that the first asks for."""
    return enter_second_administrator()


@pytest.fixture
def inspector(inspectorate: Organisation, administrator: User) -> User:
    """Registers horns in West Kazakhstan."""
    return enter_person(
        "inspector", "Сәрсенова Айгүл Маратқызы", Role.INSPECTOR, inspectorate, appointed_by=administrator
    )


@pytest.fixture
def second_inspector(inspectorate: Organisation, administrator: User) -> User:
    """Works in the same office as the inspector."""
    return enter_person("second_inspector", "Досжанов Ерлан", Role.INSPECTOR, inspectorate, appointed_by=administrator)


@pytest.fixture
def inspector_elsewhere(inspectorate_elsewhere: Organisation, administrator: User) -> User:
    """Registers horns in Kostanay; must not know West Kazakhstan's."""
    return enter_person(
        "inspector_elsewhere", "Ким Виктор", Role.INSPECTOR, inspectorate_elsewhere, appointed_by=administrator
    )


@pytest.fixture
def storekeeper(okhotzooprom: Organisation, administrator: User) -> User:
    """Keeps the central store."""
    return enter_person(
        "storekeeper", "Жұмабаев Нұрлан Қайратұлы", Role.STOREKEEPER, okhotzooprom, appointed_by=administrator
    )


@pytest.fixture
def storekeeper_elsewhere(police: Organisation, administrator: User) -> User:
    """Keeps the evidence room of the police."""
    return enter_person("storekeeper_elsewhere", "Омаров Дәурен", Role.STOREKEEPER, police, appointed_by=administrator)


@pytest.fixture
def trader(trader_company: Organisation, administrator: User) -> User:
    return enter_person("trader", "Ли Анна", Role.TRADER, trader_company, appointed_by=administrator)


@pytest.fixture
def other_trader(other_trader_company: Organisation, administrator: User) -> User:
    return enter_person("other_trader", "Ыбыраев Болат", Role.TRADER, other_trader_company, appointed_by=administrator)


@pytest.fixture
def authority_officer(committee: Organisation, administrator: User) -> User:
    return enter_person(
        "authority_officer",
        "Төлегенова Гүлнар Бекқызы",
        Role.AUTHORITY_OFFICER,
        committee,
        appointed_by=administrator,
    )


@pytest.fixture
def second_officer(committee: Organisation, administrator: User) -> User:
    return enter_person(
        "second_officer", "Нұрғалиев Асқар", Role.AUTHORITY_OFFICER, committee, appointed_by=administrator
    )


@pytest.fixture
def authority_head(committee: Organisation, administrator: User) -> User:
    return enter_person(
        "authority_head", "Қасымов Тимур Әліұлы", Role.AUTHORITY_HEAD, committee, appointed_by=administrator
    )


@pytest.fixture
def scientific_reviewer(institute: Organisation, administrator: User) -> User:
    return enter_person(
        "scientific_reviewer", "Байжанова Дина", Role.SCIENTIFIC_REVIEWER, institute, appointed_by=administrator
    )


@pytest.fixture
def customs_officer(customs: Organisation, administrator: User) -> User:
    return enter_person(
        "customs_officer", "Петров Андрей Иванович", Role.CUSTOMS_OFFICER, customs, appointed_by=administrator
    )


@pytest.fixture
def auditor(audit_chamber: Organisation, administrator: User) -> User:
    return enter_person("auditor", "Есенова Мадина", Role.AUDITOR, audit_chamber, appointed_by=administrator)


@pytest.fixture
def stranger(db: None) -> User:
    """Signs in, holds no role."""
    return enter_person("stranger", "Чужой Пётр")
