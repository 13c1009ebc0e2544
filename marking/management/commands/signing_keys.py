from argparse import ArgumentParser
from getpass import getpass
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from core.accounts.models import User
from core.accounts.signature import sign_by_password
from core.base.errors import DomainError
from marking.models import KeyRequest, SigningKey
from marking.services.keys import adopt_key, ask_key_act, create_key, decide_key_act

ASKED = "Asked. Another person approves: on the page of signing keys, or by `signing_keys approve {number} --by NAME`."


class Command(BaseCommand):
    help = (
        "List signing keys and what waits for a second person. `rotate` asks that a new key sign from now on; `use ID`"
        " that one do which was made; `compromise ID` that one be declared compromised; another person lets it happen"
        " by `approve NUMBER`. `adopt file|token NAME` takes note of a key that exists. Each act asks for the password"
        " of the person it names."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        acts = parser.add_subparsers(dest="act")
        for name in ("rotate", "use", "compromise", "approve", "adopt"):
            act = acts.add_parser(name)
            if name in ("use", "compromise"):
                act.add_argument("key", help="id of the key: eight hex digits")
            if name in ("rotate", "use", "compromise"):
                act.add_argument("--reason", required=True, help="why")
            if name == "approve":
                act.add_argument("number", type=int, help="of the request, as the list says it")
            if name == "adopt":
                act.add_argument("storage", choices=["file", "token"])
                act.add_argument("name", help="of the file in KEY_DIRECTORY, or of the key in the token")
            act.add_argument("--by", required=True, metavar="USERNAME", help="who does it, by own password")

    def handle(self, *args: object, **options: Any) -> None:
        try:
            if options["act"]:
                self._act(**options)
        except DomainError as refusal:
            raise CommandError(" ".join([str(refusal), *map(str, refusal.fields.values())])) from refusal
        waiting = KeyRequest.objects.filter(state=KeyRequest.State.ASKED).select_related("asked_by")
        for asked in waiting.order_by("pk"):
            self.stdout.write(f"waits  {asked.pk}  {asked.kind} {asked.key_id}  {asked.asked_by.username}")
        for key in SigningKey.objects.all():
            self.stdout.write(
                f"{key.pk}  {key.state:<11}  {key.created_at:%Y-%m-%d}  {key.storage} {key.place}".strip()
            )

    def _act(self, *, act: str, by: str, **options: Any) -> None:
        """One person does one half of it: never two names from one hand."""
        actor = self._actor(by)
        sign_by_password(actor, getpass(f"Password of {by}: "))
        now = timezone.now()
        if act == "adopt":
            adopt_key(actor=actor, at=now, storage=options["storage"], place=options["name"])
        elif act == "approve":
            decide_key_act(actor=actor, at=now, request=self._request(options["number"]), approve=True)
        else:
            with transaction.atomic():
                key = create_key(actor=actor, at=now) if act == "rotate" else self._key(options["key"])
                kind = KeyRequest.Kind.COMPROMISE if act == "compromise" else KeyRequest.Kind.USE
                asked = ask_key_act(actor=actor, at=now, key=key, kind=kind, reason=options["reason"])
            self.stdout.write(ASKED.format(number=asked.pk))

    def _actor(self, username: str) -> User:
        actor = User.objects.filter(username=username, is_active=True).first()
        if actor is None:
            raise CommandError(f"there is no active person {username}")
        return actor

    def _request(self, number: int) -> KeyRequest:
        asked = KeyRequest.objects.filter(pk=number).first()
        if asked is None:
            raise CommandError(f"there is no request {number}")
        return asked

    def _key(self, key_id: str) -> SigningKey:
        key = SigningKey.objects.filter(pk=key_id).first()
        if key is None:
            raise CommandError(f"there is no key {key_id}")
        return key
