"""Set up the first two administrators, who together give everybody else their roles: works twice, for two persons.

It works again when there are not two left who could give another that role.
"""

from getpass import getpass
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils import timezone

from core.accounts.models import Organisation
from core.accounts.roles import Role
from core.accounts.services import appoint, create_organisation, create_person, two_give_roles
from core.base.clock import day_of
from core.base.errors import DomainError


class Command(BaseCommand):
    help = (
        "Set up the first two administrators, who together give roles that decide. Works twice, for two persons, and"
        " again when there are not two left who confirm roles."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--last-name", required=True)
        parser.add_argument("--first-name", required=True)
        parser.add_argument("--email", default="")
        parser.add_argument("--bin", required=True, help="BIN of the authority or the operator of the registry")
        parser.add_argument("--name-kk", default="", help="its name, unless it is in the registry already")
        parser.add_argument("--name-ru", default="")
        parser.add_argument("--name-en", default="")

    def handle(self, *args: Any, **options: Any) -> None:
        password = getpass("Password: ")
        now = timezone.now()
        try:
            with transaction.atomic():
                organisation = Organisation.objects.filter(bin=options["bin"]).first() or create_organisation(
                    actor=None,
                    at=now,
                    bin=options["bin"],
                    kind=Organisation.Kind.MINISTRY,
                    name_kk=options["name_kk"],
                    name_ru=options["name_ru"] or options["name_kk"],
                    name_en=options["name_en"] or options["name_kk"],
                )
                person = create_person(
                    actor=None,
                    at=now,
                    username=options["username"],
                    last_name=options["last_name"],
                    first_name=options["first_name"],
                    email=options["email"],
                    password=password,
                )
                appoint(actor=None, at=now, person=person, organisation=organisation, role=Role.ADMINISTRATOR)
        except DomainError as refusal:
            raise CommandError("\n".join([str(refusal), *map(str, refusal.fields.values())])) from refusal
        self.stdout.write(f"{person.full_name} signs in as {person.username}.")
        if not two_give_roles(day_of(now)):
            self.stdout.write(
                "Roles that decide take two persons: have the second administrator run this once more, here, with a"
                " name and a password that you do not know."
            )
