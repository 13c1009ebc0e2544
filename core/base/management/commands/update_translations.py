from django.core.management.base import BaseCommand

from core.base.messages import LANGUAGES, extract_messages, find_faults, update_catalogue


class Command(BaseCommand):
    help = "Bring the catalogues of all languages in step with the messages in code and templates."
    requires_system_checks = []

    def handle(self, *args: object, **options: object) -> None:
        messages = extract_messages()
        for language in LANGUAGES:
            update_catalogue(language, messages)
            faults = list(find_faults(language, messages))
            self.stdout.write(f"{language}: {len(messages)} messages, {len(faults)} to be done")
