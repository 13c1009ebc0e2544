"""Who takes part: organisations, people with one password, places."""

from dataclasses import dataclass
from datetime import datetime

from core.accounts.bin import bin_from
from core.accounts.granting import ask_role, confirm_role
from core.accounts.models import Organisation, Region, User
from core.accounts.roles import DECIDING, Role
from core.accounts.services import FOUNDERS, appoint, create_organisation, create_person
from ledger.models import AccountKind, CustodyAccount
from ledger.services import open_store

PASSWORD = "saiga-demo-2025"  # noqa: S105  shown to whoever starts the demo

ENTERED = "Реестр іске қосылғанда лауазымы бойынша"  # why each role was asked for

Kind = Organisation.Kind

# First eleven digits of the BIN, kind, region, names in Kazakh, Russian and English. None of them exists.
ORGANISATIONS: dict[str, tuple[str, Organisation.Kind, str | None, str, str, str]] = {
    "committee": (
        "96024000012", Kind.MINISTRY, "71",
        "Орман шаруашылығы және жануарлар дүниесі комитеті",
        "Комитет лесного хозяйства и животного мира",
        "Forestry and Wildlife Committee",
    ),
    "inspection": (
        "12034000034", Kind.INSPECTORATE, "27",
        "Батыс Қазақстан облыстық орман шаруашылығы және жануарлар дүниесі аумақтық инспекциясы",
        "Западно-Казахстанская областная территориальная инспекция лесного хозяйства и животного мира",
        "West Kazakhstan Territorial Inspection of Forestry and Wildlife",
    ),
    "enterprise": (
        "95114000056", Kind.ENTERPRISE, "75",
        "«Охотзоопром» өндірістік бірлестігі",
        "Производственное объединение «Охотзоопром»",
        "Okhotzooprom Production Association",
    ),
    "police": (
        "97044000078", Kind.POLICE, "27",
        "Батыс Қазақстан облысының Полиция департаменті",
        "Департамент полиции Западно-Казахстанской области",
        "Police Department of West Kazakhstan Region",
    ),
    "trader": (
        "15054000091", Kind.TRADER, "75",
        "«Дала саудасы» ЖШС", "ТОО «Степная торговля»", "Steppe Trade LLP",
    ),
    "other_trader": (
        "18064000013", Kind.TRADER, "27",
        "«Ақ Жайық экспорт» ЖШС", "ТОО «Ак Жайык экспорт»", "Ak Zhaiyk Export LLP",
    ),
    "audit": (
        "20074000035", Kind.AUDITOR, "71",
        "Жоғары аудиторлық палата", "Высшая аудиторская палата", "Supreme Audit Chamber",
    ),
}  # fmt: skip

# User name, family name, first name, patronymic, role, organisation.
PEOPLE: tuple[tuple[str, str, str, str, Role, str], ...] = (
    ("administrator", "Ахметов", "Ерлан", "Серікұлы", Role.ADMINISTRATOR, "committee"),
    ("administrator2", "Бекенов", "Марат", "Жанатұлы", Role.ADMINISTRATOR, "committee"),
    ("inspector", "Сәрсенова", "Айгүл", "Маратқызы", Role.INSPECTOR, "inspection"),
    ("inspector2", "Қайыров", "Ермек", "Талғатұлы", Role.INSPECTOR, "inspection"),
    ("storekeeper", "Жұмабаев", "Нұрлан", "Қайратұлы", Role.STOREKEEPER, "enterprise"),
    ("storekeeper2", "Оспанова", "Әсел", "Ғалымқызы", Role.STOREKEEPER, "enterprise"),
    ("trader", "Ли", "Анна", "Викторовна", Role.TRADER, "trader"),
    ("trader2", "Ыбыраев", "Болат", "Өмірұлы", Role.TRADER, "other_trader"),
    ("officer", "Төлегенова", "Гүлнар", "Бекқызы", Role.AUTHORITY_OFFICER, "committee"),
    ("officer2", "Нұрғалиев", "Асқар", "Тимурұлы", Role.AUTHORITY_OFFICER, "committee"),
    ("head", "Қасымов", "Тимур", "Әліұлы", Role.AUTHORITY_HEAD, "committee"),
    ("auditor", "Есенова", "Мадина", "Нұрланқызы", Role.AUDITOR, "audit"),
)

# Code, kind, keeper, region, is it a reception point, names.
PLACES: tuple[tuple[str, AccountKind, str, str, bool, str, str, str], ...] = (
    ("RP-27-1", AccountKind.STORE, "enterprise", "27", True,
     "Жәнібек қабылдау пункті", "Пункт приема Жанибек", "Zhanybek reception point"),
    ("RP-27-2", AccountKind.STORE, "enterprise", "27", True,
     "Казталовка қабылдау пункті", "Пункт приема Казталовка", "Kaztalovka reception point"),
    ("CS-75", AccountKind.STORE, "enterprise", "75", False,
     "Алматы орталық тоңазытқыш қоймасы", "Центральный холодильный склад, Алматы", "Central cold store, Almaty"),
    ("EV-27", AccountKind.EVIDENCE, "inspection", "27", False,
     "Инспекцияның заттай дәлелдемелер қоймасы, Орал", "Хранилище вещественных доказательств, Уральск",
     "Evidence room, Oral"),
    ("TS-75", AccountKind.STORE, "trader", "75", False,
     "«Дала саудасы» қоймасы, Алматы", "Склад «Степной торговли», Алматы", "Steppe Trade store, Almaty"),
    ("TS-27", AccountKind.STORE, "other_trader", "27", False,
     "«Ақ Жайық экспорт» қоймасы, Орал", "Склад «Ак Жайык экспорт», Уральск", "Ak Zhaiyk Export store, Oral"),
)  # fmt: skip


@dataclass(frozen=True)
class Cast:
    """Everybody and every place by short name."""

    organisations: dict[str, Organisation]
    people: dict[str, User]
    places: dict[str, CustodyAccount]


def enter_cast(at: datetime) -> Cast:
    """Write down organisations, people and places as of `at`."""
    organisations = {
        name: create_organisation(
            actor=None,
            at=at,
            bin=bin_from(digits),
            kind=kind,
            name_kk=kk,
            name_ru=ru,
            name_en=en,
            region=Region.objects.get(pk=region) if region else None,
        )
        for name, (digits, kind, region, kk, ru, en) in ORGANISATIONS.items()
    }
    people: dict[str, User] = {}
    founders: list[User] = []
    for username, last, first, patronymic, role, organisation in PEOPLE:
        administrator = founders[0] if len(founders) == FOUNDERS else None
        person = create_person(
            actor=administrator,
            at=at,
            username=username,
            last_name=last,
            first_name=first,
            patronymic=patronymic,
            email=f"{username}@example.kz",
            language="kk",
            password=PASSWORD,
        )
        office = organisations[organisation]
        if administrator is not None and role in DECIDING:
            asked = ask_role(actor=administrator, at=at, person=person, organisation=office, role=role, reason=ENTERED)
            confirm_role(actor=founders[1], at=at, asked=asked)
        else:
            appoint(actor=administrator, at=at, person=person, organisation=office, role=role)
        if administrator is None:
            founders.append(person)
        people[username] = person
    places = {
        code: open_store(
            actor=founders[0],
            at=at,
            code=code,
            kind=kind,
            custodian=organisations[keeper],
            region=Region.objects.get(pk=region),
            name_kk=kk,
            name_ru=ru,
            name_en=en,
            is_reception_point=is_reception_point,
        )
        for code, kind, keeper, region, is_reception_point, kk, ru, en in PLACES
    }
    return Cast(organisations, people, places)
