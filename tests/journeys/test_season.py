"""A season from decision to cold store, walked in the browser over the whole system.

The officer enters the papers, the inspector the brigade's day on a phone, the storekeeper takes the horns over by
scanning; what the sheet and the reception do not agree on is asked and explained.
"""

import re
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.conftest import PASSWORD, SignIn
from tests.journeys.test_path import picked

pytestmark = pytest.mark.xdist_group("system")

DAY = "2025-11-28"
MASSES = ("214", "209", "221")


@dataclass
class Story:
    """What one step leaves for the next."""

    season: str = ""
    sheet: str = ""
    intake: str = ""
    intake_number: str = ""
    codes: list[str] = field(default_factory=list)
    handover: str = ""


@pytest.fixture(scope="module")
def story() -> Story:
    return Story()


def send(page: Page) -> None:
    """Press the one main button of the page."""
    page.locator("main form button.btn-primary[type=submit]").first.click()


def test_1_an_officer_enters_decision_permit_and_brigade(sign_in: SignIn, story: Story) -> None:
    page = sign_in("officer")
    page.goto("/seasons/")
    page.locator("main table a", has_text="2025").first.click()
    page.wait_for_url(re.compile(r"/seasons/\d+/"))
    story.season = re.search(r"/seasons/(\d+)/", page.url).group(1)  # type: ignore[union-attr]

    page.goto(f"/seasons/{story.season}/decisions/new/")
    for name, value in {
        "number": "27-5-6/301",
        "decided_on": "2025-11-20",
        "title": "Киіктің санын реттеуді аяқтау туралы",
        "legal_basis": "Заңның 26-бабы",
        "basis_by": "Зоология институты",
        "basis_number": "БН-2025/11",
        "basis_on": "2025-11-10",
        "line-0-animals": "40",
    }.items():
        page.fill(f"[name={name}]", value)
    page.select_option("[name=line-0-population]", "ural")
    page.select_option("[name=line-0-region]", "27")
    send(page)
    page.wait_for_url(re.compile(rf"/seasons/{story.season}/$"))

    page.goto(f"/seasons/{story.season}/permits/new/")
    picked(page, "limit", containing="27-5-6/301")
    page.fill("[name=number]", "БҚО-2025/03")
    page.fill("[name=issued_on]", "2025-11-21")
    picked(page, "holder", containing="Охотзоопром")
    page.fill("[name=animals_limit]", "41")
    send(page)
    # The decision leaves forty: the sentence stands beside the field.
    expect(page.locator("main")).to_contain_text("40")
    expect(page).to_have_url(re.compile(r"/permits/new/"))
    page.fill("[name=animals_limit]", "40")
    send(page)
    page.wait_for_url(re.compile(rf"/seasons/{story.season}/$"))

    page.goto(f"/seasons/{story.season}/brigades/new/")
    for name, value in {
        "name": "№ 21 бригада",
        "leader": "Тілеуов Асхат",
        "members": "7",
        "contract_number": "Ш-27/21-2025",
        "contract_on": "2025-11-21",
        "valid_from": "2025-11-21",
    }.items():
        page.fill(f"[name={name}]", value)
    page.select_option("[name=region]", "27")
    send(page)
    page.wait_for_url(re.compile(rf"/seasons/{story.season}/$"))
    expect(page.locator("main")).to_contain_text("Тілеуов Асхат")


def test_2_an_inspector_enters_the_daily_sheet_on_a_phone(sign_in: SignIn, story: Story) -> None:
    page = sign_in("inspector", phone=True)
    page.goto("/sheets/new/")
    picked(page, "permit", containing="БҚО-2025/03")
    picked(page, "brigade", containing="№ 21 ")
    page.fill("[name=on]", DAY)
    for name, value in {"males": "2", "females": "1", "young": "1", "horns_cut": "4"}.items():
        page.fill(f"[name={name}]", value)
    picked(page, "place_0", containing="Жәнібек")
    page.fill("[name=carcasses_0]", "4")
    page.press("[name=carcasses_0]", "Enter")

    page.wait_for_url(re.compile(r"/sheets/\d+/$"))
    story.sheet = re.search(r"/sheets/(\d+)/", page.url).group(1)  # type: ignore[union-attr]
    assert re.fullmatch(r"DS25-\d{6}", page.locator("h1").inner_text().strip())


def test_3_the_reception_is_opened_from_the_sheet_weighed_and_marked(sign_in: SignIn, story: Story) -> None:
    page = sign_in("inspector", phone=True)
    page.goto(f"/sheets/{story.sheet}/")
    page.locator("form[action$='/reception/'] button", has_text="Жәнібек").click()
    page.wait_for_url(re.compile(r"/intakes/\d+/"))
    story.intake = re.search(r"/intakes/(\d+)/", page.url).group(1)  # type: ignore[union-attr]
    story.intake_number = page.locator("h1").inner_text().strip()
    page.locator("[data-row]").first.locator("[data-cell=side]").focus()

    # Three of the four horns are on the scale.
    for place, mass in enumerate(MASSES):
        page.keyboard.press("LR"[place % 2])
        for typed in (mass, str(240 + place)):
            page.locator("[data-cell=mass]:focus, [data-cell=length]:focus").wait_for()
            page.keyboard.type(typed)
            page.keyboard.press("Enter")
        while not page.locator("[data-cell=side]:focus").count():
            page.keyboard.press("Enter")
    expect(page.locator("[data-state]")).to_have_attribute("data-saved", "yes")
    page.locator("form[data-register] button[name=print]").click()
    page.wait_for_url(re.compile(r"/labels/\d+/"))
    expect(page.locator("a[href*='/file/']").first).to_be_visible(timeout=60_000)

    page.goto(f"/intakes/{story.intake}/")
    for link in page.locator("main table a.code").all():
        address = link.get_attribute("href")
        assert address is not None
        item = page.context.new_page()
        item.goto(address)
        text = item.locator("main").inner_text()
        story.codes += sorted({code.replace("-", "") for code in re.findall(r"\b\w{4}-\w{4}-\w{4}\b", text)})[:1]
        item.close()
    assert len(story.codes) == 3


def test_4_the_sheet_is_signed_and_the_missing_horn_is_asked_about(sign_in: SignIn, story: Story) -> None:
    page = sign_in("inspector", phone=True)
    page.goto(f"/sheets/{story.sheet}/")
    page.locator("form[action$='/sign/'] button").click()
    page.wait_for_load_state()
    expect(page.locator("main .notice-attention").first).to_contain_text("№ 21 бригада")

    page.locator("main .notice-attention a").first.click()
    page.wait_for_url(re.compile(r"/notices/\d+/"))
    page.fill("[name=explanation]", "Төртінші мүйіз далада сынып қалған, актісі жасалды")
    page.locator("main form:has([name=explanation]) button[type=submit]").click()
    page.wait_for_load_state()
    officer = sign_in("officer")
    officer.goto(page.url)
    officer.check("[name=outcome][value=corrected]")
    officer.fill("[name=decision]", "Мүйіз табылған жоқ, саны түзетіледі")
    officer.fill("[name=reason]", "Сынған мүйіздің актісі тексерілді")
    officer.locator("main form:has([name=decision]) button[type=submit]").click()
    officer.wait_for_load_state()
    page.goto(f"/sheets/{story.sheet}/")
    expect(page.locator("main .notice-attention")).to_have_count(0)


def test_5_the_horns_go_to_the_cold_store_and_are_taken_over_by_scanning(sign_in: SignIn, story: Story) -> None:
    inspector = sign_in("inspector", phone=True)
    inspector.goto("/handovers/new/?choose=source")
    if inspector.locator("select[name=source], input[name=source]").count():
        inspector.locator("a, button, label, option", has_text="Жәнібек").first.click()
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
    inspector.fill("input[name=vehicle]", "514 KZA 27")
    inspector.fill("input[name=driver]", "Есенғалиев Марат")
    inspector.fill("form[action$='/dispatch/'] input[name=password]", PASSWORD)
    inspector.locator("form[action$='/dispatch/'] button[type=submit]").click()
    inspector.wait_for_url(re.compile(r"/handovers/\d+/$"))
    story.handover = re.search(r"/handovers/(\d+)/", inspector.url).group(1)  # type: ignore[union-attr]

    keeper = sign_in("storekeeper", phone=True)
    keeper.goto(f"/handovers/{story.handover}/receive/")
    for count, code in enumerate(story.codes, start=1):
        # A scanner gun types the code and presses Enter.
        keeper.locator("input#code").press_sequentially(code)
        keeper.keyboard.press("Enter")
        expect(keeper.locator("#receiving li")).to_have_count(count)
    keeper.goto(f"/handovers/{story.handover}/accept/")
    for seal in keeper.locator("input[type=radio][value=intact]").all():
        seal.check()
    keeper.fill("main input[name=password]", PASSWORD)
    keeper.locator("main form:has(input[name=password]) button[type=submit]").click()
    keeper.wait_for_url(re.compile(rf"/handovers/{story.handover}/$"))


def test_6_the_season_page_shows_the_horns(sign_in: SignIn, story: Story) -> None:
    officer = sign_in("officer")
    officer.goto(f"/seasons/{story.season}/progress/")

    row = officer.locator("section[aria-labelledby=by-brigade] tr", has_text="№ 21 бригада")
    figures = [cell.strip() for cell in row.locator("td").all_inner_texts()]
    assert figures[:4] == ["4", "4", "4", "3"]
    expect(officer.locator("svg.chart")).to_be_visible()
    with officer.expect_download() as got:
        officer.locator("a[href*='season.csv']").click()
    assert "№ 21 бригада" in got.value.path().read_text("utf-8-sig")

    auditor = sign_in("auditor", phone=True, language="ru")
    answer = auditor.goto(f"/seasons/{story.season}/progress/?region=27")
    assert answer is not None
    assert answer.status == 200
