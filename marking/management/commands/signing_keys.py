from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from core.accounts.models import User
from core.base.errors import DomainError
from marking.models import KeyRequest, SigningKey
from marking.services.keys import adopt_key, ask_key_act, create_key, decide_key_act


class Command(BaseCommand):
    help = (
        "List signing keys; `rotate` signs with a new one from now on; `use ID` with one that was made; `compromise ID`"
        " declares one compromised; `adopt file|token NAME` takes note of a key that exists."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        acts = parser.add_subparsers(dest="act")
        for name in ("rotate", "use", "compromise", "adopt"):
            act = acts.add_parser(name)
            if name in ("use", "compromise"):
                act.add_argument("key", help="id of the key: eight hex digits")
            if name == "adopt":
                act.add_argument("storage", choices=["file", "token"])
                act.add_argument("name", help="of the file in KEY_DIRECTORY, or of the key in the token")
            else:
                act.add_argument("--second", required=True, metavar="USERNAME", help="who agrees")
                act.add_argument("--reason", default="Decided on the server's console", help="why")
            act.add_argument("--by", required=True, metavar="USERNAME", help="who decided it")

    def handle(self, *args: object, **options: Any) -> None:
        try:
            if options["act"]:
                with transaction.atomic():
                    self._act(**options)
        except DomainError as refusal:
            raise CommandError(" ".join([str(refusal), *map(str, refusal.fields.values())])) from refusal
        for key in SigningKey.objects.all():
            self.stdout.write(
                f"{key.pk}  {key.state:<11}  {key.created_at:%Y-%m-%d}  {key.storage} {key.place}".strip()
            )

    def _act(self, *, act: str, by: str, **options: Any) -> None:
        actor, now = self._actor(by), timezone.now()
        if act == "adopt":
            adopt_key(actor=actor, at=now, storage=options["storage"], place=options["name"])
            return
        key = create_key(actor=actor, at=now) if act == "rotate" else self._key(options["key"])
        kind = KeyRequest.Kind.COMPROMISE if act == "compromise" else KeyRequest.Kind.USE
        asked = ask_key_act(actor=actor, at=now, key=key, kind=kind, reason=options["reason"])
        decide_key_act(actor=self._actor(options["second"]), at=now, request=asked, approve=True)

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
