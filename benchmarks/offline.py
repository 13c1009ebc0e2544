"""The scanner without network, in headless Chromium: what it loads, how fast it judges, how small the snapshot is."""

import base64
import gzip
import json
import os
import re
import secrets
import shutil
import time
import urllib.request
from collections.abc import Iterable
from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.core.management import call_command
from playwright.sync_api import sync_playwright

from benchmarks.figures import Figure, at_most, told
from benchmarks.ground import web_server
from marking.codes import new_code
from marking.payload import Statement, key_id_of, sign, to_text
from marking.snapshots import RECORD_BYTES, State, head_of, write_snapshot

MARKS = 1_000_000
TIMES = 200
MEGABYTE = 1_000_000

MEASURE = """async ({ folder, texts, codes, snapshot, key, id, times }) => {
  const load = (name) => import(folder[name]);
  const [verify, reader, ed25519] = await Promise.all(["verify", "snapshot", "ed25519"].map(load));
  const bytes = (text) => Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));
  const keys = new Map([[id, { publicKey: bytes(key), state: "in_use" }]]);
  const trusted = new Map([[id, bytes(key)]]);
  const content = bytes(snapshot);
  const timed = async (act) => { const began = performance.now(); const answer = await act();
    return [performance.now() - began, answer]; };
  const [taken, kept] = await timed(() => reader.readSnapshot(content, trusted, ed25519.isSignedBy));
  const now = kept.madeAt + 1000;
  const known = { keys, keysAt: now, snapshot: kept, hosts: [], staleAfter: 86400000 };
  const spent = { browser: [], library: [], lookup: [], taken: [taken] };
  for (let turn = 0; turn < times; turn++) {
    const text = texts[turn % texts.length];
    for (const [name, signedBy] of [["browser", ed25519.isSignedBy], ["library", ed25519.isSignedByLibrary]]) {
      const [took, found] = await timed(() => verify.judge(text, known, { now, signedBy }));
      if (found.kind !== "in_order") throw new Error(found.kind);
      spent[name].push(took);
    }
    const [took, found] = await timed(() => reader.lookUp(kept, codes[turn % codes.length]));
    if (!found) throw new Error("a mark is missing");
    spent.lookup.push(took);
  }
  return spent;
}"""


def measure(n: int | None) -> Iterable[Figure]:
    """The slowest of nearly all: of many runs, the one that 99 in 100 do not exceed."""
    call_command("collectstatic", interactive=False, verbosity=0)
    signer = Ed25519PrivateKey.generate()
    public = signer.public_key().public_bytes_raw()
    key = key_id_of(public)
    codes = [new_code() for _number in range(TIMES)]
    content = _snapshot(codes, n or MARKS, key, signer)
    yield at_most("offline.snapshot", len(content) / MEGABYTE, "MB", 6)
    with web_server() as address:
        yield at_most("offline.first_load", sum(_loaded(address)) / MEGABYTE, "MB compressed", 1.5)
        signed = [sign(Statement(key, code, 1, "HOR", "removal", 214), signer) for code in codes]
        spent = _in_browser(
            address,
            {
                "folder": _modules(address),
                "texts": [to_text(one.body, one.signature) for one in signed],
                "codes": codes,
                "snapshot": base64.b64encode(content).decode(),
                "key": base64.b64encode(public).decode(),
                "id": key.hex(),
                "times": TIMES,
            },
        )
    yield at_most("offline.verify", _most(spent["browser"]), "ms", 30)
    yield at_most("offline.verify_by_library", _most(spent["library"]), "ms", 30)
    yield at_most("offline.lookup", _most(spent["lookup"]), "ms", 5)
    yield told("offline.take_in_snapshot", spent["taken"][0], "ms")


def _most(spent: list[float]) -> float:
    return sorted(spent)[int(len(spent) * 0.99) - 1]


def _snapshot(codes: list[str], count: int, key: bytes, signer: Ed25519PrivateKey) -> bytes:
    own = {head_of(code) for code in codes}
    heads = set(own)
    while len(heads) < count:
        heads.update(raw[:4] + bytes([raw[4] & 0xF0]) for raw in map(secrets.token_bytes, [RECORD_BYTES] * 50_000))
    heads -= set(list(heads - own)[: len(heads) - count])
    state = State(b"".join(sorted(heads)))
    return write_snapshot(
        state, edition=1, base=0, made_at=datetime.now(UTC), sha256=state.sha256, key_id=key, signer=signer
    )


def _get(address: str) -> tuple[bytes, bytes]:
    """What stands at an address: as it came over the line, and unpacked."""
    request = urllib.request.Request(address, headers={"Accept-Encoding": "gzip"})  # noqa: S310  our own address
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
        content = answer.read()
        packed = answer.headers.get("Content-Encoding") == "gzip"
    return content, gzip.decompress(content) if packed else content


def _loaded(address: str) -> Iterable[int]:
    """Bytes over the line of everything that a phone fetches to have the scanner for good, keys excepted."""
    raw, worker = _get(f"{address}/sw.js")
    yield len(raw)
    for name in ("FILES", "SHELLS"):
        found = re.search(rf"const {name} = (.*);", worker.decode())
        for path in json.loads(found[1]) if found else []:
            yield len(_get(address + path)[0])


def _modules(address: str) -> dict[str, str]:
    found = re.search(r"const FILES = (.*);", _get(f"{address}/sw.js")[1].decode())
    files = json.loads(found[1]) if found else []
    return {
        name: next(path for path in files if re.search(rf"/field/{name}\.\w+\.js$", path))
        for name in ("verify", "snapshot", "ed25519")
    }


def _in_browser(address: str, given: dict[str, object]) -> dict[str, list[float]]:
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        raise RuntimeError("no Chromium here")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        try:
            page = browser.new_page()
            page.goto(f"{address}/scan/?lang=en")
            time.sleep(2)  # the worker has fetched what it keeps
            spent: dict[str, list[float]] = page.evaluate(MEASURE, given)
        finally:
            browser.close()
    return spent
