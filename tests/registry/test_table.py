"""The weighing table: saved by number, two people at once, photos, files."""

import io
from datetime import datetime

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from PIL import Image

from core.accounts.models import User
from core.audit.models import Event
from core.base.errors import BadInput, InvalidTransition, NotAllowed
from core.documents.models import Document
from core.documents.services import UnusableFile, keep_document
from registry.measures import TableRow
from registry.models import DerivativePhoto, Intake, IntakeRow, IntakeSheet
from registry.services import (
    SheetAdded,
    TableChanged,
    add_sheet_rows,
    attach_photo,
    cancel_intake,
    register_intake,
    save_rows,
)
from tests.builders import Receive, register, some_rows


def photo(colour: int = 0) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (40, 30), (colour, 120, 40)).save(file, "JPEG")
    return file.getvalue()


def masses(intake: Intake) -> dict[int, int]:
    return dict(intake.rows.values_list("row", "mass_g"))


def test_rows_are_written_by_number(open_intake: Intake, inspector: User, now: datetime) -> None:
    rows = [TableRow(2, "L", 300, 260, "broken", "tip"), TableRow(9, "R", 150)]

    saved = save_rows(
        actor=inspector, at=now, intake=open_intake, version=open_intake.version, rows=rows, removed=[1, 77]
    )

    assert sorted(masses(saved)) == [2, 3, 4, 5, 6, 9]
    changed = IntakeRow.objects.get(intake=open_intake, row=2)
    assert (changed.side, changed.mass_g, changed.length_mm, changed.condition, changed.note) == (
        "L",
        300,
        260,
        "broken",
        "tip",
    )
    assert saved.version == open_intake.version + 1


def test_a_whole_table_takes_the_place_of_another(open_intake: Intake, inspector: User, now: datetime) -> None:
    rows = [TableRow(2, "L", 300), TableRow(9, "R", 150)]

    save_rows(actor=inspector, at=now, intake=open_intake, version=open_intake.version, rows=rows, whole=True)

    assert masses(open_intake) == {2: 300, 9: 150}


def test_a_table_changed_by_somebody_else_is_not_written_over(
    open_intake: Intake, inspector: User, now: datetime
) -> None:
    seen = open_intake.version
    save_rows(actor=inspector, at=now, intake=open_intake, version=seen, rows=[TableRow(7, "L", 211)])

    with pytest.raises(TableChanged):
        save_rows(actor=inspector, at=now, intake=open_intake, version=seen, rows=[TableRow(7, "R", 99)])

    assert masses(open_intake)[7] == 211


def test_corrections_are_told_new_rows_are_not(open_intake: Intake, inspector: User, now: datetime) -> None:
    first = open_intake.rows.get(row=1)
    version = open_intake.version
    measured = TableRow(1, first.side, first.mass_g, 251, "cracked", "seen")
    save_rows(actor=inspector, at=now, intake=open_intake, version=version, rows=[measured, TableRow(7, "L", 200)])
    assert not Event.objects.filter(verb="intake.rows_corrected").exists()

    save_rows(
        actor=inspector, at=now, intake=open_intake, version=version + 1, rows=[TableRow(1, "R", 99)], removed=[2]
    )

    event = Event.objects.get(verb="intake.rows_corrected")
    assert event.facts["rows"] == 2
    assert f"1: L {first.mass_g} g → R 99 g" in event.facts["note"]


@pytest.mark.parametrize(
    ("row", "name"),
    [
        (TableRow(1, "X", 200), "rows.1.side"),
        (TableRow(1, "L", 0), "rows.1.mass_g"),
        (TableRow(1, "L", 100_000), "rows.1.mass_g"),
        (TableRow(1, "L", 200, 0), "rows.1.length_mm"),
        (TableRow(1, "L", 200, None, "nice"), "rows.1.condition"),
        (TableRow(1, "L", 200, None, "whole", "x" * 201), "rows.1.note"),
        (TableRow(1, "L", 200, None, "whole", "a\x00b"), "rows.1.note"),
        (TableRow(0, "L", 200), "rows.0.row"),
        (TableRow(1, "L", 200, pair="1"), "rows.1.pair"),
        (TableRow(1, "L", 200, pair="01"), "rows.1.pair"),
        (TableRow(1, "L", 200, pair="²"), "rows.1.pair"),
    ],
)
def test_a_wrong_cell_is_named_and_nothing_is_written(
    row: TableRow, name: str, open_intake: Intake, inspector: User, now: datetime
) -> None:
    before = masses(open_intake)

    with pytest.raises(BadInput) as refusal:
        save_rows(
            actor=inspector,
            at=now,
            intake=open_intake,
            version=open_intake.version,
            rows=[TableRow(2, "L", 333), row],
        )

    assert set(refusal.value.fields) == {name}
    assert masses(open_intake) == before


def test_the_database_lets_no_horn_be_its_own_pair(open_intake: Intake) -> None:
    with pytest.raises(IntegrityError, match="no_horn_is_its_own_pair"), transaction.atomic():
        IntakeRow.objects.filter(intake=open_intake, row=1).update(pair="1")

    assert not open_intake.rows.exclude(pair="").exists()


def test_a_number_cannot_be_used_twice(open_intake: Intake, inspector: User, now: datetime) -> None:
    twice = [TableRow(1, "L", 200), TableRow(1, "R", 201)]
    with pytest.raises(BadInput):
        save_rows(actor=inspector, at=now, intake=open_intake, version=open_intake.version, rows=twice)


def test_a_closed_table_takes_nothing(
    open_intake: Intake, open_seizure: Intake, inspector: User, now: datetime
) -> None:
    cancel_intake(actor=inspector, at=now, intake=open_intake, reason="Opened twice.")
    register(open_seizure, actor=inspector, at=now)

    for intake in (open_intake, open_seizure):
        with pytest.raises(InvalidTransition):
            save_rows(actor=inspector, at=now, intake=intake, version=intake.version, rows=some_rows(1))
        with pytest.raises(InvalidTransition):
            attach_photo(actor=inspector, at=now, intake=intake, row=1, name="a.jpg", content=photo())


def test_only_who_takes_in_there_weighs(
    open_intake: Intake, inspector_elsewhere: User, storekeeper: User, auditor: User, now: datetime
) -> None:
    for person in (inspector_elsewhere, storekeeper, auditor):
        with pytest.raises(NotAllowed):
            save_rows(actor=person, at=now, intake=open_intake, version=open_intake.version, rows=some_rows(1))
        with pytest.raises(NotAllowed):
            attach_photo(actor=person, at=now, intake=open_intake, row=1, name="a.jpg", content=photo())


def test_two_thousand_rows_are_as_many_statements_as_two(receive: Receive, inspector: User, now: datetime) -> None:
    counts = []
    for size in (2, 2_000):
        intake = receive(rows=0, males=6000)
        with CaptureQueriesContext(connection) as queries:
            save_rows(actor=inspector, at=now, intake=intake, version=0, rows=some_rows(size))
        counts.append(len(queries))

    assert counts[0] == counts[1]


def test_photos_stay_with_their_row_and_become_the_derivatives(
    open_intake: Intake, inspector: User, now: datetime
) -> None:
    attach_photo(actor=inspector, at=now, intake=open_intake, row=2, name="first.jpg", content=photo(1))
    kept = attach_photo(
        actor=inspector, at=now, intake=open_intake, row=2, name="second.jpg", content=photo(2), has_scale_bar=True
    )
    save_rows(actor=inspector, at=now, intake=open_intake, version=open_intake.version, rows=[TableRow(2, "L", 201)])

    derivatives = register_intake(actor=inspector, at=now, intake=open_intake)

    linked = DerivativePhoto.objects.all()
    assert [one.derivative_id for one in linked] == [derivatives[1].pk] * 2
    assert [one.document for one in linked if one.has_scale_bar] == [kept]
    assert not open_intake.photos.exists()
    assert Document.objects.count() == 2
    assert Event.objects.filter(verb="intake.photo_added").count() == 2


def test_a_photo_needs_a_saved_row_and_a_picture(open_intake: Intake, inspector: User, now: datetime) -> None:
    with pytest.raises(BadInput):
        attach_photo(actor=inspector, at=now, intake=open_intake, row=99, name="a.jpg", content=photo())
    with pytest.raises(UnusableFile):
        attach_photo(actor=inspector, at=now, intake=open_intake, row=1, name="a.jpg", content=b"<svg/>")

    assert not Document.objects.exists()


def test_rows_of_a_file_are_appended_once(open_intake: Intake, inspector: User, now: datetime) -> None:
    content = b"side;mass\nL;210\nR;211\n"
    document = keep_document(actor=inspector, at=now, kind=Document.Kind.SHEET, name="horns.csv", content=content)
    rows = [TableRow(2, "L", 210), TableRow(3, "R", 211)]

    add_sheet_rows(actor=inspector, at=now, intake=open_intake, document=document, rows=rows, rows_refused=1)

    assert {7: 210, 8: 211}.items() <= masses(open_intake).items()
    sheet = IntakeSheet.objects.get()
    assert (sheet.document.sha256, sheet.rows_added, sheet.rows_refused) == (document.sha256, 2, 1)
    with pytest.raises(SheetAdded):
        add_sheet_rows(actor=inspector, at=now, intake=open_intake, document=document, rows=rows)
    assert len(masses(open_intake)) == 8
