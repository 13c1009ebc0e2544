"""Filters of this room's lists; they live in the address."""

from typing import Any

import django_filters as filters
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.accounts.models import Organisation, User
from core.accounts.roles import Can
from core.base.clock import day_of
from ledger.models import CustodyAccount, Handover
from ledger.selectors import stores_of
from permits.machine import State
from permits.models import Application, ApplicationQuerySet, Kind, Permit, PermitQuerySet
from permits.services import PLACES
from registry.models import Derivative, Intake, Origin, Term, stock_class

ANY = _("Any")
WAITING = "waiting"


class HandoverFilter(filters.FilterSet):
    """Hand-overs by number, direction and state, as the reader may know them."""

    q = filters.CharFilter(label=_("Number begins with"), method="by_number")
    direction = filters.ChoiceFilter(
        label=_("Direction"),
        choices=[("in", _("To us")), ("out", _("From us"))],
        empty_label=ANY,
        method="by_direction",
    )
    state = filters.ChoiceFilter(label=_("State"), choices=Handover.State, empty_label=ANY)
    way = filters.ChoiceFilter(
        label=_("Under way"), choices=[("open", _("There or back"))], empty_label=ANY, method="by_way"
    )
    late = filters.ChoiceFilter(
        label=_("Late"), choices=[("yes", _("Expected before today"))], empty_label=ANY, method="by_lateness"
    )

    class Meta:
        model = Handover
        fields: list[str] = []

    def __init__(self, *args: Any, reader: User, **kwargs: Any) -> None:
        super().__init__(*args, queryset=Handover.objects.visible_to(reader), **kwargs)
        self.reader = reader

    def by_number(self, queryset: QuerySet[Handover], name: str, value: str) -> QuerySet[Handover]:
        return queryset.filter(number__startswith=value.strip().upper())

    def by_direction(self, queryset: QuerySet[Handover], name: str, value: str) -> QuerySet[Handover]:
        mine = stores_of(self.reader, Can.SEE_STOCK, kinds=PLACES).values("pk")
        back = Handover.State.RETURNING
        if value == "in":
            return queryset.filter(~Q(state=back) & Q(target__in=mine) | Q(state=back, source__in=mine))
        return queryset.filter(~Q(state=back) & Q(source__in=mine) | Q(state=back, target__in=mine))

    def by_way(self, queryset: QuerySet[Handover], name: str, value: str) -> QuerySet[Handover]:
        return queryset.filter(state__in=Handover.UNDER_WAY)

    def by_lateness(self, queryset: QuerySet[Handover], name: str, value: str) -> QuerySet[Handover]:
        return queryset.filter(pk__in=Handover.objects.late(timezone.now()).values("pk"))


class ApplicationFilter(filters.FilterSet):
    """Applications by number, state, kind and sides, as the reader may know them."""

    q = filters.CharFilter(label=_("Number begins with"), method="by_number")
    state = filters.ChoiceFilter(
        label=_("State"),
        choices=[(WAITING, _("Waiting for a decision")), *State.choices],
        empty_label=ANY,
        method="by_state",
    )
    kind = filters.ChoiceFilter(label=_("Kind"), choices=Kind, empty_label=ANY)
    applicant = filters.ModelChoiceFilter(label=_("Applicant"), queryset=Organisation.objects.none(), empty_label=ANY)
    due = filters.ChoiceFilter(
        label=_("Deadline"), choices=[("over", _("Has passed"))], empty_label=ANY, method="by_deadline"
    )
    mine = filters.ChoiceFilter(
        label=_("Officer"), choices=[("yes", _("Taken up by me"))], empty_label=ANY, method="by_officer"
    )

    class Meta:
        model = Application
        fields: list[str] = []

    def __init__(self, *args: Any, reader: User, **kwargs: Any) -> None:
        super().__init__(*args, queryset=Application.objects.visible_to(reader), **kwargs)
        self.reader = reader
        if reader.can(Can.DECIDE_APPLICATION):
            applied = Application.objects.visible_to(reader).order_by().values("applicant")
            self.filters["applicant"].queryset = Organisation.objects.filter(pk__in=applied)
        else:
            del self.filters["applicant"], self.filters["mine"]

    def by_number(self, queryset: ApplicationQuerySet, name: str, value: str) -> QuerySet[Application]:
        return queryset.filter(number__startswith=value.strip().upper())

    def by_state(self, queryset: ApplicationQuerySet, name: str, value: str) -> QuerySet[Application]:
        return queryset.waiting() if value == WAITING else queryset.filter(state=value)

    def by_deadline(self, queryset: ApplicationQuerySet, name: str, value: str) -> QuerySet[Application]:
        return queryset.overdue(day_of(timezone.now()))

    def by_officer(self, queryset: ApplicationQuerySet, name: str, value: str) -> QuerySet[Application]:
        return queryset.filter(taken_by=self.reader)


class PermitFilter(filters.FilterSet):
    """Permits by number, state on today's day, kind and sides, as the reader may know them."""

    q = filters.CharFilter(label=_("Number begins with"), method="by_number")
    state = filters.ChoiceFilter(label=_("State"), choices=Permit.State, empty_label=ANY, method="by_state")
    kind = filters.ChoiceFilter(label=_("Kind"), choices=Kind, empty_label=ANY)
    holder = filters.ModelChoiceFilter(label=_("Holder"), queryset=Organisation.objects.none(), empty_label=ANY)
    receiver = filters.ModelChoiceFilter(label=_("Receiver"), queryset=Organisation.objects.none(), empty_label=ANY)

    class Meta:
        model = Permit
        fields: list[str] = []

    def __init__(self, *args: Any, reader: User, **kwargs: Any) -> None:
        super().__init__(*args, queryset=Permit.objects.visible_to(reader), **kwargs)
        known = Permit.objects.visible_to(reader).order_by()
        self.filters["holder"].queryset = Organisation.objects.filter(pk__in=known.values("holder"))
        self.filters["receiver"].queryset = Organisation.objects.filter(pk__in=known.values("receiver"))

    def by_number(self, queryset: PermitQuerySet, name: str, value: str) -> QuerySet[Permit]:
        return queryset.filter(number__startswith=value.strip().upper())

    def by_state(self, queryset: PermitQuerySet, name: str, value: str) -> QuerySet[Permit]:
        today = day_of(timezone.now())
        match value:
            case Permit.State.IN_FORCE:
                return queryset.in_force(today)
            case Permit.State.NOT_YET:
                return queryset.filter(ending=None, valid_from__gt=today)
            case Permit.State.EXPIRED:
                return queryset.filter(Q(ending__kind="expired") | Q(ending=None, valid_until__lt=today))
            case _:
                return queryset.filter(ending__kind=value)


class StockChoice(filters.FilterSet):
    """What lies in some stores, to choose from: by kind, origin and batch."""

    q = filters.CharFilter(label=_("Number begins with"), method="by_number")
    batch = filters.CharFilter(label=_("Reception number begins with"), method="by_batch")
    term = filters.ChoiceFilter(label=_("Term"), choices=Term, empty_label=ANY)
    origin = filters.ChoiceFilter(label=_("Origin class"), choices=Origin, empty_label=ANY, method="by_origin")
    store = filters.ModelChoiceFilter(
        label=_("Store"), queryset=CustodyAccount.objects.none(), empty_label=ANY, method="by_store"
    )

    class Meta:
        model = Derivative
        fields: list[str] = []

    def __init__(self, *args: Any, stores: QuerySet[CustodyAccount], **kwargs: Any) -> None:
        here = Derivative.objects.filter(item__holdings__account__in=stores, item__holdings__pieces__gt=0)
        super().__init__(*args, queryset=here, **kwargs)
        self.filters["store"].queryset = stores

    def by_number(self, queryset: QuerySet[Derivative], name: str, value: str) -> QuerySet[Derivative]:
        return queryset.filter(number__startswith=value.strip().upper())

    def by_batch(self, queryset: QuerySet[Derivative], name: str, value: str) -> QuerySet[Derivative]:
        batches = Intake.objects.filter(number__startswith=value.strip().upper())
        return queryset.filter(intake__in=batches.values("pk"))

    def by_origin(self, queryset: QuerySet[Derivative], name: str, value: str) -> QuerySet[Derivative]:
        """By the class it has now: what was seized is confiscated after the court."""
        classes = [stock_class(term, value) for term in Term.values]
        return queryset.filter(item__holdings__pieces__gt=0, item__holdings__stock_class__in=classes)

    def by_store(self, queryset: QuerySet[Derivative], name: str, value: CustodyAccount) -> QuerySet[Derivative]:
        return queryset.filter(item__holdings__account=value)
