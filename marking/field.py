"""What a phone keeps so that pages open without network: files, pages, and the service worker that serves them.

A page that shall open without network is named in `shells` of the worker's view; a file that it loads in FILES or below
one of FOLDERS. The version follows from all of them, so a phone takes a new one exactly when something has changed.
"""

import hashlib
import json
from collections.abc import Mapping
from functools import lru_cache

from django.conf import settings
from django.templatetags.static import static

STATIC = settings.ROOT / "static"
WORKER = STATIC / "js/field/worker.js"
FOLDERS = ("js/field", "vendor/barcode-detector", "vendor/idb", "vendor/noble-ed25519")
FILES = (
    "css/theme.css",
    "img/emblem-180.png",
    "img/favicon.svg",
    "img/scanner-192.png",
    "js/app.js",
    "vendor/noto-sans-mono/noto-sans-mono-400.woff2",
    "vendor/noto-sans-mono/noto-sans-mono-600.woff2",
    "vendor/noto-sans-sc/noto-sans-sc-400.woff2",
    "vendor/noto-sans/noto-sans-400.woff2",
    "vendor/noto-sans/noto-sans-600.woff2",
    "vendor/noto-sans/noto-sans-700.woff2",
    "vendor/tabler-icons/sprite.svg",
    "vendor/tabler/tabler.min.css",
)
_KEPT = {".css", ".js", ".png", ".svg", ".wasm", ".woff2"}


def worker(shells: Mapping[str, str]) -> str:
    """The service worker that keeps these pages, by address, and the files they load."""
    return _worker(tuple(shells.items()))


@lru_cache(maxsize=4)
def _worker(shells: tuple[tuple[str, str], ...]) -> str:
    names = kept_files()
    addresses = [static(name) for name in names]
    source = WORKER.read_text(encoding="utf-8")
    digest = hashlib.sha256(source.encode())
    for text in (*addresses, *(content for _address, content in shells)):
        digest.update(text.encode() + b"\0")
    for name in names:
        digest.update((STATIC / name).read_bytes())
    head = {"VERSION": digest.hexdigest()[:16], "SHELLS": [address for address, _content in shells], "FILES": addresses}
    return "".join(f"const {name} = {json.dumps(value)};\n" for name, value in head.items()) + source


def kept_files() -> list[str]:
    """Names of all files that the pages load."""
    inside = [
        str(path.relative_to(STATIC))
        for folder in FOLDERS
        for path in (STATIC / folder).rglob("*")
        if path.suffix in _KEPT and path != WORKER
    ]
    return sorted({*FILES, *inside})
