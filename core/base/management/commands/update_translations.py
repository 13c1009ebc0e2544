from django.core.management.base import BaseCommand

from core.base.messages import LANGUAGES, PUBLIC_LANGUAGE, extract_messages, find_faults, messages_in, update_catalogue


class Command(BaseCommand):
    help = "Bring the catalogues of all languages in step with the messages in code and templates."
    requires_system_checks = []

    def handle(self, *args: object, **options: object) -> None:
        messages = extract_messages()
        for language in (*LANGUAGES, PUBLIC_LANGUAGE):
            said = messages_in(language, messages)
            update_catalogue(language, said)
            faults = list(find_faults(language, said))
            self.stdout.write(f"{language}: {len(said)} messages, {len(faults)} to be done")
