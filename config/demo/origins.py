"""Goods of other origins and kinds: found horns, old stock, an import, meat and certificates, packages of powder."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from config.demo.cast import Cast
from config.demo.season import moment
from core.accounts.bin import bin_from
from core.accounts.models import Organisation, Region
from core.accounts.services import create_organisation
from core.documents.acts import Act, Signatory, draw_act
from marking.services.issue import register_and_mark
from registry.measures import TableRow
from registry.models import (
    Find,
    Importation,
    Intake,
    OldStock,
    Origin,
    RemovalPermit,
    SlaughterPoint,
    Term,
    VeterinaryCertificate,
)
from registry.services import Scan, confirm_intake, enter_certificate, open_intake, save_rows, sell_batches

FIRST = date(2025, 10, 20)


def take_in_other_origins(cast: Cast, permit: RemovalPermit) -> None:
    """One intake of each, as the inspection of West Kazakhstan would have them."""
    _find(cast)
    _take_inventory(cast)
    _import(cast)
    _slaughter(cast, permit)


def _register(cast: Cast, intake: Intake, at: datetime, rows: list[TableRow]) -> None:
    inspector = cast.people["inspector"]
    save_rows(actor=inspector, at=at, intake=intake, version=intake.version, rows=rows)
    intake.refresh_from_db()
    register_and_mark(
        actor=inspector,
        at=at + timedelta(hours=1),
        intake=intake,
        confirm_band=True,
        band_reason="Екінші таразымен қайта өлшенді",
    )


def _find(cast: Cast) -> None:
    """A herder hands in five horns of animals that died in winter; four of them are two pairs."""
    find = Find(
        place="Жәнібек ауданы, Тайпақ ауылынан солтүстікке қарай 12 км",
        latitude="49.512300",
        longitude="47.101500",
        found_on=FIRST - timedelta(days=3),
        finder="Бисенов Қанат",
        finder_contact="Тайпақ ауылы",
        act_number="ТА-14/2025",
        act_on=FIRST,
    )
    intake = open_intake(
        actor=cast.people["inspector"],
        at=moment(FIRST, 11),
        origin=Origin.FOUND,
        term=Term.HORN,
        store=cast.places["RP-27-1"],
        on=FIRST,
        paper=find,
        scan=Scan("ТА-14-2025.pdf", _hand_in_act(find)),
    )
    rows = [
        TableRow(1, "L", 188, 241, "whole", straight_mm=219, base_mm=86, rings=13, pair="2"),
        TableRow(2, "R", 190, 243, "whole", straight_mm=221, base_mm=87, rings=13, pair="1"),
        TableRow(3, "L", 202, 255, "cracked", straight_mm=229, base_mm=89, rings=14, pair="4"),
        TableRow(4, "R", 199, 252, "whole", straight_mm=228, base_mm=88, rings=14),
        TableRow(5, "R", 143, 171, "broken", "Ұшы сынған"),
    ]
    _register(cast, intake, moment(FIRST, 12), rows)
    confirm_intake(actor=cast.people["inspector2"], at=moment(FIRST, 15), intake=intake)


def _take_inventory(cast: Cast) -> None:
    """Pieces and powder that a trader held before marking, by weighed package."""
    day = FIRST + timedelta(days=2)
    sheet = OldStock(
        sheet_number="3-ТТ/2025",
        sheet_on=day,
        commission="Сәрсенова А.М., инспектор\nИбраев Б.Ө., қойма иесі\nМұқанов С., бухгалтер",
    )
    common: dict[str, Any] = {
        "actor": cast.people["inspector"],
        "origin": Origin.OLD_STOCK,
        "store": cast.places["TS-27"],
        "on": day,
    }
    common["scan"] = Scan("3-ТТ-2025.pdf", _sheet(sheet))
    pieces = open_intake(at=moment(day, 10), term=Term.HORN_PIECE, paper=replace_paper(sheet), **common)
    rows = [
        TableRow(1, mass_g=4_180, gross_g=4_300, package="bag", count=36),
        TableRow(2, mass_g=3_905, gross_g=4_020, package="bag", count=31),
    ]
    _register(cast, pieces, moment(day, 11), rows)
    powder = open_intake(at=moment(day, 13), term=Term.POWDER, paper=replace_paper(sheet), **common)
    jar = TableRow(1, mass_g=500, gross_g=640, package="jar")
    _register(cast, powder, moment(day, 14), [replace(jar, row=row) for row in range(1, 7)])
    for intake in (pieces, powder):
        confirm_intake(actor=cast.people["inspector2"], at=moment(day + timedelta(days=1), 10), intake=intake)


def _hand_in_act(find: Find) -> bytes:
    """The scanned act by which the finder handed the horns in."""
    said = Act(
        title="Тапсыру актісі",
        number=find.act_number,
        dated=f"{find.act_on:%d.%m.%Y}",
        text=(f"Табылған жері: {find.place}. Мүйіз: 5 дана.",),
        signatories=(Signatory(role="Тапсырды", name=find.finder), Signatory(role="Қабылдады", name="Сәрсенова А.М.")),
    )
    return draw_act(said, "kk")


def _sheet(sheet: OldStock) -> bytes:
    """The scanned inventory, as the commission signed it."""
    people = tuple(Signatory(role="Комиссия", name=name) for name in sheet.commission.splitlines())
    said = Act(
        title="Түгендеу тізімдемесі",
        number=sheet.sheet_number,
        dated=f"{sheet.sheet_on:%d.%m.%Y}",
        text=("Мүйіз кесектері: 2 қап, 67 дана. Мүйіз ұнтағы: 6 құты.",),
        signatories=people,
    )
    return draw_act(said, "kk")


def _declaration(paper: Importation) -> bytes:
    """The scanned customs declaration of an import, with the permit that it names."""
    said = Act(
        title="Кеден декларациясы",
        number=paper.declaration_number,
        dated=f"{paper.declared_on:%d.%m.%Y}",
        text=(f"CITES экспортқа рұқсаты: {paper.permit_number}, {paper.permit_on:%d.%m.%Y}, {paper.country}.",),
        signatories=(Signatory(role="Декларант", name="Ким В.Л."),),
    )
    return draw_act(said, "kk")


def replace_paper(sheet: OldStock) -> OldStock:
    """The same sheet as one more paper: each kind has an intake of its own."""
    return OldStock(sheet_number=sheet.sheet_number, sheet_on=sheet.sheet_on, commission=sheet.commission)


def _import(cast: Cast) -> None:
    day = FIRST + timedelta(days=9)
    paper = Importation(
        permit_number="25CN-EX-00412",
        permit_on=day - timedelta(days=30),
        country="CN",
        declaration_number="55105/291025/0004412",
        declared_on=day - timedelta(days=1),
        importer=cast.organisations["other_trader"],
    )
    intake = open_intake(
        actor=cast.people["inspector"],
        at=moment(day, 15),
        origin=Origin.IMPORTED,
        term=Term.MEDICINE,
        store=cast.places["TS-27"],
        on=day,
        paper=paper,
        scan=Scan("25CN-EX-00412.pdf", _declaration(paper)),
    )
    pack = TableRow(
        1, mass_g=1_200, product="Линъян цзяо цзяонан", lot="20250312", count=100, dose_mg=300, package="box",
        use_by=date(2027, 3, 11),
    )  # fmt: skip
    _register(cast, intake, moment(day, 16), [replace(pack, row=row) for row in range(1, 4)])
    confirm_intake(actor=cast.people["inspector2"], at=moment(day + timedelta(days=1), 10), intake=intake)


def _slaughter(cast: Cast, permit: RemovalPermit) -> None:
    """Two certificates of a slaughter point; one batch of the first is sold at the market."""
    inspector, region = cast.people["inspector"], Region.objects.get(pk="27")
    point = SlaughterPoint.objects.get(region=region)
    veterinary = create_organisation(
        actor=None,
        at=moment(date(2025, 6, 2), 12),
        bin=bin_from("06094000057"),
        kind=Organisation.Kind.VETERINARY,
        name_kk="Қазталов аудандық ветеринария станциясы",
        name_ru="Казталовская районная ветеринарная станция",
        name_en="Kaztalovka district veterinary station",
        region=region,
    )
    for number, carcasses, masses in ((1, 24, (148_300, 151_900)), (2, 18, (233_400,))):
        day = FIRST + timedelta(days=3 * number)
        certificate = _certify(cast, veterinary, point, number, day, carcasses, sum(masses))
        intake = open_intake(
            actor=inspector,
            at=moment(day, 10),
            origin=Origin.REMOVAL,
            term=Term.MEAT,
            store=cast.places["RP-27-2"],
            on=day,
            paper=permit,
            certificate=certificate,
        )
        rows = [
            TableRow(
                row,
                mass_g=mass,
                cut="half",
                count=carcasses // len(masses),
                treatment="chilled",
                made_on=day,
                use_by=day + timedelta(days=14),
            )
            for row, mass in enumerate(masses, start=1)
        ]
        _register(cast, intake, moment(day, 12), rows)
        if number == 1:
            sell_batches(
                actor=inspector,
                at=moment(day, 17),
                key="demo:meat",
                store=cast.places["RP-27-2"],
                items=[intake.derivatives.order_by("row").values_list("item_id", flat=True)[0]],
                on=day,
                buyer_name="«Орал орталық базары» ЖШС",
                buyer_bin=bin_from("01084000079"),
                price_tenge=266_940,
            )


def _certify(
    cast: Cast, veterinary: Organisation, point: SlaughterPoint, number: int, day: date, carcasses: int, grams: int
) -> VeterinaryCertificate:
    return enter_certificate(
        actor=cast.people["inspector"],
        at=moment(day, 9),
        number=f"27-04 № 00{4110 + number}",
        issued_on=day,
        valid_until=day + timedelta(days=10),
        issued_by=veterinary,
        officer="Досқалиев Ерболат",
        slaughter_point=point,
        carcasses=carcasses,
        net_g=grams + 2_000,
    )
