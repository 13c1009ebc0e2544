"""The first complete path, walked in the browser over the whole system: from the scale to the statement.

One story in order, each step by the person whose work it is: Kazakh unless said otherwise, and on a phone where the
work is done standing.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path

import openpyxl
import pypdf
import pypdfium2
import pytest
from playwright.sync_api import Download, Page, expect

from marking.labels.reading import read_symbols
from tests.journeys.conftest import PASSWORD, SignIn, choose_language

pytestmark = pytest.mark.xdist_group("system")

MASSES = ("215", "208", "0,231", "415")


@dataclass
class Story:
    """What one step leaves for the next."""

    intake: str = ""
    intake_number: str = ""
    codes: list[str] = field(default_factory=list)
    handover: str = ""
    application: str = ""


@pytest.fixture(scope="module")
def story() -> Story:
    return Story()


def picked(page: Page, name: str, *, containing: str) -> None:
    """Choose the option whose words contain this."""
    option = page.locator(f"select[name={name}] option", has_text=containing).first
    page.select_option(f"select[name={name}]", value=option.get_attribute("value"))


def fetched(download: Download, folder: Path) -> Path:
    path = folder / download.suggested_filename
    download.save_as(path)
    return path


def test_1_an_inspector_opens_a_reception_on_a_phone(sign_in: SignIn, story: Story) -> None:
    page = sign_in("inspector", phone=True)
    expect(page.locator("html")).to_have_attribute("lang", "kk")

    page.goto("/intakes/open/removal/")
    if page.locator("select[name=store] option").count() > 1:
        picked(page, "store", containing="Жәнібек")
    picked(page, "permit", containing="БҚО-2025/02")
    picked(page, "brigade", containing="№ 4 ")
    page.fill("input[name=on]", "2025-11-29")
    for name, value in {"males": "3", "females": "2", "young": "1", "carcasses": "6"}.items():
        page.fill(f"input[name={name}]", value)
    page.press("input[name=carcasses]", "Enter")

    page.wait_for_url(re.compile(r"/intakes/\d+/"))
    story.intake = re.search(r"/intakes/(\d+)/", page.url).group(1)  # type: ignore[union-attr]
    story.intake_number = page.locator("h1").inner_text().strip()
    assert re.fullmatch(r"IN25-\d{6}", story.intake_number)


def test_2_horns_go_through_the_scale_by_keyboard(sign_in: SignIn, story: Story) -> None:
    page = sign_in("inspector", phone=True)
    page.goto(f"/intakes/{story.intake}/")
    first = page.locator("[data-row]").first
    first.locator("[data-cell=side]").focus()

    for place, mass in enumerate(MASSES):
        page.keyboard.press("LR"[place % 2])
        for typed in (mass, str(240 + place)):
            page.locator("[data-cell=mass]:focus, [data-cell=length]:focus").wait_for()
            page.keyboard.type(typed)
            page.keyboard.press("Enter")
        while not page.locator("[data-cell=side]:focus").count():
            page.keyboard.press("Enter")

    expect(page.locator(".sheet-sums [data-sum=pieces]")).to_have_text("4")
    expect(page.locator(".sheet-sums [data-sum=grams]")).to_contain_text("1,069")
    # 415 g is asked about, not refused.
    expect(page.locator("[data-row='4']")).to_have_class(re.compile("row-attention"))
    expect(page.locator("[data-confirm]")).to_be_visible()
    expect(page.locator("[data-state]")).to_have_attribute("data-saved", "yes")
    page.reload()
    expect(page.locator("[data-row='3'] [data-cell=mass]")).to_have_value("231")


def test_2b_a_file_is_shown_with_every_bad_row_before_anything_is_written(
    sign_in: SignIn, story: Story, tmp_path: Path
) -> None:
    book = openpyxl.Workbook()
    for row in (
        ["side", "mass", "length", "condition"],
        ["L", 221, 251, "whole"],
        ["R", "many", 240, ""],
        ["X", 1, 2, ""],
    ):
        book.active.append(row)  # type: ignore[union-attr]
    book.save(tmp_path / "horns.xlsx")
    page = sign_in("inspector", language="ru")
    page.goto(f"/intakes/{story.intake}/import/")

    page.set_input_files("input[type=file]", tmp_path / "horns.xlsx")
    page.locator("main form button[type=submit]").first.click()

    page.wait_for_load_state()
    bad = page.locator("tbody th[scope=rowgroup]").all_inner_texts()
    assert [text.strip() for text in bad] == ["3", "4"]
    page.goto(f"/intakes/{story.intake}/")
    expect(page.locator("[data-row][data-saved]")).to_have_count(4)
    page.go_back()
    page.locator("button[name=only_good]").click()
    page.wait_for_url(re.compile(r"/intakes/\d+/$"))
    expect(page.locator("[data-row][data-saved]")).to_have_count(5)


def test_3_one_button_registers_marks_and_prints(sign_in: SignIn, story: Story) -> None:
    page = sign_in("inspector", phone=True)
    page.goto(f"/intakes/{story.intake}/")
    # One of the five horns is unusual: it is asked about.
    page.check("input[name=confirm_band]")
    page.fill("textarea[name=band_reason]", "Weighed again on another scale")

    page.locator("form[data-register] button[name=print]").click()

    page.wait_for_url(re.compile(r"/labels/\d+/"))
    page.goto(f"/intakes/{story.intake}/")
    numbers = set(re.findall(r"KZ25-\d{7}", page.locator("main").inner_text()))
    assert len(numbers) == 5


@pytest.mark.parametrize("profile", ["roll-50x25", "a4-65", "a4-21"])
def test_4_labels_print_and_every_symbol_decodes(profile: str, sign_in: SignIn, story: Story, tmp_path: Path) -> None:
    page = sign_in("inspector")
    page.goto(f"/intakes/{story.intake}/labels/")
    field = page.locator("[name=profile]").first
    if field.evaluate("element => element.tagName") == "SELECT":
        page.select_option("select[name=profile]", profile)
    else:
        page.check(f"input[name=profile][value={profile}]")
    if page.locator("[name=reason]").count():
        page.fill("[name=reason]", "Тексеру үшін ашылды")
    page.wait_for_load_state("networkidle")  # the sheet of the chosen size is drawn: nothing moves under the mouse
    page.locator("#label-order button[type=submit]").click()
    # They were printed when the horns were registered: a second person approves that they are printed again.
    page.wait_for_url(re.compile(r"/labels/requests/\d+/"))
    second = sign_in("officer")
    second.goto(page.url)
    second.fill("main input[name=password]", PASSWORD)
    second.locator("main form:has(input[name=password]) button[type=submit]").click()
    page.reload()
    page.locator("main dl a[href^='/labels/']").click()
    expect(page.locator("a[href*='/file/']").first).to_be_visible(timeout=60_000)

    with page.expect_download() as got:
        page.locator("a[href*='download']").first.click()
    pdf = fetched(got.value, tmp_path)

    text = "".join(sheet.extract_text() for sheet in pypdf.PdfReader(pdf).pages)
    assert "үйіз" in text.lower()
    document = pypdfium2.PdfDocument(pdf)
    sheets = [document[number].render(scale=300 / 72).to_pil() for number in range(len(document))]
    symbols = [text for sheet in sheets for text in read_symbols(sheet)]
    assert len(symbols) == 5
    assert all(symbol.startswith("HTTPS://") and "/M/" in symbol for symbol in symbols)
    story.codes = sorted({code.replace("-", "") for code in re.findall(r"\b\w{4}-\w{4}-\w{4}\b", text)})
    assert len(story.codes) == 5
    address = symbols[0].partition("/M/")[2]
    page.goto(f"/M/{address}")
    expect(page.locator("main")).to_contain_text(re.compile("түпнұсқа|шынайы", re.IGNORECASE))


def test_5_the_batch_is_handed_over_and_one_missing_horn_is_a_discrepancy(sign_in: SignIn, story: Story) -> None:
    inspector = sign_in("inspector", phone=True)
    inspector.goto("/handovers/new/?choose=source")
    if inspector.locator("select[name=source], input[name=source]").count():
        source = inspector.locator("a, button, label, option", has_text="Жәнібек").first
        source.click()
        if inspector.locator("main form button[type=submit]").count():
            inspector.locator("main form button[type=submit]").first.click()
    else:
        inspector.locator("main a, main button", has_text="Жәнібек").first.click()
    inspector.wait_for_load_state()
    if inspector.locator("[name=destination]").count():
        picked(inspector, "destination", containing="Алматы орталық")
        inspector.locator("main form button[type=submit]").first.click()
    inspector.wait_for_selector("input#code")
    inspector.locator("button[name=batch]", has_text=story.intake_number).click()
    inspector.fill("input[name=vehicle]", "512 KZA 27")
    inspector.fill("input[name=driver]", "Есенғалиев Марат")
    inspector.fill("form[action$='/dispatch/'] input[name=password]", PASSWORD)
    inspector.locator("form[action$='/dispatch/'] button[type=submit]").click()
    inspector.wait_for_url(re.compile(r"/handovers/\d+/$"))
    story.handover = re.search(r"/handovers/(\d+)/", inspector.url).group(1)  # type: ignore[union-attr]

    keeper = sign_in("storekeeper", phone=True)
    keeper.goto(f"/handovers/{story.handover}/receive/")
    for count, code in enumerate(story.codes[:4], start=1):
        # A scanner gun types the code and presses Enter.
        keeper.locator("input#code").press_sequentially(code)
        keeper.keyboard.press("Enter")
        expect(keeper.locator("#receiving li")).to_have_count(count)
    keeper.goto(f"/handovers/{story.handover}/accept/")
    keeper.fill("[name=difference_reason]", "№ 2 жәшікте бір мүйіз жоқ")
    keeper.select_option("[name=carrier_said]", "signs")
    keeper.fill("main input[name=password]", PASSWORD)
    keeper.locator("main form:has(input[name=password]) button[type=submit]").click()
    keeper.wait_for_url(re.compile(rf"/handovers/{story.handover}/$"))

    keeper.goto("/notices/")
    expect(keeper.locator("main")).to_contain_text("№ 2 жәшікте бір мүйіз жоқ")


def test_6_anyone_checks_a_mark_without_signing_in(sign_in: SignIn, story: Story) -> None:
    code = story.codes[0]
    spoken = f" {code[:4].lower()} {code[4:8]}-{code[8:].lower()} "
    for language, word in {"kk": "Мүйіз", "ru": "Рог", "en": "Horn"}.items():
        page = sign_in(phone=True)
        page.goto("/m/")
        page.locator(f"a[hreflang={language}]").click()
        page.fill("input[name=text]", spoken)
        page.press("input[name=text]", "Enter")

        expect(page.locator("html")).to_have_attribute("lang", language)
        main = page.locator("main").inner_text()
        assert word.lower() in main.lower()
        # Below the facts the page asks the visitor for a region, out of all.
        said = page.locator("main .facts").inner_text()
        for secret in ("Алматы", "Жәнібек", "Охотзоопром", "Okhotzooprom", "Almaty", "Сәрсенова"):
            assert secret not in said
        for secret in ("Жәнібек", "Охотзоопром", "Okhotzooprom", "Сәрсенова"):
            assert secret not in main

    page = sign_in(phone=True)
    page.goto(f"/m/{code[:11]}{'0' if code[11] != '0' else '1'}?lang=en")
    expect(page.locator("main")).to_contain_text("does not fit")


def test_7_storekeeper_and_trader_see_their_stock_and_an_items_story(sign_in: SignIn, story: Story) -> None:
    keeper = sign_in("storekeeper", phone=True)
    keeper.goto("/stock/")
    expect(keeper.locator("main")).to_contain_text("Алматы орталық")
    keeper.goto(f"/find/?q={story.codes[0]}")
    keeper.wait_for_url(re.compile(r"/items/\d+/"))
    expect(keeper.locator("main")).to_contain_text(story.intake_number)

    trader = sign_in("trader")
    trader.goto("/stock/")
    expect(trader.locator("main")).to_contain_text("Дала саудасы")
    expect(trader.locator("main")).not_to_contain_text("Алматы орталық")
    answer = trader.goto(keeper.url)
    assert answer is not None
    assert answer.status == 404


def test_8_an_officer_approves_and_only_approved_items_move(sign_in: SignIn, story: Story) -> None:
    trader = sign_in("trader", phone=True)
    trader.goto("/applications/new/domestic_sale/")
    picked(trader, "store", containing="Ақ Жайық")
    trader.fill("[name=purpose]", "№ 21 шарт бойынша сату")
    trader.fill("input[name=wished_from]", trader.evaluate("new Date(Date.now()+5*36e5).toISOString().slice(0,10)"))
    trader.fill("input[name=wished_until]", trader.evaluate("new Date(Date.now()+30*864e5).toISOString().slice(0,10)"))
    trader.locator("main form button[type=submit]").first.click()
    trader.wait_for_url(re.compile(r"/applications/\d+/"))
    story.application = re.search(r"/applications/(\d+)/", trader.url).group(1)  # type: ignore[union-attr]
    trader.goto(f"/applications/{story.application}/items/choose/")
    # Horns in a sealed box go with it alone; what is held cannot be ticked.
    free = trader.locator("tr:has(input[name=item]:not([disabled])):not(:has([data-box])) label.code")
    chosen, other = free.nth(0).inner_text(), free.nth(1).inner_text()
    trader.get_by_label(chosen).check()
    with trader.expect_navigation():
        trader.locator("form:has(input[name=item]) button[type=submit]").first.click()
    trader.goto(f"/applications/{story.application}/check/")
    trader.locator("main form button[type=submit]").click()
    trader.wait_for_url(re.compile(rf"/applications/{story.application}/$"))
    # The applicant has no way to decide.
    answer = trader.goto(f"/applications/{story.application}/approve/")
    assert answer is not None
    assert answer.status == 403

    officer = sign_in("officer2", language="ru")
    officer.goto(f"/applications/{story.application}/")
    if officer.locator("form[action$='take-up/'] button").count():
        with officer.expect_navigation():
            officer.locator("form[action$='take-up/'] button").first.click()
    officer.goto(f"/applications/{story.application}/approve/")
    # The officer signs with the password.
    officer.fill("main input[type=password]", PASSWORD)
    with officer.expect_navigation():
        officer.locator("main form button[type=submit]").last.click()
    officer.goto(f"/applications/{story.application}/")
    permit = re.search(r"PM\d\d-\d{6}", officer.locator("main").inner_text()).group()  # type: ignore[union-attr]

    trader.goto("/handovers/new/?choose=source")
    if trader.locator("[name=destination]").count() == 0:
        trader.locator("main a, main button", has_text="Дала").first.click()
    trader.wait_for_selector("[name=destination]")
    options = trader.locator("select[name=destination] option").all_inner_texts()
    wanted = next(option for option in options if permit in option)
    trader.select_option("select[name=destination]", label=wanted)
    trader.locator("main form button[type=submit]").first.click()
    trader.wait_for_selector("input#code")
    trader.fill("input#code", other)
    trader.press("input#code", "Enter")
    # What the permit does not name is refused, and stays off the list.
    expect(trader.locator("#loading")).to_contain_text(permit)
    expect(trader.locator("#loading tbody")).to_have_count(0)
    trader.locator("button[name=permitted]").click()
    expect(trader.locator("#loading tbody")).to_contain_text(chosen)
    trader.fill("form[action$='/dispatch/'] input[name=carried_by]", "Сейітов Д.")
    trader.fill("form[action$='/dispatch/'] input[name=password]", PASSWORD)
    trader.locator("form[action$='/dispatch/'] button[type=submit]").click()
    trader.wait_for_url(re.compile(r"/handovers/\d+/$"))


def test_9_an_auditor_downloads_a_statement_that_equals_the_ledger(
    sign_in: SignIn, story: Story, tmp_path: Path
) -> None:
    page = sign_in("auditor")
    page.goto("/statements/")
    picked(page, "account", containing="CS-75")
    page.fill("input[name=starts_on]", "2025-10-01")
    page.fill("input[name=ends_on]", page.evaluate("new Date(Date.now()+5*36e5).toISOString().slice(0,10)"))
    page.locator("main form button[type=submit]").first.click()
    page.wait_for_url(re.compile(r"/statements/\d+/"))
    for _look in range(30):
        if page.locator("a[href$='/xlsx/']").count():
            break
        page.wait_for_timeout(1000)
        page.goto(page.url)

    with page.expect_download() as got:
        page.locator("a[href$='/xlsx/']").first.click()
    book = openpyxl.load_workbook(fetched(got.value, tmp_path), read_only=True)
    assert book.sheetnames
    with page.expect_download() as got:
        page.locator("a[href$='/pdf/']").first.click()
    reader = pypdf.PdfReader(fetched(got.value, tmp_path))
    assert "CS-75" in "".join(sheet.extract_text() for sheet in reader.pages)

    opening, came, left, closing = (
        int(re.sub(r"\D", "", cell))
        for cell in page.locator("section[aria-labelledby=balance] tfoot td").all_inner_texts()[::2]
    )
    assert opening + came - left == closing > 0
    page.goto("/stock/")
    store = page.locator("main tbody tr", has_text="CS-75").first.locator("strong").inner_text()
    rows = page.locator("section[aria-labelledby=by-store] tbody tr", has_text=store).all()
    assert sum(int(re.sub(r"\D", "", row.locator("td.num").first.inner_text())) for row in rows) == closing


def test_10_every_act_is_in_the_journal(sign_in: SignIn, story: Story) -> None:
    page = sign_in("auditor", phone=True)
    page.goto(f"/find/?q={story.codes[0]}")
    page.wait_for_url(re.compile(r"/items/\d+/"))
    told = page.locator("main").inner_text()
    assert story.intake_number in told
    assert re.search(r"HO\d\d-\d{6}", told)

    page.goto("/journal/")
    expect(page.locator("main")).to_contain_text(re.compile(r"HO\d\d-\d{6}"))
    choose_language(page, "ru")
    expect(page.locator("html")).to_have_attribute("lang", "ru")
