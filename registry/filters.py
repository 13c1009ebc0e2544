"""Filters of the lists of intakes and cases."""

from typing import Any

import django_filters
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from core.accounts.models import Region, User
from core.base.forms import DayField, DayInput
from ledger.filters import StoreFilter
from ledger.models import CustodyAccount
from registry.models import Brigade, Case, Intake, Origin, SlaughterPoint, Stage, Term


class DayFilter(django_filters.DateFilter):
    field_class = DayField


def _stores(request: Any) -> QuerySet[CustodyAccount]:
    seen = Intake.objects.visible_to(request.user).filter(store=OuterRef("pk"))
    return CustodyAccount.objects.filter(Exists(seen))


def _brigades(request: Any) -> QuerySet[Brigade]:
    seen = Intake.objects.visible_to(request.user).filter(brigade=OuterRef("pk"))
    return Brigade.objects.filter(Exists(seen)).order_by("name", "pk")


class IntakeFilter(django_filters.FilterSet):
    state = django_filters.ChoiceFilter(label=_("State"), choices=Intake.State.choices, empty_label=_("Any"))
    origin = django_filters.ChoiceFilter(
        label=_("Origin"),
        choices=Origin.choices,
        empty_label=_("Any"),
    )
    term = django_filters.ChoiceFilter(label=_("Kind of derivative"), choices=Term.choices, empty_label=_("Any"))
    store = StoreFilter(label=_("Place"), queryset=_stores, empty_label=_("Any"))
    brigade = django_filters.ModelChoiceFilter(label=_("Brigade"), queryset=_brigades, empty_label=_("Any"))
    since = DayFilter(label=_("From day"), field_name="on", lookup_expr="gte", widget=DayInput)
    until = DayFilter(label=_("Until day"), field_name="on", lookup_expr="lte", widget=DayInput)

    class Meta:
        model = Intake
        fields: list[str] = []

    def of_any_state(self) -> QuerySet[Intake]:
        """What all filters but the state's let through; nothing when one of them cannot be read."""
        if not self.is_valid():
            return Intake.objects.none()
        found: QuerySet[Intake] = self.queryset
        for name, value in self.form.cleaned_data.items():
            if name != "state":
                found = self.filters[name].filter(found, value)
        return found


class SlaughterPointFilter(django_filters.FilterSet):
    region = django_filters.ModelChoiceFilter(label=_("Region"), queryset=Region.objects.all(), empty_label=_("Any"))

    class Meta:
        model = SlaughterPoint
        fields: list[str] = []

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, queryset=SlaughterPoint.objects.select_related("region"), **kwargs)


class CaseFilter(django_filters.FilterSet):
    q = django_filters.CharFilter(label=_("ERDR or protocol number, place"), method="by_words")
    stage = django_filters.ChoiceFilter(label=_("Stage"), choices=Stage.choices, empty_label=_("Any"))
    erdr = django_filters.ChoiceFilter(
        label=_("ERDR number"),
        choices=[("none", _("Not given yet")), ("given", _("Given"))],
        empty_label=_("Any"),
        method="by_erdr",
    )
    region = django_filters.ModelChoiceFilter(label=_("Region"), queryset=Region.objects.all(), empty_label=_("Any"))
    since = DayFilter(label=_("Seized from"), field_name="seized_on", lookup_expr="gte", widget=DayInput)
    until = DayFilter(label=_("Seized until"), field_name="seized_on", lookup_expr="lte", widget=DayInput)

    class Meta:
        model = Case
        fields: list[str] = []

    def by_erdr(self, queryset: QuerySet[Case], name: str, value: str) -> QuerySet[Case]:
        return queryset.filter(erdr_number="") if value == "none" else queryset.exclude(erdr_number="")

    def by_words(self, queryset: QuerySet[Case], name: str, value: str) -> QuerySet[Case]:
        for word in value.split():
            queryset = queryset.filter(
                Q(number__iexact=word)
                | Q(erdr_number__icontains=word)
                | Q(protocol_number__icontains=word)
                | Q(place__icontains=word)
            )
        return queryset


def intakes_of(data: Any, *, request: Any, reader: User) -> IntakeFilter:
    """The list of intakes that the reader may know, filtered by what the address says."""
    known = Intake.objects.visible_to(reader).received()
    known = known.select_related("store", "brigade", "case", "region", "sheet")
    return IntakeFilter(data, queryset=known, request=request)
