"""The annual CITES report of illegal trade: one row for each seizure and kind of goods, in English as it is sent.

Columns, their order and the head are those of the report's form; codes of the lists are said in its words.
"""

from collections.abc import Iterator
from datetime import date

from django.utils import translation

from core.accounts.models import Organisation
from registry.models import Case, CaseWord, Country, Term
from registry.selectors_cases import CountLine, GoodsLine, compare_counts_of, disposal_of, standing_goods_of
from reports.papers import formats, words
from reports.tables import Column, Fact, Report, Table
from reports.tables.model import Row

COLUMNS = (
    "Seizure number",
    "Date of seizure (dd/mm/yyyy)",
    "Species",
    "Description of specimen (term)",
    "Quantity",
    "Unit",
    "Location of incident",
    "Detecting agency",
    "Reason for seizure",
    "Method of detection",
    "Mode of transport",
    "Method of concealment",
    "Alleged country of origin",
    "Country(ies) of transit",
    "Alleged final destination",
    "Estimated value in country",
    "Nationality of offenders",
    "Law under which charges were brought",
    "Sanction",
    "Disposal of confiscated specimens",
    "Additional information",
)
SPECIES = "Saiga tatarica"
# Horns, trophies, hides and packs are counted; the rest is weighed.
COUNTED = frozenset({Term.HORN, Term.TROPHY, Term.SKIN, Term.MEDICINE, Term.HORN_CARVING})


def illegal_trade_report(year: int) -> Report:
    """The report of the seizures of one year. Every text in it is English: it goes to the CITES Secretariat."""
    with translation.override("en"):
        authority = Organisation.objects.filter(kind=Organisation.Kind.MINISTRY).order_by("pk").first()
        facts = (
            Fact("Country", "Kazakhstan"),
            Fact("Period", f"01/01/{year} - 31/12/{year}"),
            Fact("Contact", authority.name_en if authority else ""),
            Fact("Sharing", "Data may be shared with ICCWC"),
        )
        table = Table(
            caption=f"Illegal trade {year}",
            columns=tuple(Column(title, weight=1) for title in COLUMNS),
            rows=lambda: _rows(year),
        )
        return Report(
            title="CITES annual illegal trade report",
            subtitle=str(year),
            tables=(table,),
            words=words(),
            formats=formats(),
            facts=facts,
            landscape=True,
        )


def _rows(year: int) -> Iterator[Row]:
    disposals = {word.code: word.name_en for word in CaseWord.objects.filter(list=CaseWord.List.DISPOSAL)}
    cases = list(
        Case.objects.filter(seized_on__gte=date(year, 1, 1), seized_on__lte=date(year, 12, 31))
        .select_related(
            "agency",
            "region",
            "reason",
            "detection",
            "transport",
            "concealment",
            "origin_country",
            "destination_country",
        )
        .prefetch_related("transit_countries", "nationalities", "counts")
        .order_by("seized_on", "pk")
    )
    counted, goods = compare_counts_of(cases), standing_goods_of(cases)
    for case in cases:
        yield from _rows_of(case, counted[case.pk], goods[case.pk], disposals)


def _rows_of(
    case: Case, lines: list[CountLine], its_goods: list[GoodsLine], disposals: dict[str, str]
) -> Iterator[Row]:
    standing: dict[Term, dict[str, None]] = {}
    for goods in its_goods:
        standing.setdefault(goods.term, {})[disposals.get(disposal_of(goods), "")] = None
    for line in lines:
        pieces = max(line.counted or 0, line.taken)
        grams = line.taken_grams or line.counted_grams or 0
        is_counted = line.term in COUNTED or not grams
        yield (
            case.number,
            case.seized_on.strftime("%d/%m/%Y"),
            SPECIES,
            str(line.term.value),
            str(pieces) if is_counted else f"{grams / 1000:.3f}",
            "NAR" if is_counted else "KGM",
            f"{case.place}, {case.region.name_en}",
            case.agency.name_en,
            _word(case.reason),
            _word(case.detection),
            _word(case.transport),
            _word(case.concealment),
            _code(case.origin_country),
            "; ".join(sorted(country.pk for country in case.transit_countries.all())),
            _code(case.destination_country),
            f"{case.estimated_value} KZT" if case.estimated_value is not None else "",
            "; ".join(sorted(country.pk for country in case.nationalities.all())),
            case.articles,
            case.sanction,
            "; ".join(standing.get(line.term, {})) or disposals.get("evidence", ""),
            case.additional,
        )


def _word(word: CaseWord | None) -> str:
    return word.name_en if word else ""


def _code(country: Country | None) -> str:
    return country.pk if country else ""
