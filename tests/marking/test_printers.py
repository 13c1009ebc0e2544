"""Printers and sizes of one's own: entered, calibrated, refused in words, kept by the database; pages and programs."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from django.conf import settings
from django.db import DatabaseError, transaction
from django.test import Client
from django.urls import reverse

from core.accounts.models import Organisation, User
from core.audit.models import Event
from core.base.errors import BadInput, InvalidTransition, NotAllowed
from core.jobs.services import execute_job
from marking.labels import check_sample
from marking.models import LabelRun, Mark, OwnStock, Printer
from marking.selectors import check_text
from marking.services.labels import LabelOrder, labels_of, parts_of, print_labels, symbol_prefix
from marking.services.orders import settle_order, usual_order
from marking.services.printers import (
    Measured,
    PrinterChangesSize,
    PrinterShape,
    add_printer,
    calibrate_printer,
    change_printer,
    end_printer,
)
from marking.services.stocks import StockShape, add_stock, end_stock
from registry.models import Intake

pytestmark = pytest.mark.django_db(transaction=True)

TAG = StockShape(
    name="Horn tag", page_width=Decimal(60), page_height=Decimal(25), label_width=Decimal(60), label_height=Decimal(25),
    symbol=Decimal(20),
)  # fmt: skip
TRUE = Measured(
    left=Decimal(20), top=Decimal(20), ruler_x=Decimal(150), ruler_y=Decimal(200),
    due_left=Decimal(20), due_top=Decimal(20), due_x=Decimal(150), due_y=Decimal(200),
)  # fmt: skip


@pytest.fixture(autouse=True)
def _run_jobs_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.jobs.services.after_commit", lambda *args: None)


@pytest.fixture
def office(inspector: User) -> Organisation:
    return inspector.appointments_in_force[0].organisation


@pytest.fixture
def zebra(inspector: User, office: Organisation, now: datetime) -> Printer:
    shape = PrinterShape("Zebra, room 4", language="zpl", dpi=203)
    return add_printer(actor=inspector, at=now, organisation=office, shape=shape)


@pytest.fixture
def tag(inspector: User, office: Organisation, now: datetime) -> OwnStock:
    return add_stock(actor=inspector, at=now, organisation=office, shape=TAG)


def read_run(run: LabelRun) -> int:
    """How many labels of a finished run are read back from its files."""
    execute_job(run.job_id)
    run.job.refresh_from_db()
    assert run.job.state == "done", run.job.error
    read = 0
    for part, kept in zip(parts_of(run.stock, run.count, run.start), run.parts.all(), strict=True):
        with kept.document.file.open("rb") as file:
            content = file.read()
        labels = labels_of(run, part, at=run.ordered_at)
        read += check_sample(content, run.stock, labels, how=run.how, form=run.form, start=part.start)  # type: ignore[arg-type]
    return read


@pytest.mark.parametrize("form", ["pdf", "zpl", "png"])
@pytest.mark.parametrize("symbols", ["qr", "datamatrix", "both"])
def test_a_run_is_read_back_in_every_form(
    marks: list[Mark], open_intake: Intake, inspector: User, now: datetime, form: str, symbols: str
) -> None:
    order = LabelOrder("roll-58x40", dpi=203, form=form, symbols=symbols, second="en")

    run = print_labels(actor=inspector, at=now, intake=open_intake, order=order)

    assert read_run(run) >= 3
    (part,) = run.parts.all()
    assert part.document.name.endswith({"pdf": ".pdf", "zpl": ".zpl", "png": ".zip"}[form])
    assert (
        part.document.media_type == {"pdf": "application/pdf", "zpl": "application/zpl", "png": "application/zip"}[form]
    )


@pytest.mark.parametrize("form", ["pdf", "zpl", "png"])
def test_a_very_small_label_carries_the_code_alone(
    marks: list[Mark], open_intake: Intake, inspector: User, office: Organisation, now: datetime, form: str
) -> None:
    small = replace(
        TAG, page_width=Decimal(40), page_height=Decimal(20), label_width=Decimal(40), label_height=Decimal(20),
        symbol=Decimal(11), short=True,
    )  # fmt: skip
    stock = add_stock(actor=inspector, at=now, organisation=office, shape=small)
    order = LabelOrder(stock.key, dpi=300, form=form)

    run = print_labels(actor=inspector, at=now, intake=open_intake, order=order)

    assert read_run(run) >= 3
    (part,) = parts_of(run.stock, run.count, run.start)
    symbols = [label.symbol for label in labels_of(run, part, at=now)]
    assert symbols == [f"{symbol_prefix()}{mark.pk}" for mark in marks]
    assert check_text(symbols[0], own_hosts=[settings.PUBLIC_HOST]).is_genuine


def test_a_printer_brings_its_form_resolution_and_offsets(
    marks: list[Mark], open_intake: Intake, inspector: User, zebra: Printer, tag: OwnStock, now: datetime
) -> None:
    moved = replace(TRUE, left=Decimal("18.5"), top=Decimal("20.5"))
    calibrate_printer(actor=inspector, at=now, printer=zebra, measured=moved)
    order = LabelOrder(tag.key, dpi=600, printer=zebra.pk)

    run = print_labels(actor=inspector, at=now, intake=open_intake, order=order)

    assert (run.form, run.dpi, run.own_stock, run.printer) == ("zpl", 203, tag, zebra)
    assert (run.move_x, run.move_y) == (Decimal("1.50"), Decimal("-0.50"))
    assert read_run(run) == 3
    assert usual_order(inspector) == replace(order, dpi=203, form="zpl")
    # What was put away is not chosen again.
    end_stock(actor=inspector, at=now, stock=tag)
    assert usual_order(inspector) == LabelOrder("roll-50x25")


def test_a_run_ends_on_the_size_and_the_offsets_it_began_with(
    marks: list[Mark], open_intake: Intake, inspector: User, zebra: Printer, tag: OwnStock, now: datetime
) -> None:
    order = LabelOrder(tag.key, printer=zebra.pk)
    run = print_labels(actor=inspector, at=now, intake=open_intake, order=order)

    calibrate_printer(actor=inspector, at=now, printer=zebra, measured=replace(TRUE, left=Decimal(15)))
    add_stock(
        actor=inspector, at=now, organisation=tag.organisation, shape=replace(TAG, symbol=Decimal(18)), former=tag
    )

    run.refresh_from_db()
    assert (run.stock.symbol, run.how.move_x) == (20, 0)
    assert read_run(run) == 3
    tag.refresh_from_db()
    assert tag.ended_at == now
    assert tag.follower.symbol == 18


def test_offsets_add_up_and_a_printer_that_changes_the_size_is_refused(
    marks: list[Mark], open_intake: Intake, inspector: User, zebra: Printer, now: datetime
) -> None:
    calibrate_printer(actor=inspector, at=now, printer=zebra, measured=replace(TRUE, left=Decimal(21)))
    zebra = calibrate_printer(actor=inspector, at=now, printer=zebra, measured=replace(TRUE, left=Decimal("20.25")))
    assert (zebra.move_x, zebra.move_y, zebra.scale_x) == (Decimal("-1.25"), Decimal(), Decimal(100))
    assert zebra.keeps_size

    zebra = calibrate_printer(actor=inspector, at=now, printer=zebra, measured=replace(TRUE, ruler_y=Decimal(194)))

    assert zebra.scale_y == Decimal(97)
    assert not zebra.keeps_size
    with pytest.raises(PrinterChangesSize):
        settle_order(inspector, LabelOrder("roll-50x25", printer=zebra.pk))
    # A ruler is read to a third of a millimetre.
    zebra = calibrate_printer(actor=inspector, at=now, printer=zebra, measured=replace(TRUE, ruler_x=Decimal("150.3")))
    assert zebra.keeps_size
    assert Event.objects.filter(verb="printer.calibrated", subject_id=str(zebra.pk)).count() == 4


@pytest.mark.parametrize(
    ("change", "field"),
    [({"left": Decimal(32)}, "left"), ({"top": Decimal(5)}, "top"), ({"ruler_x": Decimal(20)}, "ruler_x")],
)
def test_what_was_hardly_measured_is_asked_again(
    inspector: User, zebra: Printer, now: datetime, change: dict[str, Decimal], field: str
) -> None:
    with pytest.raises(BadInput) as caught:
        calibrate_printer(actor=inspector, at=now, printer=zebra, measured=replace(TRUE, **change))

    assert set(caught.value.fields) == {field}
    zebra.refresh_from_db()
    assert zebra.calibrated_at is None


def test_only_the_own_organisation_has_its_printers_and_sizes(
    inspector: User, inspector_elsewhere: User, trader: User, zebra: Printer, tag: OwnStock, now: datetime
) -> None:
    for stranger in (inspector_elsewhere, trader):
        assert not Printer.objects.visible_to(stranger).exists()
        assert not OwnStock.objects.visible_to(stranger).exists()
        with pytest.raises(NotAllowed):
            end_printer(actor=stranger, at=now, printer=zebra)
        with pytest.raises(NotAllowed):
            end_stock(actor=stranger, at=now, stock=tag)
        with pytest.raises(BadInput):
            settle_order(stranger, LabelOrder(tag.key))
    assert Printer.objects.in_use().visible_to(inspector).get() == zebra


def test_a_printer_has_one_name_and_ends_once(
    inspector: User, zebra: Printer, office: Organisation, now: datetime
) -> None:
    with pytest.raises(BadInput):
        add_printer(actor=inspector, at=now, organisation=office, shape=PrinterShape(" Zebra, room 4 "))
    changed = change_printer(actor=inspector, at=now, printer=zebra, shape=PrinterShape("Zebra, room 5", dpi=300))
    assert (changed.name, changed.dpi, changed.language) == ("Zebra, room 5", 300, "pdf")

    end_printer(actor=inspector, at=now, printer=zebra)

    with pytest.raises(InvalidTransition):
        end_printer(actor=inspector, at=now, printer=zebra)
    with pytest.raises(BadInput):
        settle_order(inspector, LabelOrder("roll-50x25", printer=zebra.pk))


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": " "}, "name"),
        ({"label_width": Decimal(9)}, "label_width"),
        ({"page_width": Decimal(40)}, "page_width"),
        ({"columns": 2, "page_width": Decimal(130), "pitch_x": Decimal(50)}, "pitch_x"),
        ({"symbol": Decimal(13)}, "symbol"),
        ({"symbol": Decimal(26)}, "symbol"),
        ({"dpi": 100}, "dpi"),
        ({"symbols": "aztec"}, "symbols"),
        ({"fields": ("price",)}, "fields"),
        (
            {"label_height": Decimal(12), "page_height": Decimal(12), "symbol": Decimal(12), "short": True},
            "label_height",
        ),
    ],
)
def test_a_size_that_could_not_be_read_is_refused_in_words(
    inspector: User, office: Organisation, now: datetime, change: dict[str, Any], field: str
) -> None:
    with pytest.raises(BadInput) as caught:
        add_stock(actor=inspector, at=now, organisation=office, shape=replace(TAG, **change))

    assert field in caught.value.fields
    assert not OwnStock.objects.exists()


@pytest.mark.parametrize(
    "change",
    [
        {"page_width": Decimal(40)},
        {"page_height": Decimal(20)},
        {"columns": 2, "page_width": Decimal(130), "pitch_x": Decimal(50)},
        {"rows": 2, "page_height": Decimal(60), "pitch_y": Decimal(20)},
        {"symbol": Decimal(13)},
        {"symbol": Decimal("25.1")},
        {"symbols": "datamatrix", "symbol": Decimal(10)},
        {"short": True, "symbol": Decimal(9)},
        {"fields": ["price"]},
        {"dpi": 100},
        {"columns": 0},
    ],
)
def test_the_database_refuses_such_sizes_too(tag: OwnStock, now: datetime, change: dict[str, Any]) -> None:
    sizes = {
        name: getattr(tag, name)
        for name in (*OwnStock.GEOMETRY, "columns", "rows", "symbols", "short", "fields", "dpi")
    }
    with pytest.raises(DatabaseError), transaction.atomic():
        OwnStock.objects.create(
            **sizes | change, name="Another", organisation=tag.organisation, added_by=tag.added_by, added_at=now
        )


def test_the_database_keeps_sizes_and_printers(tag: OwnStock, zebra: Printer, inspector: User, now: datetime) -> None:
    for act in (
        lambda: OwnStock.objects.filter(pk=tag.pk).update(symbol=15),
        lambda: tag.delete(),
        lambda: zebra.delete(),
        lambda: Printer.objects.filter(pk=zebra.pk).update(added_at=now, organisation=2),
        lambda: Printer.objects.filter(pk=zebra.pk).update(move_x=11),
        lambda: Printer.objects.filter(pk=zebra.pk).update(scale_x=99),
        lambda: Printer.objects.filter(pk=zebra.pk).update(ended_at=now),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            act()


@pytest.mark.parametrize(
    ("order", "field"),
    [
        (LabelOrder("a4-65", form="zpl"), "profile"),
        (LabelOrder("own-77"), "profile"),
        (LabelOrder("roll-50x25", second="kk"), "second"),
        (LabelOrder("roll-50x25", second="zh"), "second"),
        (LabelOrder("roll-50x25", form="doc"), "form"),
        (LabelOrder("roll-50x25", symbols="aztec"), "symbols"),
        (LabelOrder("roll-50x25", printer=7), "printer"),
        (LabelOrder("a4-10", start=11), "start"),
    ],
)
def test_an_order_that_does_not_fit_together_is_refused(inspector: User, order: LabelOrder, field: str) -> None:
    with pytest.raises(BadInput) as caught:
        settle_order(inspector, order)

    assert set(caught.value.fields) == {field}


# Pages


def test_a_person_enters_calibrates_and_puts_away_a_printer(
    inspector: User, office: Organisation, client: Client
) -> None:
    client.force_login(inspector)
    entered = client.post(
        reverse("marking:printer-add"),
        {"organisation": office.pk, "name": "Canon", "language": "pdf", "dpi": "600", "zpl_way": "commands"},
    )
    printer = Printer.objects.get()
    page = reverse("marking:printer", args=[printer.pk])
    assert entered["Location"] == page

    pdf = client.get(reverse("marking:calibration", args=[printer.pk]) + "?stock=a4-65")
    measured = {"stock": "a4-65", "left": "20,5", "top": "19", "ruler_x": "150", "ruler_y": "200"}
    wrong = client.post(reverse("marking:printer-calibrate", args=[printer.pk]), measured | {"left": "x", "top": "35"})
    right = client.post(reverse("marking:printer-calibrate", args=[printer.pk]), measured)

    assert pdf.content.startswith(b"%PDF")
    assert wrong.status_code == 422
    assert right["Location"] == page
    printer.refresh_from_db()
    assert (printer.move_x, printer.move_y) == (Decimal("-0.50"), Decimal("1.00"))
    assert "Canon" in client.get(reverse("marking:printers")).content.decode()
    client.post(
        reverse("marking:printer-change", args=[printer.pk]), {"name": "Canon 2", "language": "zpl", "dpi": "203"}
    )
    zpl = client.get(reverse("marking:calibration", args=[printer.pk]) + "?stock=roll-58x40")
    assert zpl.content.startswith(b"^XA^CI28")
    assert client.get(reverse("marking:calibration", args=[printer.pk]) + "?stock=a4-65").status_code == 404
    client.post(reverse("marking:printer-end", args=[printer.pk]))
    assert "Canon" not in client.get(reverse("marking:printers")).content.decode()
    assert client.get(page).status_code == 200


def test_a_person_describes_a_label_with_its_picture(inspector: User, office: Organisation, client: Client) -> None:
    client.force_login(inspector)
    said = {
        "organisation": office.pk, "name": "Tag", "page_width": "60", "page_height": "25", "label_width": "60",
        "label_height": "25", "columns": "1", "rows": "1", "margin_left": "0", "margin_top": "0", "inset": "1,5",
        "symbols": "both", "symbol": "20", "shown": ["term", "mass"], "dpi": "203",
    }  # fmt: skip

    looked = client.post(reverse("marking:size-preview"), said)
    small = client.post(reverse("marking:size-preview"), said | {"symbol": "13"})
    shown = client.post(reverse("marking:size-add"), said | {"look": "yes"})
    refused = client.post(reverse("marking:size-add"), said | {"symbol": "13"})
    kept = client.post(reverse("marking:size-add"), said)

    assert b"data:image/png" in looked.content
    assert b"data:image/png" in shown.content
    assert "13,26" in small.content.decode() or "13.26" in small.content.decode()
    assert set(refused.context["form"].errors) == {"symbol"}
    assert kept["Location"] == reverse("marking:sizes")
    stock = OwnStock.objects.get()
    assert (stock.symbols, stock.fields, stock.profile.fields) == ("both", ["term", "mass"], ("term", "mass"))
    assert client.get(reverse("marking:size", args=[stock.pk])).status_code == 200
    again = client.post(reverse("marking:size", args=[stock.pk]), said | {"name": "Tag 2", "symbol": "18"})
    assert again["Location"] == reverse("marking:sizes")
    assert OwnStock.objects.in_use().get().former == stock
    client.post(reverse("marking:size-end", args=[OwnStock.objects.in_use().get().pk]))
    assert not OwnStock.objects.in_use().exists()


def test_lists_cost_the_same_with_many_printers(
    inspector: User, office: Organisation, client: Client, now: datetime, django_assert_max_num_queries: Any
) -> None:
    for number in range(12):
        add_printer(actor=inspector, at=now, organisation=office, shape=PrinterShape(f"P{number}"))
        add_stock(actor=inspector, at=now, organisation=office, shape=replace(TAG, name=f"S{number}"))
    client.force_login(inspector)

    for page in ("marking:printers", "marking:sizes"):
        client.get(reverse(page))
        with django_assert_max_num_queries(12):
            assert client.get(reverse(page)).status_code == 200


@pytest.mark.parametrize("role", ["trader", "customs_officer", "administrator"])
def test_who_does_not_print_has_no_printers(
    client: Client, request: pytest.FixtureRequest, role: str, zebra: Printer
) -> None:
    client.force_login(request.getfixturevalue(role))

    for name, args in (("printers", []), ("printer", [zebra.pk]), ("sizes", []), ("size-add", []), ("printer-add", [])):
        assert client.get(reverse(f"marking:{name}", args=args)).status_code == 403


# Programs


def test_a_program_keeps_printers_and_sizes_and_orders_in_every_form(
    marks: list[Mark], open_intake: Intake, inspector: User, office: Organisation, client: Client
) -> None:
    client.force_login(inspector)

    def send(path: str, body: dict[str, Any], method: Callable[..., Any] = client.post) -> Any:
        return method(f"/api/v1{path}", body, content_type="application/json")

    printer = send("/printers/", {"organisation": office.pk, "name": "Z", "language": "zpl", "dpi": 203}).json()
    measured = {"stock": "roll-58x40", "left": "5.5", "top": "5", "ruler_x": "50", "ruler_y": "30"}
    calibrated = send(f"/printers/{printer['id']}/calibrate/", measured).json()
    assert (calibrated["move_x"], calibrated["keeps_size"]) == ("-0.50", True)
    changed = send(f"/printers/{printer['id']}/", {"name": "Z2", "language": "zpl", "dpi": 300}, client.put).json()
    assert (changed["name"], changed["dpi"]) == ("Z2", 300)
    page = client.get(f"/api/v1/printers/{printer['id']}/calibration/?stock=roll-58x40")
    assert page.content.startswith(b"^XA")
    assert client.get(f"/api/v1/printers/{printer['id']}/calibration/?stock=a4-65").status_code == 422

    size = {
        "organisation": office.pk, "name": "Tag", "page_width": 60, "page_height": 25, "label_width": 60,
        "label_height": 25, "symbol": 20, "shown": ["term"],
    }  # fmt: skip
    own = send("/label-stocks/own/", size).json()
    assert own["shown"] == ["term"]
    refused = send("/label-stocks/own/", size | {"name": "Small", "symbol": 12})
    assert (refused.status_code, set(refused.json()["fields"])) == (422, {"symbol"})
    assert len(client.get("/api/v1/label-stocks/").json()) == 7
    assert client.get("/api/v1/label-stocks/own/").json()["results"][0]["key"] == own["key"]

    order = {"profile": own["key"], "printer": printer["id"], "second": "ru", "symbols": "both"}
    picture = client.get(f"/api/v1/intakes/{open_intake.pk}/labels/picture/", order)
    assert picture.content.startswith(b"\x89PNG")
    ordered = send(f"/intakes/{open_intake.pk}/labels/", order).json()
    run = LabelRun.objects.get(pk=ordered["id"])
    assert read_run(run) == 3
    file = client.get(f"/api/v1/labels/{run.pk}/parts/1/")
    assert file["Content-Type"].startswith("application/zpl")
    assert b"".join(file.streaming_content).startswith(b"^XA^CI28")  # type: ignore[attr-defined]

    ended = send(f"/label-stocks/own/{own['id']}/end/", {}).json()
    assert ended["ended_at"]
    assert send(f"/printers/{printer['id']}/end/", {}).json()["ended_at"]
    assert send(f"/intakes/{open_intake.pk}/labels/", order | {"reason": "Torn in the store"}).status_code == 422
