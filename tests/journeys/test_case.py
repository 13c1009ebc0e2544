"""A seizure from the road to the furnace, walked in the browser over the whole system.

The inspector enters the case on a phone; the horns are weighed and marked on the spot and held as evidence. Nothing
moves until a court has decided and a second person has confirmed it. Some horns are destroyed before a commission, the
others leave the evidence room.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.journeys.conftest import PASSWORD, SignIn
from tests.journeys.test_box import shoot, sign_on_screen
from tests.journeys.test_path import picked

pytestmark = pytest.mark.xdist_group("system")

MASSES = ("214", "209", "221", "198")
TODAY = "new Date(Date.now()+5*36e5).toISOString().slice(0,10)"


@dataclass
class Story:
    """What one step leaves for the next."""

    case: str = ""
    intake: str = ""
    numbers: list[str] = field(default_factory=list)
    codes: dict[str, str] = field(default_factory=dict)
    items: dict[str, str] = field(default_factory=dict)
    order: str = ""

    @property
    def to_destroy(self) -> list[str]:
        return self.numbers[:2]

    @property
    def confiscated(self) -> list[str]:
        return self.numbers[2:]


@pytest.fixture(scope="module")
def story() -> Story:
    return Story()


def today(page: Page) -> str:
    return str(page.evaluate(TODAY))


def test_1_an_inspector_enters_the_seizure_on_the_road(sign_in: SignIn, story: Story) -> None:
    page = sign_in("inspector", phone=True)
    page.goto("/cases/new/")
    page.fill("[name=protocol_number]", "№ 214")
    page.fill("[name=horns]", "4")
    page.fill("[name=place]", "Жәнібек ауданы, 214-шақырым")
    # The map comes nearer by its button, and a touch on it fills the coordinates; then they are typed.
    outline = page.locator("[data-place-picker] svg.region-map")
    page.locator("[data-zoom=in]").click()
    expect(outline).not_to_have_attribute("viewBox", re.compile("^0 0 1000 "))
    outline.click()
    expect(page.locator("[name=latitude]")).to_have_value(re.compile(r"^\d\d\.\d{4}$"))
    outline.press("0")
    expect(outline).to_have_attribute("viewBox", re.compile("^0 0 1000 "))
    page.fill("[name=latitude]", "49,42")
    page.fill("[name=longitude]", "46,85")
    picked(page, "agency", containing="Полиция")
    page.locator("main form[data-warn-unsaved] button.btn-primary").click()

    page.wait_for_url(re.compile(r"/cases/\d+/$"))
    story.case = re.search(r"/cases/(\d+)/", page.url).group(1)  # type: ignore[union-attr]
    expect(page.locator("h1")).to_contain_text("SZ")
    # There is nothing to decide about yet, and the page says so.
    expect(page.locator("main a[href$='/decision/']")).to_have_count(0)
    expect(page.locator("main .act-refused").first).to_be_visible()


def test_2_the_horns_are_weighed_and_marked_into_evidence(sign_in: SignIn, story: Story) -> None:
    page = sign_in("inspector", phone=True)
    page.goto(f"/cases/{story.case}/")
    page.locator("main a[href*='/intakes/open/seizure/'], a[href*='/intakes/open/seizure/']").first.click()
    page.wait_for_selector("select[name=store], input[name=store]")
    if page.locator("select[name=store] option").count() > 1:
        picked(page, "store", containing="Орал")
    page.locator("main form[data-warn-unsaved] button.btn-primary").click()
    page.wait_for_url(re.compile(r"/intakes/\d+/"))
    story.intake = re.search(r"/intakes/(\d+)/", page.url).group(1)  # type: ignore[union-attr]

    page.locator("[data-row]").first.locator("[data-cell=side]").focus()
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

    page.goto(f"/intakes/{story.intake}/")
    links = page.locator("main table a.code[href*='/items/']").all()
    story.items = {link.inner_text().strip(): str(link.get_attribute("href")) for link in links}
    story.numbers = sorted(story.items)
    assert len(story.numbers) == 4
    for number, address in story.items.items():
        page.goto(address)
        text = page.locator("main").inner_text()
        story.codes[number] = re.search(r"\b\w{4}-\w{4}-\w{4}\b", text).group()  # type: ignore[union-attr]


def test_3_nothing_of_it_moves(sign_in: SignIn, story: Story) -> None:
    page = sign_in("inspector", phone=True, language="en")
    page.goto(story.items[story.numbers[0]])
    expect(page.locator("a[href*='/handovers/new/?']")).to_have_count(0)
    expect(page.locator("main .act-refused", has_text="Hand over").first).to_contain_text("On hold")
    assert load(page, story.numbers[0]) == "stop"

    page.goto("/destructions/new/")
    picked(page, "store", containing="EV-27")
    page.check("input[name=basis][value=court]")
    page.fill("[name=basis_paper]", "No decision")
    page.fill("[name=items]", story.numbers[0])
    page.locator("main form[data-warn-unsaved] button.btn-primary").click()
    # Refused beside the form: nothing was ordered.
    expect(page.locator("main form[data-warn-unsaved]")).to_be_visible()
    expect(page).to_have_url(re.compile(r"/destructions/new/$"))


def load(page: Page, number: str) -> str:
    """Scan an item of the evidence room onto a list for the reception point; the tone of the answer."""
    page.goto("/handovers/new/?choose=source")
    page.locator("main a", has_text="EV-27").first.click()
    page.wait_for_load_state()
    if page.locator("select[name=destination]").count():
        picked(page, "destination", containing="RP-27-1")
        page.locator("main form button[type=submit]").first.click()
    page.wait_for_selector("input#code")
    shoot(page, number)
    verdict = page.locator("#loading [data-tone], #loading .verdict").first
    verdict.wait_for()
    classes = str(verdict.get_attribute("class"))
    return str(verdict.get_attribute("data-tone") or re.search(r"verdict-(\w+)", classes).group(1))  # type: ignore[union-attr]


def test_4_expertise_is_asked_for_and_the_court_decides(sign_in: SignIn, story: Story) -> None:
    page = sign_in("inspector")
    page.goto(f"/cases/{story.case}/expertise/")
    page.fill("[name=institution]", "Сот сараптамасы орталығы, Орал")
    page.fill("[name=requested_on]", today(page))
    page.locator("main form[data-warn-unsaved] button.btn-primary").click()
    page.wait_for_url(re.compile(rf"/cases/{story.case}/$"))
    page.locator(f"a[href*='/cases/{story.case}/expertise/']:not([href$='/expertise/'])").first.click()
    page.fill("[name=number]", "1201")
    page.fill("[name=done_on]", today(page))
    page.fill("[name=finding]", "Төртеуі де ақбөкен мүйізі")
    page.locator("main form[data-warn-unsaved] button.btn-primary").click()
    page.wait_for_url(re.compile(rf"/cases/{story.case}/$"))
    expect(page.locator("section[aria-labelledby=case-expertise]")).to_contain_text("1201")

    page.goto(f"/cases/{story.case}/decision/")
    page.fill("[name=court]", "Орал қалалық соты")
    page.fill("[name=number]", "1-214")
    page.fill("[name=decided_on]", today(page))
    page.fill("[name=in_force_on]", today(page))
    page.check("input[name=outcome][value=confiscated]")
    page.fill("[name=others]", "\n".join(story.to_destroy))
    page.select_option("select[name=other_outcome]", "destroy")
    page.locator("main form[data-warn-unsaved] button.btn-primary").click()
    page.wait_for_url(re.compile(rf"/cases/{story.case}/$"))
    # Who recorded it cannot confirm it, and until then nothing moves.
    expect(page.locator("a[href*='/decision/']", has_text="растау")).to_have_count(0)
    assert load(page, story.confiscated[0]) == "stop"


def test_5_a_second_person_confirms(sign_in: SignIn, story: Story) -> None:
    page = sign_in("officer")
    page.goto(f"/cases/{story.case}/")
    page.locator("main .notice-attention a[href*='/decision/']").first.click()
    page.fill("main input[name=password]", PASSWORD)
    page.locator("main form:has(input[name=password]) button[type=submit]").click()
    page.wait_for_url(re.compile(rf"/cases/{story.case}/$"))
    expect(page.locator("section[aria-labelledby=case-court] .state-ok").first).to_be_visible()


def test_6_a_commission_of_three_destroys_what_the_court_ordered(sign_in: SignIn, story: Story, tmp_path: Path) -> None:
    page = sign_in("inspector", phone=True)
    page.goto("/destructions/new/")
    picked(page, "store", containing="EV-27")
    page.check("input[name=basis][value=court]")
    page.fill("[name=basis_paper]", "Орал қалалық соты, № 1-214")
    page.fill("[name=items]", " ".join(story.to_destroy))
    page.locator("main form[data-warn-unsaved] button.btn-primary").click()
    page.wait_for_url(re.compile(r"/destructions/\d+/$"))
    story.order = re.search(r"/destructions/(\d+)/", page.url).group(1)  # type: ignore[union-attr]
    order = f"/destructions/{story.order}/"

    for username, name, identity, post in (
        ("inspector", "", "", "Инспектор"),
        ("inspector2", "", "", "Инспектор"),
        ("officer", "", "", "Комитет"),
        ("", "Әбенов Қанат Серікұлы", "№ 041237765", "Ауыл әкімдігі"),
    ):
        page.goto(f"{order}commission/")
        page.fill("[name=username]", username)
        page.fill("[name=full_name]", name)
        page.fill("[name=identity]", identity)
        page.fill("[name=post]", post)
        page.locator("main form[data-warn-unsaved] button.btn-primary").click()
        page.wait_for_url(re.compile(rf"{order}$"))

    page.goto(f"{order}scan/")
    shoot(page, story.confiscated[0])
    # What is not on the list must not be burned.
    expect(page.locator("#destroying .verdict-stop")).to_be_visible()
    for count, number in enumerate(story.to_destroy, start=1):
        shoot(page, story.codes[number])
        expect(page.locator("#destroying .scan-latest li")).to_have_count(count)

    picture = tmp_path / "furnace.jpg"
    Image.effect_noise((640, 480), 60).convert("RGB").save(picture)
    page.goto(order)
    page.set_input_files("main form input[type=file][name=files]", picture)
    page.locator("main form.files-add button[type=submit]").click()
    expect(page.locator("main .gallery-file")).to_have_count(1)

    page.goto(f"{order}close/")
    page.fill("[name=place]", "Орал қалалық крематорийі")
    page.fill("[name=method]", "Пеште өртеу")
    page.fill("[name=mass_before_g]", "0,423")
    page.fill("[name=mass_after_g]", "0,012")
    page.locator("main form[data-warn-unsaved] button.btn-primary").click()
    page.wait_for_url(re.compile(rf"{order}$"))
    expect(page.locator("form[action$='/execute/']")).to_have_count(0)


def test_7_everybody_signs_and_the_act_is_drawn(sign_in: SignIn, story: Story) -> None:
    order = f"/destructions/{story.order}/"
    for username in ("officer", "inspector", "inspector2"):
        page = sign_in(username, phone=True)
        page.goto(order)
        page.locator(f"a.btn-primary[href^='{order}sign/']").click()
        page.fill("main input[name=password]", PASSWORD)
        page.locator("main form:has(input[name=password]) button[type=submit]").click()
        page.wait_for_url(re.compile(rf"{order}$"))
    # The witness draws the signature before a member.
    page.locator(f"main a[href^='{order}sign/']").first.click()
    sign_on_screen(page)
    page.locator("main form:has(canvas) button.btn-primary").click()
    page.wait_for_url(re.compile(rf"{order}$"))

    page.locator("form[action$='/execute/'] button").click()
    page.wait_for_load_state()
    for language in ("kk", "ru", "en"):
        link = page.locator(f"a[href$='/act-{language}.pdf']").get_attribute("href")
        answer = page.request.get(f"{page.url.split('/destructions')[0]}{link}")
        assert answer.ok
        assert answer.body().startswith(b"%PDF-")


def test_8_the_public_check_says_destroyed(sign_in: SignIn, story: Story) -> None:
    page = sign_in(phone=True, language="en")
    page.goto(f"/m/{story.codes[story.to_destroy[0]].replace('-', '')}?lang=en")
    expect(page.locator("main")).to_contain_text("Genuine, but destroyed")
    page.goto(f"/m/{story.codes[story.confiscated[0]].replace('-', '')}?lang=en")
    expect(page.locator("main")).not_to_contain_text("destroyed")
    expect(page.locator("main")).to_contain_text("Confiscated by decision of a court")


def test_9_the_confiscated_ones_leave_the_evidence_room(sign_in: SignIn, story: Story) -> None:
    inspector = sign_in("inspector", phone=True)
    for count, number in enumerate(story.confiscated, start=1):
        assert load(inspector, number) == "ok"
        expect(inspector.locator("#loading tbody tr")).to_have_count(count)
    inspector.fill("form[action$='/dispatch/'] input[name=carried_by]", "Сейітов Д.")
    inspector.fill("form[action$='/dispatch/'] input[name=password]", PASSWORD)
    inspector.locator("form[action$='/dispatch/'] button[type=submit]").click()
    inspector.wait_for_url(re.compile(r"/handovers/\d+/$"))
    handover = inspector.url[inspector.url.index("/handovers/") :]

    keeper = sign_in("storekeeper", phone=True)
    keeper.goto(f"{handover}receive/")
    for count, number in enumerate(story.confiscated, start=1):
        shoot(keeper, story.codes[number])
        expect(keeper.locator("#receiving li")).to_have_count(count)
    keeper.goto(f"{handover}accept/")
    keeper.fill("main input[name=password]", PASSWORD)
    keeper.locator("main form:has(input[name=password]) button[type=submit]").click()
    keeper.wait_for_url(re.compile(rf"{handover}$"))

    keeper.goto(story.items[story.confiscated[0]])
    expect(keeper.locator("main")).to_contain_text("Жәнібек")
    expect(keeper.locator("main")).to_contain_text("тәркіленген")
    inspector.goto(f"/cases/{story.case}/")
    expect(inspector.locator("main")).to_contain_text("Жәнібек")
