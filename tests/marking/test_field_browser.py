"""The scanner's modules in a real browser: they read what Python reads, and nothing false is ever genuine."""

import base64
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from playwright.sync_api import Browser, Page
from pytest_django.live_server_helper import LiveServer

from ledger.sscc import SsccError, make_sscc, parse_sscc
from marking.codes import ALPHABET, CodeError, from_number, parse
from marking.payload import (
    LARGEST_MASS_G,
    ORIGINS,
    PayloadError,
    Statement,
    decode,
    key_id_of,
    looks_signed,
    read,
    sign,
    to_text,
    verify,
)
from marking.selectors import without_address
from marking.snapshots import (
    SnapshotError,
    State,
    Status,
    apply_changes,
    changes_between,
    head_of,
    look_up,
    read_snapshot,
    write_snapshot,
)
from tests.marking.test_payload import PRIVATE as SIGNER

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PUBLIC = SIGNER.public_key().public_bytes_raw()
KEY = key_id_of(PUBLIC)
HOSTS = ["saiga.gov.kz"]
MADE = datetime(2026, 11, 23, 8, tzinfo=UTC)
NOW = MADE + timedelta(hours=1)
CODE = "7H4Q9TX2MW8H"
HORN = Statement(KEY, CODE, 1, "HOR", "removal", 214, datetime(2025, 11, 12, tzinfo=UTC).date())

LOAD = """async () => {
  const [codes, payload, snapshot, verify, ed25519] = await Promise.all(
    ["codes", "payload", "snapshot", "verify", "ed25519"].map((name) => import(`/static/js/field/${name}.js`)));
  const bytes = (text) => Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));
  const tried = async (act) => { try { return await act(); } catch (error) {
    return { error: error.fault ?? error.defect ?? error.constructor.name, character: error.character ?? "",
      length: error.length ?? 0 }; } };
  window.field = { codes, payload, snapshot, verify, ed25519, bytes, tried };
}"""


@pytest.fixture(scope="module")
def _opened(browser: Browser) -> Iterator[Page]:
    with browser.new_context() as context:
        yield context.new_page()


@pytest.fixture
def page(_opened: Page, live_server: LiveServer) -> Page:
    """A page with the modules at hand, as `field`."""
    _opened.goto(f"{live_server.url}/scan/?lang=en")
    _opened.evaluate(LOAD)
    return _opened


def b64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def symbol(statement: Statement = HORN, signer: Ed25519PrivateKey = SIGNER) -> str:
    signed = sign(statement, signer)
    return to_text(signed.body, signed.signature)


def judged(page: Page, texts: list[str], *, snapshot: bytes | None = None, **known: Any) -> list[str]:
    """The kinds that the phone finds, with our key in use and the code of HORN in order."""
    given = {
        "texts": texts,
        "key": b64(PUBLIC),
        "id": KEY.hex(),
        "snapshot": b64(whole({CODE: Status.IN_ORDER}) if snapshot is None else snapshot),
        "now": NOW.timestamp() * 1000,
        "state": "in_use",
        "typed": False,
    } | known
    kinds: list[str] = page.evaluate(
        """async ({ texts, key, id, snapshot, now, state, typed }) => {
          const { bytes, snapshot: reader, verify, ed25519 } = field;
          const keys = new Map([[id, { publicKey: bytes(key), state }]]);
          const trusted = new Map([[id, bytes(key)]]);
          const kept = snapshot && await reader.readSnapshot(bytes(snapshot), trusted, ed25519.isSignedBy);
          const known = { keys, keysAt: now, snapshot: kept || null, hosts: ["saiga.gov.kz"], staleAfter: 86400000 };
          const kinds = [];
          for (const text of texts) kinds.push((await verify.judge(text, known, { now, typed })).kind);
          return kinds;
        }""",
        given,
    )
    return kinds


def state_of(statuses: dict[str, Status], prints: dict[str, int] | None = None) -> State:
    records = sorted(head_of(code)[:4] + bytes([head_of(code)[4] | status]) for code, status in statuses.items())
    again = sorted(head_of(code) + bytes([count]) for code, count in (prints or {}).items())
    return State(b"".join(records), b"".join(again))


def whole(
    statuses: dict[str, Status], prints: dict[str, int] | None = None, *, at: datetime = MADE, edition: int = 1
) -> bytes:
    state = state_of(statuses, prints)
    return write_snapshot(state, edition=edition, base=0, made_at=at, sha256=state.sha256, key_id=KEY, signer=SIGNER)


def said_of_code(text: str) -> Any:
    try:
        return parse(text)
    except CodeError as error:
        return {"error": error.fault.value, "character": error.character, "length": error.length}


def said_of_text(text: str) -> Any:
    try:
        statement = verify(read(text), {KEY: PUBLIC})
    except PayloadError as error:
        return {"error": error.defect.value}
    return {
        "keyId": statement.key_id.hex(),
        "code": statement.code,
        "generation": statement.generation,
        "term": statement.term,
        "origin": statement.origin,
        "massG": statement.mass_g,
        "datedOn": statement.dated_on.isoformat() if statement.dated_on else None,
    }


READ = """async ({ texts, key, id }) => {
  const { payload, ed25519, bytes, tried } = field;
  const keys = new Map([[id, bytes(key)]]);
  const said = [];
  for (const text of texts) {
    const found = await tried(() => payload.verify(payload.read(text), keys, ed25519.isSignedBy));
    const library = await tried(() => payload.verify(payload.read(text), keys, ed25519.isSignedByLibrary));
    if (JSON.stringify(found) !== JSON.stringify(library)) throw new Error(`browser and library differ: ${text}`);
    said.push(found.error ? { error: found.error } : found);
  }
  return said;
}"""


def read_by_browser(page: Page, texts: list[str]) -> Any:
    return page.evaluate(READ, {"texts": texts, "key": b64(PUBLIC), "id": KEY.hex()})


def random_texts(draw: Random, count: int) -> Iterator[str]:
    signs = ALPHABET + "ILOUilou -–\u00a0АВСЕНКМОРТХУавсенкмортху\u0456ЖßıſK/.:@\x1d\ufeff\u200b中😀"
    for _time in range(count):
        yield "".join(draw.choices(signs, k=draw.randint(0, 16)))


def test_codes_are_read_as_python_reads_them(page: Page) -> None:
    draw = Random(1)
    good = [from_number(draw.getrandbits(55)) for _time in range(300)]
    lookalikes = str.maketrans("ABCEHKMPTXY01", "АВСЕНКМРТХУОl")
    texts = [*good, *(code.lower().translate(lookalikes) for code in good), *random_texts(draw, 3000)]
    texts += [code[:place] + draw.choice(ALPHABET) + code[place + 1 :] for code in good for place in range(12)]

    found = page.evaluate(
        "(texts) => Promise.all(texts.map((text) => field.tried(() => field.codes.parse(text))))", texts
    )

    assert found == [said_of_code(text) for text in texts]


def test_statements_are_read_as_python_reads_them(page: Page) -> None:
    draw = Random(2)
    texts = []
    for _time in range(150):
        statement = Statement(
            draw.choice([KEY, b"\0\0\0\0"]),
            from_number(draw.getrandbits(55)),
            draw.randint(1, 255),
            draw.choice([None, "HOR", "".join(draw.choices("ABCXYZ", k=3))]),
            draw.choice([None, *ORIGINS]),
            draw.choice([None, 0, draw.randint(0, LARGEST_MASS_G)]),
            draw.choice([None, MADE.date() - timedelta(days=draw.randint(0, 9000))]),
        )
        text = symbol(statement)
        texts += [text, text.lower(), f" {text}\n", text[:-1], text + "A", text[:-1] + "A"]
    texts += ["", "Ж", "A" * 3000, "=" * 140]

    assert read_by_browser(page, texts) == [said_of_text(text) for text in texts]


def test_random_and_changed_bytes_are_read_as_python_reads_them(page: Page) -> None:
    draw = Random(3)
    good = sign(HORN, SIGNER)
    raw = good.body + good.signature
    contents = [draw.randbytes(draw.randint(0, 90)) for _time in range(400)]
    contents += [b"\1" + KEY + draw.randbytes(draw.randint(70, 84)) for _time in range(400)]
    contents += [bytes([version]) + raw[1:] for version in range(256)]
    texts = [base64.b32encode(content).decode().rstrip("=") for content in contents]

    assert read_by_browser(page, texts) == [said_of_text(text) for text in texts]


def test_no_flipped_bit_is_genuine(page: Page) -> None:
    good = sign(HORN, SIGNER)
    raw = good.body + good.signature
    texts = []
    for place in range(8 * len(raw)):
        changed = bytearray(raw)
        changed[place // 8] ^= 1 << place % 8
        texts.append(to_text(bytes(changed[:-64]), bytes(changed[-64:])))

    assert judged(page, [symbol()]) == ["in_order"]
    assert set(judged(page, texts)) <= {"forged", "unknown_key", "unreadable"}
    assert read_by_browser(page, texts) == [said_of_text(text) for text in texts]


def test_nothing_foreign_is_genuine_and_nothing_breaks_it(page: Page) -> None:
    draw = Random(4)
    good = symbol()
    other = Ed25519PrivateKey.from_private_bytes(bytes(32))
    foreign = [
        f"HTTPS://SAIGA.GOV.KZ.EVIL.EXAMPLE/M/{good}",
        f"https://evil.example/M/{good}",
        f"https://evil.example/?next=https://saiga.gov.kz/m/{good}",
        f"https://saiga.gov.kz@evil.example/m/{good}",
        f"javascript:alert(1)//saiga.gov.kz/m/{good}",
        "WIFI:S:market;T:WPA;P:secret;;",
        "BEGIN:VCARD\nFN:Somebody\nEND:VCARD",
        "0104870000000016215Ab%/1\x1d91EE06\x1d92" + "a/b+" * 11,
        "\x1d0104600000000008215",
        symbol(HORN, other),
        symbol(Statement(key_id_of(other.public_key().public_bytes_raw()), CODE), other),
        good + good,
        good.replace("A", "А"),
    ]
    noise = [draw.randbytes(draw.randint(0, 300)).decode("latin-1") for _time in range(600)]
    noise += list(random_texts(draw, 600))
    assert "in_order" not in judged(page, foreign + noise)
    assert "cannot_check" not in judged(page, foreign + noise)
    assert "in_order" not in judged(page, foreign + noise, typed=True)
    assert judged(page, [f"HTTPS://SAIGA.GOV.KZ/M/{good}", f"saiga.gov.kz/m/{good.lower()}"]) == ["in_order"] * 2


def test_versions_that_are_not_known_prove_nothing_though_we_signed_them(page: Page) -> None:
    body = sign(HORN, SIGNER).body
    texts = []
    for version in (0, *range(2, 256)):
        other = bytes([version]) + body[1:]
        texts.append(to_text(other, SIGNER.sign(other)))
    texts += [to_text(body[:length], SIGNER.sign(body[:length])) for length in range(len(body))]
    texts.append(to_text(body + b"\0", SIGNER.sign(body + b"\0")))

    assert "in_order" not in judged(page, texts)
    assert "cannot_check" not in judged(page, texts)


def test_addresses_and_boxes_are_read_as_python_reads_them(page: Page) -> None:
    texts = [
        *(f"{scheme}{host}/{middle}/{CODE}" for scheme in ("", "http://", "HTTPS://", "https:/", "ftp://")
          for host in ("saiga.gov.kz", "SAIGA.GOV.KZ", "ſaiga.gov.kz", "x.saiga.gov.kz", "saiga.gov.kz:80")
          for middle in ("m", "M", "x", "m/m")),
        CODE, f" {CODE}\x85", f"{CODE}/", "/m/", "//", "\n",
    ]  # fmt: skip
    found = page.evaluate(
        "([texts, hosts]) => texts.map((text) => field.verify.withoutAddress(text, hosts))", [texts, HOSTS]
    )
    assert found == [without_address(text, HOSTS) for text in texts]
    assert page.evaluate("(texts) => texts.map(field.payload.looksSigned)", texts) == list(map(looks_signed, texts))

    boxes = [make_sscc("487000000", serial) for serial in range(1, 60)]
    boxes += [f"(00) {box[0]} {box[1:9]}-{box[9:]}" for box in boxes] + [f"]C100{box}" for box in boxes]
    boxes += [box[:-1] + str((int(box[-1]) + 1) % 10) for box in boxes[:59]] + ["", "00", CODE]

    def digits(text: str) -> str:
        try:
            return parse_sscc(text)
        except SsccError:
            return ""

    assert page.evaluate("(texts) => texts.map(field.verify.parseSscc)", boxes) == [digits(text) for text in boxes]


def test_snapshots_are_read_changed_and_searched_as_python_does(page: Page) -> None:
    draw = Random(6)
    codes = [from_number(draw.getrandbits(55)) for _number in range(2000)]
    before = {code: draw.choice(list(Status)) for code in codes[:1500]}
    after = before | {code: draw.choice(list(Status)) for code in codes[1400:1900]}
    old, new = state_of(before, {codes[3]: 2}), state_of(after, {codes[3]: 3, codes[7]: 2})
    first = whole(before, {codes[3]: 2})
    change = write_snapshot(
        changes_between(old, new), edition=2, base=1, made_at=NOW, sha256=new.sha256, key_id=KEY, signer=SIGNER
    )
    assert apply_changes(old, read_snapshot(change, {KEY: PUBLIC})) == new

    found = page.evaluate(
        """async ({ first, change, key, id, codes }) => {
          const { snapshot, bytes, ed25519, tried } = field;
          const keys = new Map([[id, bytes(key)]]);
          const before = await snapshot.readSnapshot(bytes(first), keys, ed25519.isSignedBy);
          const changes = await snapshot.readSnapshot(bytes(change), keys, ed25519.isSignedBy);
          const after = await snapshot.applyChanges(before, changes);
          const wrong = await tried(() => snapshot.applyChanges(after, changes).then(() => snapshot.applyChanges(
            { ...before, records: before.records.slice(5) }, changes)));
          const said = [];
          for (const code of codes) said.push(await snapshot.lookUp(after, code));
          return { said, edition: after.edition, wrong: wrong.error ?? "" };
        }""",
        {"first": b64(first), "change": b64(change), "key": b64(PUBLIC), "id": KEY.hex(), "codes": codes},
    )

    expected = [look_up(new, code) for code in codes]
    assert found["said"] == [
        {"status": int(mark.status), "generation": mark.generation} if mark else None for mark in expected
    ]
    assert found["edition"] == 2


def test_a_snapshot_with_a_flipped_bit_is_refused(page: Page) -> None:
    good = whole({CODE: Status.IN_ORDER, from_number(5): Status.VOID}, {CODE: 2})
    changed = [
        good[:place] + bytes([good[place] ^ 1 << bit]) + good[place + 1 :]
        for place in range(len(good))
        for bit in (0, 7)
    ]
    changed += [good[:-1], good + b"\0", b"", good[:65], Random(1).randbytes(400)]
    for content in changed:
        with pytest.raises(SnapshotError):
            read_snapshot(content, {KEY: PUBLIC})

    found = page.evaluate(
        """async ({ contents, key, id }) => {
          const { snapshot, bytes, ed25519, tried } = field;
          const keys = new Map([[id, bytes(key)]]);
          const said = new Set();
          for (const content of contents) {
            const found = await tried(() => snapshot.readSnapshot(bytes(content), keys, ed25519.isSignedBy));
            said.add(found.error ?? "read");
          }
          return [...said];
        }""",
        {"contents": [b64(content) for content in changed], "key": b64(PUBLIC), "id": KEY.hex()},
    )

    assert found == ["SnapshotError"]


@pytest.mark.parametrize("status", list(Status))
def test_every_state_has_its_verdict(page: Page, status: Status) -> None:
    expected = status.name.lower()

    assert judged(page, [symbol()], snapshot=whole({CODE: status})) == [expected]
    typed = judged(page, [CODE], snapshot=whole({CODE: status}))
    assert typed == (["code_in_order"] if status == Status.IN_ORDER else [expected])


def test_only_fresh_knowledge_and_the_last_print_are_green(page: Page) -> None:
    known = {CODE: Status.IN_ORDER}
    old = whole(known, at=NOW - timedelta(hours=25))
    tomorrow = whole(known, at=NOW + timedelta(hours=1))

    assert judged(page, [symbol()], snapshot=old) == ["stale"]
    assert judged(page, [symbol()], snapshot=tomorrow) == ["stale"]
    assert judged(page, [symbol()], snapshot=whole(known, {CODE: 2})) == ["old_copy"]
    assert judged(page, [symbol()], snapshot=whole({})) == ["newer_than_known"]
    assert judged(page, [symbol()], snapshot=b"") == ["status_unknown"]
    assert judged(page, [symbol()], state="compromised") == ["key_compromised"]
    assert judged(page, [symbol()], id="00000000", snapshot=b"") == ["unknown_key"]
    assert judged(page, [symbol(Statement(KEY, CODE, 3))], snapshot=whole(known, {CODE: 2})) == ["newer_than_known"]


def test_vectors_of_the_document(page: Page) -> None:
    statement = decode(sign(HORN, SIGNER).body)
    assert statement == HORN
    assert read_by_browser(page, [symbol()]) == [said_of_text(symbol())]
    text = (
        "AFLYV7QNDYSLU5ORKOEADYI52EAABVRE45BELWSFFLJPXFTUIVOXLGXJJOHUSANTVCXOKR57MOCLHXXKQEDRZP33436TMNHEVAUITP3V5QZN4I"
        "VTRJV6RRPIYQIM75L5JNRRA7QK"
    )
    assert read_by_browser(page, [text])[0]["massG"] == 214


def test_what_a_gun_sets_before_a_code_is_taken_off_and_what_is_typed_is_told_apart(page: Page) -> None:
    good = symbol()
    read = {
        f"]Q1HTTPS://SAIGA.GOV.KZ/M/{good}": "in_order",
        f"]d1{CODE}": "code_in_order",
        "]C100048700000000000012": "box",
        "(00) 0487 0000 0000 0000 12": "box",
        "00048700000000000013": "box_wrong",
        "048700000000000013": "box_wrong",
        "0004870000000000012": "box_wrong",
        "WIFI:S:market;T:WPA;P:secret;;": "not_ours",
        "tel:+77010000000": "not_ours",
        "MECARD:N:Somebody;": "not_ours",
        "KZ25-0003279": "number",
        "kz250003279": "number",
        CODE[:-1]: "mistyped",
        f"{CODE[:4]}_{CODE[4:]}": "mistyped",
    }

    assert dict(zip(read, judged(page, list(read), typed=True), strict=True)) == read
