"""Filters of the inbox."""

from datetime import timedelta

import django_filters
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.base.clock import day_of
from core.notices.models import Notice

OPEN, DECIDED, ALL = "open", "decided", "all"


class NoticeFilter(django_filters.FilterSet):
    """Open ones, unless others are asked for."""

    state = django_filters.ChoiceFilter(
        label=_("State"),
        choices=[(OPEN, _("Open")), (DECIDED, _("Decided")), (ALL, _("All"))],
        empty_label=None,
        method="by_state",
    )
    kind = django_filters.ChoiceFilter(label=_("Kind"), choices=Notice.Kind.choices, empty_label=_("Any"))
    due = django_filters.ChoiceFilter(
        label=_("Due"),
        choices=[("overdue", _("The day has passed")), ("week", _("Within seven days")), ("none", _("Without a day"))],
        empty_label=_("Any"),
        method="by_due",
    )

    class Meta:
        model = Notice
        fields: list[str] = []

    def by_state(self, queryset: QuerySet[Notice], name: str, value: str) -> QuerySet[Notice]:
        return queryset if value == ALL else queryset.filter(state=value)

    def by_due(self, queryset: QuerySet[Notice], name: str, value: str) -> QuerySet[Notice]:
        today = day_of(timezone.now())
        if value == "none":
            return queryset.filter(due_on=None)
        if value == "week":
            return queryset.filter(due_on__gte=today, due_on__lte=today + timedelta(days=7))
        return queryset.filter(due_on__lt=today)
