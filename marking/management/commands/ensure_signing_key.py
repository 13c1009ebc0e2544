from django.core.management.base import BaseCommand
from django.utils import timezone

from marking.services.keys import NoSigningKey, ensure_signing_key


class Command(BaseCommand):
    help = "Make the system's first signing key when there is none; print the id of the key in use."

    def handle(self, *args: object, **options: object) -> None:
        try:
            self.stdout.write(ensure_signing_key(at=timezone.now()).pk)
        except NoSigningKey:
            # Everything but issuing marks works, so the system starts.
            self.stderr.write("no signing key is in use: decide with `manage.py signing_keys`")
