"""Filters of the list of daily sheets."""

from typing import Any

import django_filters
from django.db.models import CharField, Count, Exists, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Cast, Coalesce
from django.utils.translation import gettext_lazy as _

from core.accounts.models import Region, User
from core.base.forms import DayInput
from core.notices.models import Notice
from registry.filters import DayFilter
from registry.models import Brigade, DailySheet, Intake, Season


def _brigades_of_sheets(request: Any) -> QuerySet[Brigade]:
    seen = DailySheet.objects.visible_to(request.user).filter(brigade=OuterRef("pk"))
    return Brigade.objects.filter(Exists(seen)).order_by("name", "pk")


def _regions_of_sheets(request: Any) -> QuerySet[Region]:
    seen = DailySheet.objects.visible_to(request.user).filter(permit__region=OuterRef("pk"))
    return Region.objects.filter(Exists(seen))


class SheetFilter(django_filters.FilterSet):
    state = django_filters.ChoiceFilter(label=_("State"), choices=DailySheet.State.choices, empty_label=_("Any"))
    season = django_filters.ModelChoiceFilter(
        label=_("Season"), field_name="permit__season", queryset=Season.objects.all(), empty_label=_("Any")
    )
    region = django_filters.ModelChoiceFilter(
        label=_("Region"), field_name="permit__region", queryset=_regions_of_sheets, empty_label=_("Any")
    )
    brigade = django_filters.ModelChoiceFilter(label=_("Brigade"), queryset=_brigades_of_sheets, empty_label=_("Any"))
    since = DayFilter(label=_("From day"), field_name="on", lookup_expr="gte", widget=DayInput)
    until = DayFilter(label=_("Until day"), field_name="on", lookup_expr="lte", widget=DayInput)

    class Meta:
        model = DailySheet
        fields: list[str] = []


def sheets_of(data: Any, *, request: Any, reader: User) -> SheetFilter:
    """The daily sheets that the reader may know, filtered by what the address says.

    Each with `horns_registered` and `asked`, how many notices about it still wait for an explanation.
    """
    same_day = Intake.objects.filter(permit=OuterRef("permit"), brigade=OuterRef("brigade"), on=OuterRef("on"))
    registered = same_day.order_by().values("on").annotate(n=Sum("pieces")).values("n")
    about = Notice.objects.open().filter(subject_kind="daily_sheet", subject_id=Cast(OuterRef("pk"), CharField()))
    asked = about.order_by().values("subject_kind").annotate(n=Count("pk")).values("n")
    known = (
        DailySheet.objects.visible_to(reader)
        .select_related("brigade", "permit__season", "permit__region")
        .annotate(horns_registered=Coalesce(Subquery(registered), 0), asked=Coalesce(Subquery(asked), 0))
    )
    return SheetFilter(data, queryset=known, request=request)
