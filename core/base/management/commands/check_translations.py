from django.core.management.base import BaseCommand, CommandError

from core.base.messages import LANGUAGES, PUBLIC_LANGUAGE, extract_messages, find_faults, messages_in


class Command(BaseCommand):
    help = "Compare the catalogues of all languages with the messages in code and templates."
    requires_system_checks = []

    def handle(self, *args: object, **options: object) -> None:
        messages = extract_messages()
        languages = (*LANGUAGES, PUBLIC_LANGUAGE)
        faults = [fault for language in languages for fault in find_faults(language, messages_in(language, messages))]
        if faults:
            self.stdout.write("\n".join(faults))
            raise CommandError(f"{len(faults)} faults in the catalogues (make messages adds what is missing)")
        self.stdout.write(f"{len(messages)} messages, complete in {', '.join(languages)}")
