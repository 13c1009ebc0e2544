"""What is printed, in words: the registry's tables and statements as descriptions for the three writers."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime

from django.utils.translation import get_language, pgettext
from django.utils.translation import gettext as _

from ledger.models import AccountKind, CustodyAccount, MovementKind
from registry.models import Origin, Term, split_stock_class
from reports.balance import Line
from reports.models import Figures, Statement
from reports.tables import Column, Fact, Formats, Kind, Report, Row, Seal, Signature, Table, Words


def words() -> Words:
    """The fixed words of a file in the active language."""
    return Words(
        registry=_("State registry of saiga derivatives, Republic of Kazakhstan"),
        page=_("Page %(page)d of %(pages)d"),
        total=_("Total"),
        empty=_("Nothing to show."),
        kilograms=_("kg"),
        grams=_("g"),
        check_code=_("Check code"),
        signature=_("signature"),
        signed_on=_("date"),
    )


def formats() -> Formats:
    """Kazakh and Russian write 1 234,567 and 31.12.2026; English 1,234.567 and 2026-12-31."""
    if (get_language() or "kk").startswith("en"):
        return Formats(decimal=".", thousands=",", day="%Y-%m-%d", moment="%Y-%m-%d %H:%M")
    return Formats()


def term_label(code: str) -> str:
    """“horn (HOR)”: the word of the reader and the code of CITES."""
    return _("%(word)s (%(code)s)") % {"word": Term(code).label, "code": code}


def class_labels(stock_class: str) -> tuple[str, str]:
    """Term and origin of a stock class in words."""
    term, origin = split_stock_class(stock_class)
    return term_label(term), str(Origin(origin).label)


def reason_label(kind: str, boundary: str) -> str:
    """Why stock changed, in words; where it came in from a boundary or left through one, which."""
    label = str(MovementKind(kind).label)
    if not boundary:
        return label
    return _("%(act)s: %(boundary)s") % {"act": label, "boundary": AccountKind(boundary).label}


def period_label(starts_on: date, ends_on: date) -> str:
    written = formats()
    return f"{starts_on.strftime(written.day)} – {ends_on.strftime(written.day)}"


def balance_rows(figures: Figures) -> list[Row]:
    """One row per stock class: opening, in, out, closing, each in pieces and grams."""
    return [(*class_labels(stock_class), *amounts) for stock_class, *amounts in figures["balance"]]


def change_rows(figures: Figures) -> list[Row]:
    """One row per stock class, direction and reason."""
    words_of = {"in": _("In"), "out": _("Out")}
    return [
        (*class_labels(stock_class), words_of[direction], reason_label(kind, boundary), pieces, grams)
        for stock_class, direction, kind, boundary, pieces, grams in figures["changes"]
    ]


def pieces_and_mass(group: str) -> tuple[Column, Column]:
    return (
        Column(pgettext("column", "pieces"), Kind.NUMBER, 0.2, group=group, total=True),
        Column(pgettext("column", "mass"), Kind.GRAMS, 0.3, group=group, total=True),
    )


def balance_table(rows: Sequence[Row]) -> Table:
    columns = (
        Column(_("Term"), weight=2.2),
        Column(_("Origin class"), weight=2.4),
        *pieces_and_mass(_("Opening")),
        *pieces_and_mass(_("In")),
        *pieces_and_mass(_("Out")),
        *pieces_and_mass(_("Closing")),
    )
    return Table(_("Balance"), columns, lambda: iter(rows))


def change_table(rows: Sequence[Row]) -> Table:
    columns = (
        Column(_("Term"), weight=2),
        Column(_("Origin class"), weight=2.4),
        Column(_("Direction"), weight=1),
        Column(_("Reason"), weight=4),
        Column(pgettext("column", "pieces"), Kind.NUMBER, 0.6),
        Column(pgettext("column", "mass"), Kind.GRAMS, 0.8),
    )
    return Table(_("Changes by reason"), columns, lambda: iter(rows))


def boundary_of(other: int | None, accounts: Mapping[int, CustodyAccount]) -> str:
    """The kind of the account on the far side if it is a boundary of the system; else empty."""
    account = accounts.get(other) if other is not None else None
    return account.kind if account is not None and not account.is_physical else ""


def movement_table(lines: Sequence[Line], accounts: Mapping[int, CustodyAccount], people: Mapping[int, str]) -> Table:
    """The annex: every movement of the period, one row per stock class."""
    columns = (
        Column(pgettext("column", "No."), Kind.CODE, 0.1),
        Column(_("Day"), Kind.DAY, 0.1),
        Column(_("Recorded"), Kind.MOMENT, 0.1),
        Column(_("Reason"), weight=2.5),
        Column(_("Document"), Kind.CODE, 1.3),
        Column(_("From or to"), weight=2.7),
        Column(_("Term and origin class"), weight=2.2),
        Column(_("Recorded by"), weight=2.2),
        *pieces_and_mass(_("In")),
        *pieces_and_mass(_("Out")),
    )

    def rows() -> Iterator[Row]:
        for line in lines:
            beyond = line.far if line.far is not None else line.other
            other = accounts.get(beyond) if beyond is not None else None
            term, origin = class_labels(line.stock_class)
            yield (
                str(line.movement),
                line.on,
                line.recorded_at,
                str(MovementKind(line.kind).label),
                line.reference,
                other.name if other else "",
                f"{term}, {origin}",
                people.get(line.actor, ""),
                line.came.pieces or None,
                line.came.grams or None,
                line.left.pieces or None,
                line.left.grams or None,
            )

    return Table(_("Annex: movements"), columns, rows)


def statement_report(
    statement: Statement,
    *,
    balance: Sequence[Row],
    changes: Sequence[Row],
    movements: Table,
    check_code: str,
    link: str,
    made_at: datetime,
) -> Report:
    """The stock statement as an act: balance, changes by reason, annex of movements, lines to be signed."""
    account = statement.account
    written = formats()
    custodian = account.custodian
    facts = [
        Fact(_("Store"), f"{account.name} ({account.code})"),
        Fact(_("Period"), period_label(statement.starts_on, statement.ends_on)),
    ]
    if custodian is not None:
        name_and_bin = _("%(name)s, BIN %(bin)s") % {"name": custodian.name, "bin": custodian.bin}
        facts.append(Fact(_("Custodian"), name_and_bin))
    if account.region is not None:
        facts.append(Fact(_("Region"), account.region.name))
    facts += [
        Fact(_("Asked by"), statement.asked_by.full_name),
        Fact(_("Made at"), written.local(made_at).strftime(written.moment)),
    ]
    return Report(
        title=_("Stock statement"),
        subtitle=_("%(number)s · %(store)s") % {"number": statement.number, "store": account.name},
        tables=(balance_table(balance), change_table(changes), movements),
        words=words(),
        formats=written,
        facts=tuple(facts),
        footer=_(
            "Opening + in − out = closing, added up from the postings of the ledger and equal to its totals. "
            "The check code changes when any figure changes."
        ),
        signatures=(Signature(_("Storekeeper")), Signature(_("Checked by"))),
        seal=Seal(statement.number, check_code, link),
        landscape=True,
    )


def stock_table(rows: Iterable[Row], *, caption: str) -> Table:
    kept = list(rows)
    columns = (
        Column(_("Store"), weight=3),
        Column(_("Store code"), Kind.CODE, 1),
        Column(_("Custodian"), weight=3),
        Column(_("Region"), weight=2),
        Column(_("Term"), weight=2),
        Column(_("Origin class"), weight=2),
        Column(pgettext("column", "pieces"), Kind.NUMBER, 0.6, total=True),
        Column(pgettext("column", "mass"), Kind.GRAMS, 0.8, total=True),
    )
    return Table(caption, columns, lambda: iter(kept))


def items_table(rows: Callable[[], Iterator[Row]]) -> Table:
    columns = (
        Column(_("Number"), Kind.CODE, 1.4),
        Column(_("Mark"), Kind.CODE, 1.6),
        Column(_("Term"), weight=1.4),
        Column(_("Origin class"), weight=1.6),
        Column(_("Side"), weight=0.8),
        Column(_("Condition"), weight=1),
        Column(pgettext("column", "pieces"), Kind.NUMBER, 0.5, total=True),
        Column(pgettext("column", "mass"), Kind.GRAMS, 0.8, total=True),
        Column(_("Length, mm"), Kind.NUMBER, 0.5),
        Column(_("Place"), weight=2.4),
        Column(_("Kind of place"), weight=1.4),
        Column(_("There since"), Kind.DAY, 0.6),
        Column(_("On hold"), weight=1.4),
        Column(_("Reserved for"), weight=1.2),
        Column(_("Reception"), Kind.CODE, 1.2),
        Column(_("Day of reception"), Kind.DAY, 0.6),
        Column(_("Population"), weight=1),
    )
    return Table(_("Items"), columns, rows)


def journal_table(rows: Callable[[], Iterator[Row]]) -> Table:
    columns = (
        Column(_("Event"), Kind.CODE, 0.6),
        Column(_("Happened"), Kind.MOMENT, 0.6),
        Column(_("Recorded"), Kind.MOMENT, 0.6),
        Column(_("What"), weight=2),
        Column(_("Verb"), Kind.CODE, 1.4),
        Column(_("Who"), weight=2),
        Column(_("Organisation"), weight=2),
        Column(_("Subject kind"), weight=1),
        Column(_("Subject key"), Kind.CODE, 0.8),
        Column(_("Subject"), weight=1.2),
        Column(_("Facts"), weight=4),
    )
    return Table(_("Journal"), columns, rows)


def table_report(table: Table, *, title: str, subtitle: str = "", facts: Sequence[Fact] = ()) -> Report:
    """A single table as a workbook."""
    return Report(
        title=title,
        subtitle=subtitle,
        tables=(table,),
        words=words(),
        formats=formats(),
        facts=tuple(facts),
        landscape=True,
    )
