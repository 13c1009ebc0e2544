from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from core.accounts.models import User
from core.base.errors import DomainError
from marking.models import SigningKey
from marking.services.keys import create_key, declare_compromised, take_into_use


class Command(BaseCommand):
    help = "List signing keys; `rotate` signs with a new one from now on; `compromise ID` declares one compromised."

    def add_arguments(self, parser: ArgumentParser) -> None:
        acts = parser.add_subparsers(dest="act")
        rotate = acts.add_parser("rotate")
        compromise = acts.add_parser("compromise")
        compromise.add_argument("key", help="id of the key: eight hex digits")
        for act in (rotate, compromise):
            act.add_argument("--by", required=True, metavar="USERNAME", help="who decided it")

    def handle(self, *args: object, **options: Any) -> None:
        try:
            if options["act"] == "rotate":
                actor, now = self._actor(options["by"]), timezone.now()
                take_into_use(actor=actor, at=now, key=create_key(actor=actor, at=now))
            elif options["act"] == "compromise":
                declare_compromised(actor=self._actor(options["by"]), at=timezone.now(), key=self._key(options["key"]))
        except DomainError as refusal:
            raise CommandError(str(refusal)) from refusal
        for key in SigningKey.objects.all():
            self.stdout.write(f"{key.pk}  {key.state:<11}  {key.created_at:%Y-%m-%d}")

    def _actor(self, username: str) -> User:
        actor = User.objects.filter(username=username, is_active=True).first()
        if actor is None:
            raise CommandError(f"there is no active person {username}")
        return actor

    def _key(self, key_id: str) -> SigningKey:
        key = SigningKey.objects.filter(pk=key_id).first()
        if key is None:
            raise CommandError(f"there is no key {key_id}")
        return key
