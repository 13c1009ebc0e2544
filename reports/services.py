"""Asking for a stock statement, making it, publishing it."""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from django.conf import settings
from django.core.files.base import File
from django.db import transaction
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.accounts.models import User
from core.audit.services import record
from core.base.clock import day_of
from core.base.errors import BadInput, DomainError
from core.documents.models import Document
from core.documents.services import keep_document, take_numbers
from core.jobs.models import Job
from core.jobs.services import Progress, start_job
from ledger.models import CustodyAccount
from reports.balance import NOTHING, Amount, ClassBalance, Line, add_up, check_code, differences
from reports.models import Figures, Statement
from reports.papers import balance_rows, boundary_of, change_rows, movement_table, statement_report
from reports.selectors import read_statement_source
from reports.tables import Report, write_csv, write_pdf, write_xlsx

JOB_KIND = "reports.stock_statement"
LONGEST_DAYS = 10 * 366


class StatementDiffersFromLedger(DomainError):
    """What the postings add up to is not the total the ledger keeps; nothing is published."""

    code = "statement-differs-from-ledger"
    message = gettext_lazy("The postings of this store do not add up to the totals of the ledger.")


@transaction.atomic
def ask_statement(
    *, actor: User, at: datetime, account: CustodyAccount, starts_on: date, ends_on: date, language: str
) -> Statement:
    """Write down that a statement is wanted and start making it; both days are included.

    Asking again for what is just being made for the same person returns the same statement. Raises BadInput.
    """
    _refuse_impossible_period(starts_on, ends_on, today=day_of(at))
    if language not in dict(settings.LANGUAGES):
        raise BadInput(fields={"language": _("Choose one of the languages of the registry.")})
    # The row lock closes the race of two clicks: the second finds what the first asked for.
    User.objects.select_for_update(no_key=True).get(pk=actor.pk)
    under_way = Statement.objects.filter(
        account=account,
        starts_on=starts_on,
        ends_on=ends_on,
        language=language,
        asked_by=actor,
        job__in=Job.objects.unfinished(),
    ).first()
    if under_way is not None:
        return under_way
    with translation.override(language):
        job = start_job(actor=actor, at=at, kind=JOB_KIND, params={"account": account.pk})
    year = day_of(at).year
    (serial,) = take_numbers(series="ST", year=year)
    statement = Statement.objects.create(
        number=f"ST{year % 100:02d}-{serial:06d}",
        account=account,
        starts_on=starts_on,
        ends_on=ends_on,
        language=language,
        asked_by=actor,
        asked_at=at,
        job=job,
    )
    record(
        "statement.asked",
        actor=actor,
        at=at,
        subject=("report", statement.pk),
        subject_name=statement.number,
        organisation_id=account.custodian_id,
        store=account.code,
        note=f"{starts_on.isoformat()} – {ends_on.isoformat()}",
        language=language,
    )
    return statement


def _refuse_impossible_period(starts_on: date, ends_on: date, *, today: date) -> None:
    if ends_on < starts_on:
        raise BadInput(fields={"ends_on": _("The last day lies before the first.")})
    if ends_on > today:
        raise BadInput(fields={"ends_on": _("The last day lies in the future.")})
    if (ends_on - starts_on).days > LONGEST_DAYS:
        raise BadInput(fields={"starts_on": _("A statement covers ten years at most.")})


@dataclass(frozen=True, slots=True)
class _Made:
    """The files of a statement on disk, and what is kept beside them."""

    folder: Path
    figures: Figures
    check_code: str


def make_statement(*, statement: Statement, at: datetime, progress: Progress) -> Statement:
    """Make the files and publish them; published before, it is left as it is. Runs outside any transaction.

    Raises StatementDiffersFromLedger; then nothing is published.
    """
    if statement.is_published:
        return statement
    with tempfile.TemporaryDirectory(prefix="statement-") as folder:
        made = _make_files(statement, Path(folder), at=at, progress=progress)
        return _publish_statement(statement, made, at=at, progress=progress)


def _make_files(statement: Statement, folder: Path, *, at: datetime, progress: Progress) -> _Made:
    progress(0, 0, _("Reading the ledger"))
    account = statement.account
    source = read_statement_source(account, statement.starts_on, statement.ends_on)
    balances = add_up(source)
    if wrong := differences(balances, source):
        raise StatementDiffersFromLedger(
            _(
                "The postings of “%(store)s” do not add up to the totals of the ledger: %(classes)s. "
                "Nothing was published. Ask the administrator to run the check of the ledger."
            )
            % {"store": account.name, "classes": ", ".join(difference.stock_class for difference in wrong)}
        )
    accounts = CustodyAccount.objects.in_bulk(
        {key for line in source.lines for key in (line.other, line.far) if key is not None}
    )
    people = {
        person.pk: person.full_name for person in User.objects.filter(pk__in={line.actor for line in source.lines})
    }
    figures = _figures(balances, source.lines, accounts)
    balance, changes = balance_rows(figures), change_rows(figures)
    code = check_code(account.code, statement.starts_on, statement.ends_on, source)
    report = statement_report(
        statement,
        balance=balance,
        changes=changes,
        movements=movement_table(source.lines, accounts, people),
        check_code=code,
        link=f"https://{settings.PUBLIC_HOST}{reverse('reports:statement', args=[statement.pk])}",
        made_at=at,
    )
    _write_files(report, folder, rows=len(balance) + len(changes) + len(source.lines), progress=progress)
    return _Made(folder, figures, code)


def _figures(
    balances: Sequence[ClassBalance], lines: Sequence[Line], accounts: Mapping[int, CustodyAccount]
) -> Figures:
    """The balance in codes. Different stores on the far side are one reason."""
    figures = Figures(balance=[], changes=[], movements=len({line.movement for line in lines}))
    for balance in balances:
        amounts = (balance.opening, balance.came, balance.left, balance.closing)
        opening, came, left, closing = ((amount.pieces, amount.grams) for amount in amounts)
        figures["balance"].append((balance.stock_class, *opening, *came, *left, *closing))
        for direction, by_reason in (("in", balance.came_by), ("out", balance.left_by)):
            merged: dict[tuple[str, str], Amount] = {}
            for reason, amount in by_reason.items():
                key = (reason.kind, boundary_of(reason.other, accounts))
                merged[key] = merged.get(key, NOTHING) + amount
            figures["changes"] += [
                (balance.stock_class, direction, *key, amount.pieces, amount.grams)
                for key, amount in sorted(merged.items())
            ]
    return figures


def _write_files(report: Report, folder: Path, *, rows: int, progress: Progress) -> None:
    """PDF, XLSX and the two CSV files; progress counts the rows written into all of them."""
    balance, _changes, movements = report.tables
    total = max(3 * rows, 1)
    message = _("Writing the files")

    def after(done: int) -> Callable[[int], None]:
        return lambda written: progress(min(done + written, total), total, message)

    write_pdf(report, folder / "pdf", progress=after(0))
    write_xlsx(report, folder / "xlsx", progress=after(rows))
    for name, table in (("csv", balance), ("movements", movements)):
        with (folder / name).open("wb") as file:
            file.writelines(write_csv(table, words=report.words, formats=report.formats, progress=after(2 * rows)))


@transaction.atomic
def _publish_statement(statement: Statement, made: _Made, *, at: datetime, progress: Progress) -> Statement:
    """Keep the files, tie them to the statement and record it; all or nothing, and once only."""
    # Two workers may have been woken for one job: the lock on the job lets only the one that holds it publish.
    progress.hold()
    statement = (
        Statement.objects.select_for_update(of=("self",)).select_related("account", "asked_by").get(pk=statement.pk)
    )
    if statement.is_published:
        return statement

    def keep(file_name: str, ending: str) -> Document:
        with (made.folder / file_name).open("rb") as file:
            return keep_document(
                actor=statement.asked_by,
                at=at,
                kind=Document.Kind.REPORT,
                name=f"{statement.number}-{statement.account.code}{ending}",
                content=File(file),
            )

    statement.pdf = keep("pdf", ".pdf")
    statement.xlsx = keep("xlsx", ".xlsx")
    statement.csv = keep("csv", ".csv")
    statement.movements_csv = keep("movements", "-movements.csv")
    statement.check_code = made.check_code
    statement.figures = made.figures
    statement.published_at = at
    statement.save()
    record(
        "statement.published",
        actor=statement.asked_by,
        at=at,
        subject=("report", statement.pk),
        subject_name=statement.number,
        organisation_id=statement.account.custodian_id,
        reference=statement.check_code,
        pdf=statement.pdf.sha256,
        xlsx=statement.xlsx.sha256,
        csv=statement.csv.sha256,
        movements=statement.movements_csv.sha256,
    )
    return statement
