"""What may be done with an item next: each act with its page, or with the reason why it is refused now."""

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _
from django_stubs_ext import StrOrPromise

from core.accounts.models import User
from core.accounts.roles import Can
from custody.services.loss import can_report, is_reported
from ledger.models import AccountKind, Handover
from ledger.selectors import stores_of
from marking.models import Mark
from permits.models import Kind
from permits.selectors import find_obstacles
from permits.services import PLACES
from registry.models import Intake
from registry.processing import stores_for_processing, takers_of
from reports.selectors import ItemRow


@dataclass(frozen=True, slots=True)
class Act:
    """A button: its words, icon and page; with `refused` it is told, not offered."""

    label: StrOrPromise
    icon: str
    url: str
    refused: str = ""


def next_acts(user: User, row: ItemRow) -> list[Act]:
    """Acts of the person's roles on this item, in the order of its way."""
    found = []
    if user.can(Can.RECEIVE) and (receive := _receive(user, row)):
        found.append(receive)
    if user.can(Can.DISPATCH):
        found.append(_from_store(user, row, Can.DISPATCH, _("Hand over"), "truck-delivery", _dispatch_url))
    if user.can(Can.KEEP_STORE):
        found.append(_from_store(user, row, Can.KEEP_STORE, _("Weigh again"), "scale", _weigh_url))
    if user.can(Can.PROCESS) and takers_of(row.derivative.term):
        found.append(_process(user, row))
    if user.can(Can.APPLY):
        found.append(_from_store(user, row, Can.APPLY, _("Apply for a permit"), "file-plus", _apply_url))
    if user.can(Can.PRINT_LABELS):
        found.append(_labels(user, row))
    if user.can(Can.REPORT_LOSS):
        found.append(_report_loss(user, row))
    return found


def acts_on_chosen(user: User) -> list[Act]:
    """What the person's roles do with several items chosen from a list; each page says what stands against it."""
    found = []
    if user.can(Can.DISPATCH):
        found.append(Act(_("Hand over the ticked ones"), "truck-delivery", reverse("permits:dispatch")))
    if user.can(Can.APPLY):
        url = reverse("permits:apply", args=[Kind.TRANSPORT])
        found.append(Act(_("Apply for a permit for the ticked ones"), "file-plus", url))
    return found


def _receive(user: User, row: ItemRow) -> Act | None:
    """Acceptance, while the item is on its way to a store of this person."""
    if row.place.kind != AccountKind.TRANSIT:
        return None
    handover = (
        Handover.objects.coming_to(stores_of(user, Can.RECEIVE, kinds=PLACES).values("pk"))
        .filter(lines__item=row.derivative.pk)
        .order_by("-pk")
        .first()
    )
    if handover is None:
        return None
    url = reverse("permits:receive", args=[handover.pk])
    if handover.dispatched_by_id == user.pk:
        return Act(_("Receive"), "scan", url, _("Another person must receive what you dispatched."))
    return Act(_("Receive"), "scan", url)


def _from_store(user: User, row: ItemRow, act: Can, label: str, icon: str, url: Callable[[ItemRow], str]) -> Act:
    """An act that takes the item from a store of this person, refused for what stands against it.

    Goods leave an evidence room too; nothing else is done with them there.
    """
    kinds = PLACES if act == Can.DISPATCH else (AccountKind.STORE,)
    stores = list(stores_of(user, act, kinds=kinds).values_list("pk", flat=True))
    item = row.derivative.pk
    problems = find_obstacles([item], stores=stores).get(item, [])
    reasons = " ".join(str(problem.text) for problem in problems)
    return Act(label, icon, url(row), reasons)


def _process(user: User, row: ItemRow) -> Act:
    """Processing, in a store of a processor or of the State where this person may."""
    item = row.derivative.pk
    url = f"{reverse('custody:processing-open')}?{urlencode({'item': item})}"
    stores = list(stores_for_processing(user).values_list("pk", flat=True))
    problems = find_obstacles([item], stores=stores).get(item, [])
    return Act(_("Process"), "transfer", url, " ".join(str(problem.text) for problem in problems))


def _labels(user: User, row: ItemRow) -> Act:
    """Labels are printed for a whole intake."""
    intake = row.derivative.intake_id
    url = reverse("marking:intake-labels", args=[intake])
    if not Intake.objects.visible_to(user).filter(pk=intake).exists():
        return Act(_("Print labels"), "printer", url, _("It was taken in at a place of another organisation."))
    if not row.code:
        bind = reverse("marking:bind-label", args=[row.derivative.pk])
        gone = "" if row.place.is_physical else _("It is not in the hands of anybody of the registry any more.")
        void = Mark.objects.renewable().filter(derivative=row.derivative.pk).first()
        if void is not None:
            return Act(_("Ask for a new mark"), "user-check", reverse("marking:ask-for-mark", args=[void.pk]), gone)
        return Act(_("Bind a blank label"), "link", bind, gone)
    return Act(_("Print labels of its reception"), "printer", url)


def _report_loss(user: User, row: ItemRow) -> Act:
    """A report of loss or theft with the item filled in, where this person works."""
    url = f"{reverse('custody:report-loss')}?{urlencode({'items': row.derivative.number})}"
    label = _("Report a loss")
    if not row.place.is_physical:
        return Act(label, "alert-triangle", url, _("No longer there: %(where)s.") % {"where": row.place.name})
    if not can_report(user, row.place):
        return Act(label, "alert-triangle", url, _("You do not work in this place."))
    if is_reported(row.derivative.pk):
        return Act(label, "alert-triangle", url, _("It was reported before, and that report is not settled yet."))
    return Act(label, "alert-triangle", url)


def _weigh_url(row: ItemRow) -> str:
    return reverse("custody:weigh", args=[row.place.pk])


def _dispatch_url(row: ItemRow) -> str:
    wanted = {"source": row.place.pk, "item": row.derivative.pk}
    return f"{reverse('permits:dispatch')}?{urlencode(wanted)}"


def _apply_url(row: ItemRow) -> str:
    return f"{reverse('permits:apply', args=[Kind.TRANSPORT])}?{urlencode({'item': row.derivative.pk})}"
