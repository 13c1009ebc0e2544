"""Rebuild the ledger from its postings and compare."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from ledger.selectors import CHECKS, find_differences


class Command(BaseCommand):
    help = "Rebuild holdings and totals from the postings and compare; exit 1 when anything differs."

    def handle(self, *args: Any, **options: Any) -> None:
        with transaction.atomic():
            transaction.get_connection().cursor().execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            found = find_differences()
        for heading, rows in found.items():
            self.stderr.write(f"{heading}: {', '.join(rows)}")
        if found:
            raise CommandError(f"{len(found)} of {len(CHECKS)} checks failed")
        self.stdout.write(f"{len(CHECKS)} checks passed: the ledger agrees with its postings")
