"""Filters of the inbox."""

from datetime import timedelta
from typing import Any

import django_filters
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.accounts.models import Organisation, Region, User
from core.accounts.subjects import SUBJECTS, label_of
from core.base.clock import day_of
from core.notices.models import Notice, NoticeQuerySet

OPEN, DECIDED, ALL = "open", "decided", "all"


class NoticeFilter(django_filters.FilterSet):
    """Those not decided yet, unless others are asked for."""

    state = django_filters.ChoiceFilter(
        label=_("State"),
        choices=[
            (OPEN, _("Not decided")),
            ("explain", _("Waiting for an explanation or decision")),
            ("explained", _("Explained, to be judged")),
            ("escalated", _("Passed to the authority")),
            (DECIDED, _("Decided")),
            (ALL, _("All")),
        ],
        empty_label=None,
        method="by_state",
    )
    whose = django_filters.ChoiceFilter(
        label=_("Whose"),
        choices=[("mine", _("Assigned to me")), ("ours", _("My organisation's")), ("nobody", _("Assigned to nobody"))],
        empty_label=_("Any"),
        method="by_whose",
    )
    kind = django_filters.ChoiceFilter(label=_("Kind"), choices=Notice.Kind.choices, empty_label=_("Any"))
    outcome = django_filters.ChoiceFilter(
        label=_("What came of it"), choices=Notice.Outcome.choices, empty_label=_("Any"), method="by_outcome"
    )
    due = django_filters.ChoiceFilter(
        label=_("Due"),
        choices=[("overdue", _("The day has passed")), ("week", _("Within seven days")), ("none", _("Without a day"))],
        empty_label=_("Any"),
        method="by_due",
    )
    about = django_filters.ChoiceFilter(label=_("About"), choices=[], empty_label=_("Any"), field_name="subject_kind")
    organisation = django_filters.ModelChoiceFilter(
        label=_("Organisation"), queryset=Organisation.objects.none(), empty_label=_("Any")
    )
    region = django_filters.ModelChoiceFilter(
        label=_("Region"), queryset=Region.objects.all(), empty_label=_("Any"), field_name="organisation__region"
    )

    class Meta:
        model = Notice
        fields: list[str] = []

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._user = user
        seen = Notice.objects.visible_to(user).order_by()
        kinds = set(seen.values_list("subject_kind", flat=True)) & SUBJECTS.keys()
        choices = sorted(((kind, str(label_of(kind))) for kind in kinds), key=lambda pair: pair[1])
        self.filters["about"].extra["choices"] = choices
        self.filters["about"].field.choices = choices
        known = Organisation.objects.filter(pk__in=seen.values("organisation"))
        self.filters["organisation"].queryset = known

    def by_state(self, queryset: NoticeQuerySet, name: str, value: str) -> QuerySet[Notice]:
        match value:
            case "open":
                return queryset.open()
            case "explain":
                return queryset.filter(state=Notice.State.OPEN)
            case "escalated":
                return queryset.open().filter(escalated_at__isnull=False)
            case "all":
                return queryset
            case _:
                return queryset.filter(state=value)

    def by_outcome(self, queryset: QuerySet[Notice], name: str, value: str) -> QuerySet[Notice]:
        return queryset.filter(outcome=value)

    def by_whose(self, queryset: QuerySet[Notice], name: str, value: str) -> QuerySet[Notice]:
        match value:
            case "mine":
                return queryset.filter(assigned_to=self._user)
            case "nobody":
                return queryset.filter(assigned_to=None)
            case _:
                return queryset.filter(Q(organisation__in=self._user.organisation_ids()))

    def by_due(self, queryset: QuerySet[Notice], name: str, value: str) -> QuerySet[Notice]:
        today = day_of(timezone.now())
        if value == "none":
            return queryset.filter(due_on=None)
        if value == "week":
            return queryset.filter(due_on__gte=today, due_on__lte=today + timedelta(days=7))
        return queryset.filter(due_on__lt=today)
