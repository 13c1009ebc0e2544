import hashlib
from argparse import ArgumentParser
from io import StringIO
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from core.base.catalogues import compile_catalogues


class Command(BaseCommand):
    help = "Bring catalogues, static files and database up to date; fill an empty database with demo data."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--no-demo", action="store_true", help="leave an empty database empty")
        parser.add_argument("--sign-ins", type=Path, help="write the demo sign-ins to this file, once")

    def handle(self, *args: object, **options: Any) -> None:
        compile_catalogues()
        self.collect_static_files()
        self.migrate()
        if settings.RUNTIME_DATABASE_URL:
            call_command("runtime_role", stdout=StringIO())
        if not options["no_demo"] and not get_user_model().objects.exists():
            self.stdout.write("filling the empty database with demo data")
            call_command("demo", stdout=StringIO())
        call_command("ensure_signing_key", stdout=StringIO())
        if options["sign_ins"] and not options["sign_ins"].exists():
            text = StringIO()
            call_command("demo", sign_ins=True, stdout=text)
            options["sign_ins"].write_text(text.getvalue())

    def migrate(self) -> None:
        executor = MigrationExecutor(connection)
        if waiting := len(executor.migration_plan(executor.loader.graph.leaf_nodes())):
            self.stdout.write(f"applying {waiting} migrations to the database")
        call_command("migrate", interactive=False, verbosity=0)

    def collect_static_files(self) -> None:
        """Collect only when a file has come, gone or changed: with compression it takes seconds."""
        digest = hashlib.sha256()
        for finder in get_finders():
            for path, storage in finder.list(["CVS", ".*", "*~"]):
                stat = Path(storage.path(path)).stat()
                digest.update(f"{path} {stat.st_mtime_ns} {stat.st_size}\n".encode())
        stamp = Path(settings.STATIC_ROOT) / ".collected"
        if stamp.exists() and stamp.read_text() == digest.hexdigest():
            return
        self.stdout.write("collecting the static files")
        call_command("collectstatic", interactive=False, clear=True, verbosity=0)
        stamp.write_text(digest.hexdigest())
