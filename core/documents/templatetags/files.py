"""Files of a subject on any page: {% load files %}{% files "case" case.pk %}."""

from typing import Any

from django import template
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from core.accounts.models import User
from core.accounts.subjects import may_add, may_see
from core.base.clock import day_of
from core.documents.attaching import files_of
from core.documents.models import Attachment
from core.documents.places import allowed_kilometres

register = template.Library()


@register.inclusion_tag("documents/_files.html", takes_context=True)
def files(context: template.Context, kind: str, key: Any, outcomes: Any = None, refused: str = "") -> dict[str, Any]:
    """The gallery of a subject, and the form that adds to it for those who may; nothing for those who may not see."""
    request = context["request"]
    user = request.user
    subject = str(key)
    if not isinstance(user, User) or not may_see(user, kind, subject):
        return {"hidden": True}
    return {
        "request": request,
        "csrf_token": context.get("csrf_token"),
        "kind": kind,
        "key": subject,
        "shown": files_of(user, kind, subject),
        "may_add": may_add(user, kind, subject),
        "furthest": allowed_kilometres(day_of(timezone.now())),
        "outcomes": outcomes,
        "refused": refused,
        "next": request.POST.get("next") or request.get_full_path(),
    }


@register.filter
def kilometres(metres: int) -> str:
    """Whole metres as kilometres with one place: 12345 is "12.3 km"."""
    return _("%(amount)s km") % {"amount": number_format(metres / 1000, decimal_pos=1, use_l10n=True)}


@register.filter
def is_far(attachment: Attachment, furthest: int | None) -> bool:
    """True for a picture made further from the stated place than the rule allows."""
    metres = attachment.metres_away
    return metres is not None and furthest is not None and metres > furthest * 1000


@register.filter
def coordinate(degrees: float) -> str:
    """Degrees with five places, about a metre; always with a point, as maps take them."""
    return f"{degrees:.5f}"
