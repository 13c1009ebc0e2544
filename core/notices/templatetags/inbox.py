"""How much waits for the reader, in the bar of every page; who acts on what."""

from collections.abc import Mapping

from django import template

from core.accounts.models import User
from core.accounts.roles import Can
from core.notices.models import Notice
from core.notices.selectors import Acting

register = template.Library()

MOST = 99


@register.simple_tag(takes_context=True)
def waiting_count(context: template.Context) -> int:
    """Notices that wait for the reader, counted to a hundred: one query, none for those who decide nothing."""
    user = context.get("user")
    if not isinstance(user, User) or not user.can(Can.DECIDE_NOTICE):
        return 0
    return Notice.objects.waiting_for(user).order_by()[: MOST + 1].count()


@register.filter
def of(acting: Mapping[int, Acting], notice: Notice) -> Acting | None:
    """Who acts on this one."""
    return acting.get(notice.pk)
