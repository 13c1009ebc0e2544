from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class NoticesConfig(AppConfig):
    name = "core.notices"
    label = "notices"

    def ready(self) -> None:
        from core.accounts.subjects import register_subject
        from core.accounts.telling import register_teller
        from core.audit.services import register_facts, register_verbs
        from core.notices.accounts import LAST_TERM, tell_authority
        from core.notices.models import Notice
        from core.notices.services import register_advice, register_notice_codes

        register_subject(
            "notice",
            label=_("Notice"),
            url_name="notices:notice",
            known_to=lambda user: Notice.objects.visible_to(user),
            add=lambda user, key: Notice.objects.waiting_for(user).filter(pk=key).exists(),
        )
        register_verbs(
            {
                "notice.raised": _("Notice raised"),
                "notice.assigned": _("Notice assigned"),
                "notice.commented": _("Comment on a notice"),
                "notice.explained": _("Notice explained"),
                "notice.returned": _("Explanation returned"),
                "notice.escalated": _("Overdue notice passed to the authority"),
                "notice.decided": _("Notice decided"),
            }
        )
        register_facts(
            {
                "person": (_("Person"), str),
                "ended_in": (_("What came of it"), lambda outcome: str(Notice.Outcome(outcome).label)),
            }
        )
        register_teller(tell_authority)
        register_notice_codes(
            {
                "user.password_link": _("%(who)s made a link that sets a new password for the account of %(person)s."),
                "user.email_changed": _("%(who)s gave the account of %(person)s another e-mail address."),
            },
            decides="authority",
        )
        register_notice_codes(
            {
                LAST_TERM: _(
                    "The term of %(person)s ends on %(day)s. After it there are not two left who can give roles that"
                    " decide, and nobody can be appointed to one any more."
                )
            }
        )
        register_advice(
            (
                _(
                    "Have another administrator or head appointed before that day, or the role given again from the"
                    " day after."
                ),
                (LAST_TERM,),
            ),
            (
                _("Ask the person whether this was wanted. If not, have the account closed."),
                ("user.password_link", "user.email_changed"),
            ),
        )
