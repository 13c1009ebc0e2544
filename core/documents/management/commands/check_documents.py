"""Compare every kept file with its SHA-256, and list files that no document names."""

from pathlib import Path
from typing import Any

from django.conf import settings
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
        root = Path(settings.MEDIA_ROOT)
        stray = [path for path in _kept_files(root) if str(path.relative_to(root)) not in known]
        for path in stray:
            self.stdout.write(f"no document names {path.relative_to(root)}")
        if faults:
            raise CommandError(f"{faults} of {len(known)} documents are not as they were given.")
        self.stdout.write(f"{len(known)} documents are as they were given; {len(stray)} files without a document.")


def _fault(document: Document) -> str:
    try:
        with document.file.open("rb") as file:
            return "" if sha256_of(file) == document.sha256 else "changed"
    except FileNotFoundError:
        return "missing"


def _kept_files(root: Path) -> list[Path]:
    return [path for path in root.glob("??/??/*") if path.is_file()]
