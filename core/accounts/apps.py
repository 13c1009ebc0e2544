from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    name = "core.accounts"
    label = "accounts"

    def ready(self) -> None:
        from core.accounts.models import organisations_known_to, people_known_to
        from core.accounts.roles import Role
        from core.accounts.subjects import register_subject
        from core.audit.services import register_facts, register_verbs

        register_subject("user", label=_("Person"), url_name="accounts:person", known_to=people_known_to)
        register_subject(
            "organisation",
            label=_("Organisation"),
            url_name="accounts:organisation",
            known_to=organisations_known_to,
        )
        register_facts(
            {"role": (_("Role"), lambda role: str(Role(role).label)), "organisation_name": (_("Organisation"), str)}
        )
        register_verbs(
            {
                "organisation.created": _("Organisation entered"),
                "organisation.changed": _("Organisation changed"),
                "user.created": _("Account opened"),
                "user.changed": _("Person's details changed"),
                "user.deactivated": _("Account closed"),
                "user.reactivated": _("Account opened again"),
                "user.email_changed": _("E-mail address changed by somebody else"),
                "user.role_asked": _("Role asked for"),
                "user.role_confirmed": _("Role confirmed by a second person"),
                "user.role_refused": _("Role refused"),
                "user.appointed": _("Role given"),
                "user.appointment_ended": _("Role ended"),
                "user.password_link_made": _("Link to set the password made"),
                "token.created": _("API token made"),
                "token.revoked": _("API token revoked"),
            }
        )
