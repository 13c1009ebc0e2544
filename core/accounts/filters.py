"""Filters of the lists of people and organisations."""

from datetime import timedelta

import django_filters
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.accounts.models import Appointment, Organisation, Region, User
from core.accounts.roles import Role
from core.base.clock import day_of

NO_ROLE = "none"
SOON = "soon"


class PersonFilter(django_filters.FilterSet):
    q = django_filters.CharFilter(label=_("Name, user name or e-mail"), method="by_words")
    role = django_filters.ChoiceFilter(
        label=_("Role"),
        choices=[*Role.choices, (NO_ROLE, _("Without a role"))],
        empty_label=_("Any"),
        method="by_role",
    )
    ending = django_filters.ChoiceFilter(
        label=_("Role ends"),
        choices=[(SOON, _("Within 30 days"))],
        empty_label=_("Any"),
        method="by_ending",
    )
    organisation = django_filters.ModelChoiceFilter(
        label=_("Organisation"),
        queryset=Organisation.objects.order_by("name_kk"),
        empty_label=_("Any"),
        method="by_organisation",
    )
    active = django_filters.ChoiceFilter(
        label=_("Account"),
        field_name="is_active",
        choices=[("True", _("Open")), ("False", _("Closed"))],
        empty_label=_("Any"),
    )

    class Meta:
        model = User
        fields: list[str] = []

    def by_words(self, queryset: QuerySet[User], name: str, value: str) -> QuerySet[User]:
        for word in value.split():
            queryset = queryset.filter(
                Q(last_name__icontains=word)
                | Q(first_name__icontains=word)
                | Q(patronymic__icontains=word)
                | Q(username__icontains=word)
                | Q(email__icontains=word)
            )
        return queryset

    def by_role(self, queryset: QuerySet[User], name: str, value: str) -> QuerySet[User]:
        if value == NO_ROLE:
            return queryset.filter(is_active=True).exclude(pk__in=_in_force().values("user"))
        return queryset.filter(pk__in=_in_force().filter(role=value).values("user"))

    def by_ending(self, queryset: QuerySet[User], name: str, value: str) -> QuerySet[User]:
        last = day_of(timezone.now()) + timedelta(days=30)
        return queryset.filter(pk__in=_in_force().filter(valid_until__lte=last).values("user"))

    def by_organisation(self, queryset: QuerySet[User], name: str, value: Organisation) -> QuerySet[User]:
        return queryset.filter(pk__in=_in_force().filter(organisation=value).values("user"))


class OrganisationFilter(django_filters.FilterSet):
    q = django_filters.CharFilter(label=_("Name or BIN"), method="by_words")
    kind = django_filters.ChoiceFilter(label=_("What it is"), choices=Organisation.Kind.choices, empty_label=_("Any"))
    region = django_filters.ModelChoiceFilter(label=_("Region"), queryset=Region.objects.all(), empty_label=_("Any"))

    class Meta:
        model = Organisation
        fields: list[str] = []

    def by_words(self, queryset: QuerySet[Organisation], name: str, value: str) -> QuerySet[Organisation]:
        for word in value.split():
            queryset = queryset.filter(
                Q(name_kk__icontains=word)
                | Q(name_ru__icontains=word)
                | Q(name_en__icontains=word)
                | Q(bin__startswith=word)
            )
        return queryset


def _in_force() -> QuerySet[Appointment]:
    return Appointment.objects.in_force(day_of(timezone.now()))
