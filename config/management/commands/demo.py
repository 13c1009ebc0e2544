"""Fill an empty database with demo data, or with a very large register for measuring."""

from typing import Any
from unittest.mock import patch

from django.contrib.auth.hashers import get_hasher, verify_password
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from config.demo.build import build_bulk, build_demo
from config.demo.cast import PASSWORD, PEOPLE
from core.accounts.models import User


class Command(BaseCommand):
    help = "Fill an empty database with demo data; --horns N makes a register of N horns for measuring."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--horns", type=int, default=0, help="how many horns the large register has")
        parser.add_argument("--sign-ins", action="store_true", help="only print how to sign in")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["sign_ins"]:
            self._print_sign_ins()
            return
        # Every start of the demo prints its password, so thousands of rounds of hashing would guard nothing: eleven
        # accounts took seconds. The first sign-in of each hashes it anew, with as many rounds as all others.
        if User.objects.exists():
            raise CommandError("the database is not empty: `make reset` begins anew")
        with patch.object(get_hasher(), "iterations", 1, create=True):
            if options["horns"]:
                build_bulk(options["horns"], say=self.stdout.write)
            else:
                build_demo(now=timezone.now(), say=self.stdout.write)
        self._print_sign_ins()

    def _print_sign_ins(self) -> None:
        """Those of the demo people who are there and still have the demo's password."""
        known = {user.username: user for user in User.objects.filter(username__in=[name for name, *_rest in PEOPLE])}
        lines = [
            f"  {name:<14} {role.label}"
            for name, _last, _first, _patronymic, role, _organisation in PEOPLE
            if name in known and verify_password(PASSWORD, known[name].password)[0]
        ]
        if lines:
            self.stdout.write(f"Sign in with the password {PASSWORD} as")
            self.stdout.write("\n".join(lines))
