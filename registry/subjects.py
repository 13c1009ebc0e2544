"""Who may add photos and papers to what the registry knows, and where its own photos belong."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from core.accounts.models import User
from core.accounts.roles import Can
from core.accounts.subjects import Place
from ledger.models import CustodyAccount, Hold, Holding
from registry.models import (
    Case,
    CourtDecision,
    DailySheet,
    DerivativePhoto,
    Intake,
    Processing,
    RowPhoto,
)
from registry.selectors_cases import can_work_on_case


def may_add_to_derivative(user: User, key: str) -> bool:
    """Those who work where it is now."""
    places = CustodyAccount.objects.worked_in_by(user).values("pk")
    return Holding.objects.filter(item_id=int(key), account__in=places, pieces__gt=0).exists()


def may_add_to_intake(user: User, key: str) -> bool:
    """Those who work where it was taken in."""
    return Intake.objects.filter(pk=key, store__in=CustodyAccount.objects.worked_in_by(user).values("pk")).exists()


def may_add_to_case(user: User, key: str) -> bool:
    """Those who work on the case, and where goods of it were taken in."""
    case = Case.objects.filter(pk=key).first()
    if case is not None and can_work_on_case(user, case):
        return True
    places = CustodyAccount.objects.worked_in_by(user).values("pk")
    return Case.objects.filter(pk=key, intakes__store__in=places).exists()


def case_kept_since(key: str) -> datetime | None:
    """Since when the latest confirmed decision of the court stands on its files."""
    decided = CourtDecision.objects.filter(case_id=int(key), state=CourtDecision.State.CONFIRMED)
    return decided.order_by("-closed_at").values_list("closed_at", flat=True).first()


def may_add_to_processing(user: User, key: str) -> bool:
    """Those who work in the store where it is done."""
    return Processing.objects.filter(pk=key, store__in=CustodyAccount.objects.worked_in_by(user).values("pk")).exists()


def place_of_case(key: str) -> Place | None:
    """Where the seizure was, when coordinates were given."""
    case = Case.objects.filter(pk=key, latitude__isnull=False).first()
    if case is None or case.latitude is None or case.longitude is None:
        return None
    return Place(lat=float(case.latitude), lon=float(case.longitude), name=case.place)


def still_unconfirmed(key: str) -> StrOrPromise:
    """Why an alert about goods that wait cannot be decided; empty once none of them is held for a second person: they
    are confirmed, or written off.
    """
    if not Hold.objects.active().filter(kind=Hold.Kind.ORIGIN, item__derivative__intake=int(key)).exists():
        return ""
    return _("These goods are held: another person confirms them on the page of their reception.")


def decision_still_waits(key: str) -> StrOrPromise:
    """Why the alert about a court decision cannot be decided; empty once none of the case waits for confirmation."""
    if not CourtDecision.objects.filter(case_id=int(key), state=CourtDecision.State.RECORDED).exists():
        return ""
    return _("The court decision waits still: on the page of its case another person confirms it, or takes it back.")


def may_add_to_sheet(user: User, key: str) -> bool:
    """Inspectors of the region: the brigade's own paper, a photo of the carcasses."""
    return DailySheet.objects.filter(pk=int(key), permit__region__in=user.region_codes(Can.OPEN_INTAKE)).exists()


def holders_of(documents: Collection[UUID]) -> dict[UUID, tuple[str, str]]:
    """What each of these photos shows, where it is a photo of an item or of a row on a weighing table."""
    rows = RowPhoto.objects.filter(document__in=documents).values_list("document_id", "intake_id")
    photos = DerivativePhoto.objects.filter(document__in=documents).values_list("document_id", "derivative_id")
    found: dict[UUID, tuple[str, str]] = {photo: ("intake", str(intake)) for photo, intake in rows}
    return found | {photo: ("derivative", str(item)) for photo, item in photos}
