"""Compare every kept file with its SHA-256, and list files that no document names."""

from collections.abc import Iterator
from typing import Any

from django.core.files.storage import default_storage
from django.core.management.base import BaseCommand, CommandError

from core.documents.models import Document
from core.documents.services import sha256_of


class Command(BaseCommand):
    help = "Compare every kept file with its SHA-256, and list files that no document names."

    def handle(self, *args: Any, **options: Any) -> None:
        known: set[str] = set()
        faults = 0
        for document in Document.objects.order_by("pk").iterator():
            known.add(str(document.file.name))
            fault = _fault(document)
            if fault:
                faults += 1
                self.stderr.write(f"{document.pk} {fault}: {document.name}")
        stray = sorted(name for name in _kept_files() if name not in known)
        for name in stray:
            self.stdout.write(f"no document names {name}")
        if faults:
            raise CommandError(f"{faults} of {len(known)} documents are not as they were given.")
        self.stdout.write(f"{len(known)} documents are as they were given; {len(stray)} files without a document.")


def _fault(document: Document) -> str:
    try:
        with document.file.open("rb") as file:
            return "" if sha256_of(file) == document.sha256 else "changed"
    except OSError:
        return "missing"


def _kept_files(folder: str = "", depth: int = 0) -> Iterator[str]:
    """Names of files two folders deep, as documents are kept; thumbnails and the like lie elsewhere."""
    try:
        folders, files = default_storage.listdir(folder)
    except FileNotFoundError:
        return
    if depth == 2:
        yield from (f"{folder}/{name}" for name in files)
        return
    for name in folders:
        if len(name) == 2:
            yield from _kept_files(f"{folder}/{name}".lstrip("/"), depth + 1)
