"""The hidden code on printed labels: what stands under the flap is what the first owner types."""

import io
import re
from datetime import datetime

import pytest
from django.test import Client
from PIL import Image
from pypdf import PdfReader

from core.accounts.models import User
from core.audit.models import Event
from core.base.errors import BadInput
from core.jobs.services import execute_job
from marking.codes import group
from marking.labels import PROFILES, check_sample, lay_out, render_page, with_flap
from marking.labels.raster import open_png
from marking.models import LabelPart, LabelReel, LabelRun, LabelSeries, Mark, OnceCode
from marking.services.labels import NOTHING_HIDDEN, labels_of, parts_of, preview_sheet, print_labels
from marking.services.once import Redeemed, once_texts, redeem_once
from marking.services.orders import LabelOrder
from marking.services.stock import print_reel
from registry.models import Intake
from tests.marks import end_mark

pytestmark = pytest.mark.django_db

HIDDEN = re.compile(r"(?<![\w-])[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}(?![\w-])")


def read(part: LabelPart) -> bytes:
    with part.document.file.open("rb") as file:
        return file.read()


def print_run(run: LabelRun) -> bytes:
    execute_job(run.job_id)
    run.job.refresh_from_db()
    assert run.job.state == "done", run.job.error
    return read(run.parts.get())


def test_what_is_printed_is_what_the_first_owner_types(
    marks: list[Mark], open_intake: Intake, inspector: User, now: datetime
) -> None:
    order = LabelOrder("roll-50x25", hidden=True, second="ru")

    pdf = print_run(print_labels(actor=inspector, at=now, intake=open_intake, order=order))

    pages = [page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages]
    for mark, text in zip(marks, pages, strict=True):
        assert group(mark.code) in text
        (hidden,) = HIDDEN.findall(text.replace(group(mark.code), ""))
        assert redeem_once(at=now, code=mark.code, text=hidden).outcome == Redeemed.FIRST
        assert redeem_once(at=now, code=mark.code, text=hidden).outcome == Redeemed.USED
    assert Event.objects.get(verb="once_codes.made").actor_id == inspector.pk


def test_label_printers_and_pictures_have_it_too(
    marks: list[Mark], open_intake: Intake, inspector: User, storekeeper: User, now: datetime
) -> None:
    order = LabelOrder("roll-58x40", dpi=203, form="zpl", hidden=True)
    run = print_labels(actor=inspector, at=now, intake=open_intake, order=order)

    zpl = print_run(run).decode()

    hidden = once_texts([mark.code for mark in marks])
    written = [text for text in re.findall(r"\^A0N[^^]*\^FD([^^]*)\^FS", zpl) if HIDDEN.fullmatch(text)]
    assert written == [hidden[mark.code] for mark in marks]
    assert zpl.count("^GB") == len(marks)


def test_a_picture_shows_it_below_the_line(
    marks: list[Mark], open_intake: Intake, inspector: User, now: datetime
) -> None:
    order = LabelOrder("roll-50x25", form="png", hidden=True)
    run = print_labels(actor=inspector, at=now, intake=open_intake, order=order)

    content = print_run(run)

    stock = with_flap(PROFILES["roll-50x25"])
    below = round(lay_out(stock).fold * 300 / 25.4) + 3
    strips = [open_png(content, page).convert("L").crop((0, below, 590, 295)) for page in range(len(marks))]
    assert all((strip.getextrema()[0], len(strip.getcolors() or [])) == (0, 2) for strip in strips)
    assert len({strip.tobytes() for strip in strips}) == len(marks)  # each label its own
    (part,) = parts_of(run.stock, run.count, run.start)
    labels = labels_of(run, part, at=now)
    assert [label.hidden for label in labels] == [once_texts([mark.code])[mark.code] for mark in marks]
    assert check_sample(content, run.stock, labels, how=run.how, form="png", pages=6) == 6


def test_a_reel_of_blank_labels_has_it(series: LabelSeries, storekeeper: User, now: datetime) -> None:
    reel: LabelReel = series.reels.get(reel=1)
    run = print_reel(actor=storekeeper, at=now, reel=reel, order=LabelOrder("roll-50x25", hidden=True))

    pdf = print_run(run)

    page = PdfReader(io.BytesIO(pdf)).pages[0].extract_text()
    first = reel.marks.get(place_on_reel=1)
    assert once_texts([first.code])[first.code] in page
    assert OnceCode.objects.count() == reel.size


def test_nobody_sees_it_before_it_is_printed(
    marks: list[Mark], open_intake: Intake, inspector: User, now: datetime
) -> None:
    pdf, _setting = preview_sheet(actor=inspector, intake=open_intake, order=LabelOrder("roll-50x25", hidden=True))

    assert NOTHING_HIDDEN in PdfReader(io.BytesIO(pdf)).pages[0].extract_text()
    assert not OnceCode.objects.exists()


def test_without_the_wish_nothing_is_hidden(
    marks: list[Mark], open_intake: Intake, inspector: User, now: datetime
) -> None:
    pdf = print_run(print_labels(actor=inspector, at=now, intake=open_intake, order=LabelOrder("roll-50x25")))

    assert not OnceCode.objects.exists()
    page = PdfReader(io.BytesIO(pdf)).pages[0].extract_text()
    assert not HIDDEN.search(page.replace(group(marks[0].code), ""))


def test_a_mark_that_ended_since_stops_the_run_and_hides_nothing(
    marks: list[Mark], open_intake: Intake, inspector: User, storekeeper: User, now: datetime
) -> None:
    run = print_labels(actor=inspector, at=now, intake=open_intake, order=LabelOrder("roll-50x25", hidden=True))
    end_mark(marks[0], "void", asker=inspector, approver=storekeeper, at=now)

    execute_job(run.job_id)

    assert not run.parts.exists()
    assert not OnceCode.objects.exists()


def test_the_symbol_stays_where_a_flap_takes_room(
    marks: list[Mark], open_intake: Intake, inspector: User, now: datetime
) -> None:
    for name, stock in PROFILES.items():
        assert with_flap(stock).symbol == stock.symbol
        pdf, setting = preview_sheet(actor=inspector, intake=open_intake, order=LabelOrder(name, hidden=True))
        page = render_page(pdf, dpi=setting.how.dpi)
        assert isinstance(page, Image.Image)
        assert page.size[0] == pytest.approx(stock.page_width * setting.how.dpi / 25.4, abs=1.5)
    with pytest.raises(BadInput):
        preview_sheet(
            actor=inspector, intake=open_intake, order=LabelOrder("a4-65", dpi=203, hidden=True, symbols="none")
        )


def test_pages_and_programs_choose_it_and_the_journal_says_who_took_the_file(
    marks: list[Mark], open_intake: Intake, inspector: User, client: Client
) -> None:
    client.force_login(inspector)
    url = f"/intakes/{open_intake.pk}/labels/"
    assert 'name="hidden"' in client.get(url).content.decode()
    said = {"profile": "roll-50x25", "dpi": 300, "start": 1, "language": "kk", "hidden": "on"}
    page = client.post(url, said)["Location"]
    run = LabelRun.objects.get()
    assert run.hidden
    execute_job(run.job_id)
    assert client.get(page).status_code == 200
    before = Event.objects.filter(verb="once_codes.read").count()
    assert client.get(f"{page}file/?part=1").status_code == 200
    assert Event.objects.filter(verb="once_codes.read").count() == before + 1
    shown = client.get(f"/api/v1/labels/{run.pk}/").json()
    assert shown["hidden"] is True
    assert client.get(f"/api/v1/labels/{run.pk}/parts/1/").status_code == 200
    assert Event.objects.filter(verb="once_codes.read").count() == before + 2
