from typing import Any

import environ
import psycopg
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection, transaction

from core.base.runtime_role import Role, RoleRefused, set_up


class Command(BaseCommand):
    help = "Make the role under which the registry works, and grant it what it needs; run as the owner of the tables."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--url", default=settings.RUNTIME_DATABASE_URL, help="DATABASE_URL of the role; else RUNTIME_DATABASE_URL"
        )

    def handle(self, *args: object, **options: Any) -> None:
        if not options["url"]:
            raise CommandError("Say which role: RUNTIME_DATABASE_URL, or --url postgres://role:password@host/name")
        wanted = environ.Env.db_url_config(options["url"])
        role = Role(str(wanted["USER"]), str(wanted["PASSWORD"]))
        try:
            with transaction.atomic():
                connection.ensure_connection()
                set_up(connection.connection, role)
        except RoleRefused as refusal:
            raise CommandError(str(refusal)) from None
        except psycopg.errors.InsufficientPrivilege as error:
            raise CommandError(f"This account may not do it: {error}") from None
        self.stdout.write(f"The registry works as {role.name}, which owns nothing.")
