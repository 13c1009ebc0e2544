"""What a stock-take says on paper and in tables: differences, the inventory sheet, the frame of a sample."""

import csv
import io
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, cast

import xlsxwriter
from django.conf import settings
from django.db import connection
from django.http import FileResponse, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from core.accounts.models import User
from core.base.clock import ALMATY
from core.base.templatetags import fmt
from core.documents.acts import Act, Column, Fact, Party, Rows, Signatory, draw_act
from ledger.models import AccountKind, CustodyAccount, StockTake, StockTakeLine, StockTakeScan
from ledger.sampling import chance_to_find, rank_of, size_needed
from ledger.sscc import show_sscc
from registry.models import Origin, Term, split_stock_class

# Paper carries every item of a small count; a large one has its differences on paper and its items in the table.
ON_PAPER = 2_000
IN_A_SHEET = 50_000
XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
OUTCOMES = {outcome.value: outcome.label for outcome in StockTakeLine.Outcome}


@dataclass(frozen=True, slots=True)
class Difference:
    """One item or label that is not as the books say."""

    item_id: int | None
    text: str
    grams: int
    shelf: str = ""
    box: str = ""
    place: str = ""
    who: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Differences:
    """What differs, at most so many of each sort."""

    missing: Sequence[Difference]
    left: Sequence[Difference]
    elsewhere: Sequence[Difference]
    misplaced: Sequence[Difference]
    arrived: Sequence[Difference]
    unknown: Sequence[Difference]


@dataclass(frozen=True, slots=True)
class Chance:
    """If so many were missing: how likely a sample is to find one, and how many items find one with 95 per cent."""

    missing: int
    percent: float | None
    size_95: int


def sampling_table(frame: int, sample: int | None = None) -> list[Chance]:
    """For some numbers of missing items: the chance of this sample, and the sample that finds one with 95 per cent."""
    rows = []
    for missing in sorted({1, 5, *(frame * share // 1000 for share in (1, 10, 50))}):
        if not 0 < missing <= frame:
            continue
        percent = (
            None if sample is None else 100 * chance_to_find(frame=frame, sample=min(sample, frame), missing=missing)
        )
        rows.append(Chance(missing, percent, size_needed(frame=frame, missing=missing)))
    return rows


def differing(stocktake: StockTake, *, reader: User, limit: int) -> Differences:
    """What differs now. Where an item is booked is named to those who may know that place only."""
    if stocktake.frozen_at is None:
        return Differences((), (), (), (), (), ())
    ended = stocktake.state in (StockTake.State.SIGNING, StockTake.State.CLOSED)
    lines = {name: _lines(stocktake, name, limit) for name in ("missing", "left")} if ended else {}
    scans = {
        verdict: _scans(stocktake, verdict, reader=reader, limit=limit)
        for verdict in ("elsewhere", "misplaced", "arrived", "unknown")
    }
    missing = lines.get("missing") if ended else _lines(stocktake, "", limit)
    return Differences(missing or (), lines.get("left", ()), **scans)


def _lines(stocktake: StockTake, outcome: str, limit: int) -> list[Difference]:
    """Lines of an outcome; of none, as long as counting goes on: what nobody has scanned and is in the store still."""
    unscanned = """
        AND NOT EXISTS (SELECT FROM ledger_stocktakescan s
            WHERE s.stocktake_id = l.stocktake_id AND s.item_id = l.item_id AND s.undone_at IS NULL)
        AND EXISTS (SELECT FROM ledger_holding h
            WHERE h.account_id = %(account)s AND h.item_id = l.item_id AND h.pieces > 0)
    """
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT l.item_id, d.number, l.grams, sh.code, b.sscc
            FROM ledger_stocktakeline l
            JOIN registry_derivative d ON d.item_id = l.item_id
            LEFT JOIN ledger_shelf sh ON sh.id = l.shelf_id
            LEFT JOIN ledger_packing k ON k.item_id = l.item_id AND k.taken_out_at IS NULL
            LEFT JOIN ledger_box b ON b.id = k.box_id
            WHERE l.stocktake_id = %(stocktake)s AND l.is_chosen
                {unscanned if not outcome else "AND l.outcome = %(outcome)s"}
            ORDER BY l.item_id LIMIT %(limit)s
            """,  # noqa: S608  one of two conditions from here
            {"stocktake": stocktake.pk, "account": stocktake.account_id, "outcome": outcome, "limit": limit},
        )
        rows = cursor.fetchall()
    found = [
        Difference(item, number, grams, shelf or "", show_sscc(sscc) if sscc else "")
        for item, number, grams, shelf, sscc in rows
    ]
    return sorted(found, key=lambda one: (one.shelf, one.box, one.text))


def _scans(stocktake: StockTake, verdict: str, *, reader: User, limit: int) -> list[Difference]:
    scans = (
        StockTakeScan.objects.filter(stocktake=stocktake, verdict=verdict, undone_at=None)
        .select_related("item__derivative", "place", "shelf", "box", "scanned_by")
        .order_by("pk")[:limit]
    )
    may_know: set[int] = set()
    if verdict == "elsewhere":
        may_know = set(CustodyAccount.objects.visible_to(reader).values_list("pk", flat=True))
    found = []
    for scan in scans:
        place = ""
        if verdict == "elsewhere" and scan.place is not None:
            place = _place_named(scan.place, is_known=scan.place_id in may_know)
        item = scan.item
        found.append(
            Difference(
                item_id=item.pk if item else None,
                text=item.derivative.number if item else scan.text,
                grams=item.derivative.mass_g if item else 0,
                shelf=scan.shelf.code if scan.shelf else "",
                box=scan.box.shown if scan.box else "",
                place=place,
                who=scan.scanned_by.full_name,
                at=scan.scanned_at,
            )
        )
    return found


def _place_named(place: CustodyAccount, *, is_known: bool) -> str:
    """A place by its name to those who may know it; to others what kind it is, where that is not a store."""
    if is_known:
        return str(place.name)
    return _("Another custodian") if place.kind == AccountKind.STORE else str(place.get_kind_display())


# --- the inventory sheet --------------------------------------------------------------------------------------


def _every_line(stocktake: StockTake) -> Iterator[tuple[str, str, str, str, int, str, str, str]]:
    """Each expected item: number, mark, stock class, shelf, grams, what became of it, who had it in hand, when."""
    ended = stocktake.state in (StockTake.State.SIGNING, StockTake.State.CLOSED)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT d.number, coalesce(m.code, ''), l.stock_class, coalesce(sh.code, ''), l.grams,
                CASE WHEN %(ended)s THEN l.outcome WHEN s.id IS NOT NULL THEN 'found' ELSE '' END,
                coalesce(concat_ws(' ', u.last_name, u.first_name), ''), s.scanned_at
            FROM ledger_stocktakeline l
            JOIN registry_derivative d ON d.item_id = l.item_id
            LEFT JOIN marking_mark m ON m.derivative_id = l.item_id AND m.state = 'active'
            LEFT JOIN ledger_shelf sh ON sh.id = l.shelf_id
            LEFT JOIN ledger_stocktakescan s
                ON s.stocktake_id = l.stocktake_id AND s.item_id = l.item_id AND s.undone_at IS NULL
            LEFT JOIN accounts_user u ON u.id = s.scanned_by_id
            WHERE l.stocktake_id = %(stocktake)s AND l.is_chosen ORDER BY l.item_id
            """,
            {"stocktake": stocktake.pk, "ended": ended},
        )
        while rows := cursor.fetchmany(2_000):
            for number, code, stock_class, shelf, grams, outcome, who, at in rows:
                moment = at.astimezone(ALMATY).strftime("%d.%m.%Y %H:%M") if at else ""
                yield number, code, stock_class, shelf, grams, str(OUTCOMES.get(outcome, "")), who.strip(), moment


def _heads() -> list[str]:
    return [
        _("Number"),
        _("Mark"),
        _("Term"),
        _("Origin class"),
        _("Shelf"),
        _("Mass, g"),
        _("Result"),
        _("Scanned by"),
        _("Scanned at"),
    ]


def _cells(row: tuple[str, str, str, str, int, str, str, str]) -> list[str | int]:
    number, code, stock_class, shelf, grams, outcome, who, at = row
    term, origin = split_stock_class(stock_class)
    return [number, code, str(Term(term).label), str(Origin(origin).label), shelf, grams, outcome, who, at]


def send_csv(stocktake: StockTake, _reader: User) -> HttpResponseBase:
    """Every expected item as a CSV of any length."""
    rows = (_cells(row) for row in _every_line(stocktake))
    return _stream(f"{stocktake.number}.csv", _heads(), rows)


def send_frame(stocktake: StockTake) -> HttpResponseBase:
    """The frame of a sample: key, number, rank, and whether it is in the sample. Enough to draw it again."""

    def rows() -> Iterator[list[str | int]]:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT l.item_id, d.number, l.is_chosen FROM ledger_stocktakeline l"
                " JOIN registry_derivative d ON d.item_id = l.item_id WHERE l.stocktake_id = %s ORDER BY l.item_id",
                [stocktake.pk],
            )
            while batch := cursor.fetchmany(5_000):
                for key, number, is_chosen in batch:
                    yield [key, number, rank_of(stocktake.seed, key), int(is_chosen)]

    return _stream(f"{stocktake.number}-frame.csv", ["key", "number", "rank", "chosen"], rows())


def _stream(name: str, heads: Sequence[str], rows: Iterator[Sequence[str | int]]) -> HttpResponseBase:
    def pieces() -> Iterator[bytes]:
        yield "\ufeff".encode() + _line(heads)
        for row in rows:
            yield _line(row)

    response = StreamingHttpResponse(pieces(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "private, no-store"
    return response


def _line(cells: Sequence[str | int]) -> bytes:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerow(cells)
    return out.getvalue().encode()


def send_xlsx(stocktake: StockTake, reader: User) -> HttpResponseBase:
    """Every expected item as a workbook, with the differences on a second sheet; the CSV where there are too many."""
    if stocktake.expected_items > IN_A_SHEET:
        return send_csv(stocktake, reader)
    file = tempfile.TemporaryFile(suffix=".xlsx")  # noqa: SIM115  closed by the response
    with xlsxwriter.Workbook(file, {"constant_memory": True, "strings_to_formulas": False}) as book:
        bold = book.add_format({"bold": True})
        sheet = book.add_worksheet(_("Items")[:31])
        sheet.freeze_panes(1, 0)
        sheet.set_column(0, 8, 18)
        sheet.write_row(0, 0, _heads(), bold)
        for index, row in enumerate(_every_line(stocktake), start=1):
            sheet.write_row(index, 0, _cells(row))
        other = book.add_worksheet(_("Differences")[:31])
        other.set_column(0, 6, 20)
        other.write_row(0, 0, [_("Difference"), _("Number"), _("Shelf"), _("Box"), _("Place"), _("Scanned by")], bold)
        line = 1
        for label, found in _sorts(differing(stocktake, reader=reader, limit=IN_A_SHEET)):
            for one in found:
                other.write_row(line, 0, [label, one.text, one.shelf, one.box, one.place, one.who])
                line += 1
    file.seek(0)
    response = FileResponse(file, as_attachment=True, filename=f"{stocktake.number}.xlsx", content_type=XLSX_TYPE)
    response["Cache-Control"] = "private, no-store"
    return response


def _sorts(found: Differences) -> list[tuple[str, Sequence[Difference]]]:
    return [
        (_("Missing"), found.missing),
        (_("Left during the count"), found.left),
        (_("Registered elsewhere"), found.elsewhere),
        (_("On another shelf"), found.misplaced),
        (_("Came during the count"), found.arrived),
        (_("Unknown"), found.unknown),
    ]


def send_pdf(stocktake: StockTake, reader: User) -> HttpResponse:
    """The inventory sheet as a paper in the reader's language."""
    language = cast("Literal['kk', 'ru', 'en']", (get_language() or "kk")[:2])
    content = draw_act(inventory_act(stocktake, reader), language)
    response = HttpResponse(content, content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="{stocktake.number}.pdf"'
    response["Cache-Control"] = "private, no-store"
    return response


def inventory_act(stocktake: StockTake, reader: User) -> Act:
    """The words and tables of the inventory sheet."""
    account, result = stocktake.account, stocktake.result or {}
    custodian = account.custodian
    members = list(stocktake.members.select_related("person"))
    return Act(
        title=_("Inventory sheet"),
        number=stocktake.number,
        dated=_moment(stocktake.closed_at or stocktake.ended_at or timezone.now()),
        place=account.name,
        issuer=custodian.name if custodian else "",
        parties=[Party(_("Custodian"), custodian.name if custodian else "", [f"{account.name} · {account.code}"])],
        facts=[
            Fact(_("Kind"), str(stocktake.get_kind_display())),
            Fact(_("State"), str(stocktake.get_state_display())),
            *([Fact(_("Shelf"), stocktake.shelf.words)] if stocktake.shelf else []),
            Fact(_("Counting began"), _moment(stocktake.frozen_at)),
            *([Fact(_("Counting ended"), _moment(stocktake.ended_at))] if stocktake.ended_at else []),
            Fact(_("Expected"), f"{fmt.count(stocktake.expected_items)} · {fmt.kg(stocktake.expected_grams)}"),
            Fact(_("Found"), fmt.count(result.get("found", 0))),
            Fact(_("Missing"), fmt.count(result.get("missing", 0))),
            Fact(_("Left during the count"), fmt.count(result.get("left", 0))),
            Fact(_("Registered elsewhere"), fmt.count(result.get("elsewhere", 0))),
            Fact(_("On another shelf"), fmt.count(result.get("misplaced", 0))),
            Fact(_("Came during the count"), fmt.count(result.get("arrived", 0))),
            Fact(_("Unknown"), fmt.count(result.get("unknown", 0))),
            *_drawn(stocktake),
        ],
        tables=[_by_class(stocktake), *_difference_tables(stocktake, reader), *_item_table(stocktake)],
        signatories=[
            Signatory(
                role=_("Member of the commission"),
                name=member.person.full_name,
                signed=_moment(member.signed_at) if member.signed_at else "",
            )
            for member in members
        ],
        check=stocktake.result_digest[:16],
        link=f"https://{settings.PUBLIC_HOST}{reverse('custody:stocktake', args=[stocktake.pk])}",
    )


def _drawn(stocktake: StockTake) -> list[Fact]:
    if not stocktake.seed:
        return []
    return [
        Fact(_("Frame"), fmt.count(stocktake.frame_items)),
        Fact(_("Digest of the frame"), stocktake.frame_digest),
        Fact(_("Words of the commission"), stocktake.words),
        Fact(_("Secret"), stocktake.secret),
        Fact(_("Seed"), stocktake.seed),
    ]


def _by_class(stocktake: StockTake) -> Rows:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT stock_class, count(*), sum(grams)::bigint, count(*) FILTER (WHERE outcome = 'found'),"
            " count(*) FILTER (WHERE outcome = 'missing') FROM ledger_stocktakeline"
            " WHERE stocktake_id = %s AND is_chosen GROUP BY stock_class ORDER BY stock_class",
            [stocktake.pk],
        )
        found = cursor.fetchall()
    rows = []
    for stock_class, items, grams, seen, missing in found:
        term, origin = split_stock_class(stock_class)
        words = f"{Term(term).label}, {Origin(origin).label}"
        rows.append([words, fmt.count(items), fmt.kg(grams), fmt.count(seen), fmt.count(missing)])
    columns = [
        Column(_("Term, origin class"), 4),
        Column(_("Expected"), 1.2, flush_right=True),
        Column(_("Mass"), 1.6, flush_right=True),
        Column(_("Found"), 1.2, flush_right=True),
        Column(_("Missing"), 1.2, flush_right=True),
    ]
    totals = [
        _("Total"),
        fmt.count(sum(row[1] for row in found)),
        fmt.kg(sum(row[2] for row in found)),
        fmt.count(sum(row[3] for row in found)),
        fmt.count(sum(row[4] for row in found)),
    ]
    return Rows(columns, rows, title=_("By kind"), totals=totals)


def _difference_tables(stocktake: StockTake, reader: User) -> list[Rows]:
    columns = [Column(_("Number"), 2.4), Column(_("Shelf"), 1.2), Column(_("Box"), 2), Column(_("Place"), 2.4)]
    found = differing(stocktake, reader=reader, limit=ON_PAPER)
    tables = []
    for label, some in _sorts(found):
        rows = [(one.text, one.shelf, one.box, one.place) for one in some]
        if said := [place for place, cells in enumerate(zip(*rows, strict=True)) if any(cells)]:
            picked = [[row[place] or "—" for place in said] for row in rows]
            tables.append(Rows([columns[place] for place in said], picked, title=label))
    return tables


def _item_table(stocktake: StockTake) -> list[Rows]:
    if stocktake.expected_items > ON_PAPER:
        return []
    columns = [
        Column(_("Number"), 2),
        Column(_("Mark"), 2),
        Column(_("Shelf"), 1.2),
        Column(_("Mass, g"), 1, flush_right=True),
        Column(_("Result"), 1.6),
    ]
    rows = [
        [number, code, shelf, fmt.count(grams), outcome]
        for number, code, _class, shelf, grams, outcome, _who, _at in _every_line(stocktake)
    ]
    return [Rows(columns, rows, title=_("Items"))]


def _moment(at: datetime | None) -> str:
    return at.astimezone(ALMATY).strftime("%d.%m.%Y %H:%M") if at else ""
