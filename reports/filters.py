"""Filters that live in the address: what may be asked of the lists, in which words."""

import re
from datetime import datetime, time
from typing import Any

import django_filters as filters
from django.db.models import Exists, Max, Min, OuterRef, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from core.accounts.models import Organisation, Region, User
from core.accounts.roles import Can
from core.accounts.subjects import SUBJECTS
from core.audit.models import Event, EventQuerySet
from core.audit.services import VERBS
from core.base.clock import ALMATY
from core.base.forms import DayField
from ledger.filters import StoreFilter
from ledger.models import PHYSICAL, AccountKind, CustodyAccount, Hold, Reservation
from marking.codes import ALPHABET, CODE_LENGTH
from marking.models import Mark
from registry.models import Condition, Derivative, Intake, Origin, Population, Season, Term
from reports.find import find_exactly
from reports.selectors import PlacedDerivative, with_place

ANY = _("Any")
PEOPLE_AT_MOST = 200
LIKE_A_NUMBER = re.compile(r"KZ?$|KZ\d")
YES_NO = [("yes", _("Yes")), ("no", _("No"))]


class DayFilter(filters.Filter):
    """A calendar day, typed or chosen."""

    field_class = DayField


def code_prefix(text: str) -> str:
    """The beginning of a mark code as people type it: any case, groups, look-alikes; empty if it is none."""
    folded = (
        text.upper().replace("-", "").replace(" ", "").translate(str.maketrans("ILOАВСЕНКМОРТХУ", "110ABCEHKM0PTXY"))
    )
    is_prefix = 0 < len(folded) <= CODE_LENGTH and all(character in ALPHABET for character in folded)
    return folded if is_prefix else ""


class ItemFilter(filters.FilterSet):
    """Derivatives that `reader` may know, by place, kind, origin and story, each with its place."""

    q = filters.CharFilter(label=_("Number or mark begins with"), method="by_number_or_mark")
    store = StoreFilter(label=_("Store"), queryset=CustodyAccount.objects.none(), empty_label=ANY, method="later")
    place = filters.ChoiceFilter(label=_("Kind of place"), choices=AccountKind, empty_label=ANY, method="later")
    term = filters.ChoiceFilter(label=_("Term"), choices=Term, empty_label=ANY)
    origin = filters.ChoiceFilter(label=_("Origin class"), choices=Origin, empty_label=ANY)
    condition = filters.ChoiceFilter(label=_("Condition"), choices=Condition, empty_label=ANY)
    gone = filters.ChoiceFilter(
        label=_("Left the books"), choices=[("yes", _("Yes"))], empty_label=_("No"), method="later"
    )
    held = filters.ChoiceFilter(label=_("On hold"), choices=YES_NO, empty_label=ANY, method="by_hold")
    reserved = filters.ChoiceFilter(label=_("Reserved"), choices=YES_NO, empty_label=ANY, method="by_reservation")
    population = filters.ChoiceFilter(label=_("Population"), choices=Population, empty_label=ANY, method="later")
    season = filters.ModelChoiceFilter(
        label=_("Season"), queryset=Season.objects.all(), empty_label=ANY, method="later"
    )
    intake = filters.CharFilter(label=_("Reception"), method="later")
    since = DayFilter(label=_("Taken in since"), method="later")
    until = DayFilter(label=_("Taken in until"), method="later")

    class Meta:
        model = Derivative
        fields: list[str] = []

    def __init__(self, *args: Any, reader: User, **kwargs: Any) -> None:
        super().__init__(*args, queryset=Derivative.objects.all(), **kwargs)
        self.reader = reader
        self.stores = CustodyAccount.objects.visible_to(reader)
        self.filters["store"].queryset = self.stores

    def filter_queryset(self, queryset: QuerySet[Derivative]) -> QuerySet[PlacedDerivative]:
        """All filters; what the reader may know, the place and the class in one join, by the ledger's indexes.

        The same items as `Derivative.objects.visible_to(reader)`: joined twice, a million holdings would be read.
        """
        if not self.reader.can(Can.SEE_STOCK):
            return with_place(queryset.none())
        queryset = self._of_intakes(super().filter_queryset(queryset))
        where: dict[str, Any] = {}
        accounts, stock_classes = self.accounts(), self.stock_classes()
        if stock_classes:
            where["stock_class__in"] = stock_classes
            if accounts is None:  # the index goes by account, then class: name all accounts
                accounts = list(CustodyAccount.objects.values_list("pk", flat=True))
        if accounts is not None:
            where["account__in"] = accounts
        if self.is_gone() and not self.reader.can(Can.SEE_EVERYTHING):
            queryset = queryset.filter(pk__in=Derivative.objects.once_kept_by(self.reader).values("pk"))
        return with_place(queryset, **where)

    def _of_intakes(self, queryset: QuerySet[Derivative]) -> QuerySet[Derivative]:
        """Items of the receptions that were chosen, between the first and the last of them.

        The two ends tell the database where to begin: a list in the order of receptions would otherwise walk past
        everything that came later.
        """
        chosen = self.form.cleaned_data
        conditions: dict[str, Any] = {
            "population": chosen["population"],
            "permit__season": chosen["season"],
            "number__startswith": chosen["intake"].strip().upper(),
            "on__gte": chosen["since"],
            "on__lte": chosen["until"],
        }
        conditions = {name: value for name, value in conditions.items() if value}
        if not conditions:
            return queryset
        intakes = Intake.objects.filter(**conditions).order_by()
        ends = intakes.aggregate(first=Min("pk"), last=Max("pk"))
        if ends["first"] is None:
            return queryset.none()
        return queryset.filter(
            intake__in=intakes.values("pk"), intake_id__gte=ends["first"], intake_id__lte=ends["last"]
        )

    def is_gone(self) -> bool:
        """Whether goods are asked for that left the books: sold, exported, consumed, destroyed, lost, given back."""
        place = self.form.cleaned_data.get("place")
        return bool(self.form.cleaned_data.get("gone")) or bool(place and place not in PHYSICAL)

    def accounts(self) -> list[int] | None:
        """Where the items must be: places the reader may know; None for one who may know all and chose none."""
        store, place = self.form.cleaned_data.get("store"), self.form.cleaned_data.get("place")
        if self.is_gone():
            boundaries = CustodyAccount.objects.filter(is_physical=False, **{"kind": place} if place else {})
            return [] if store else list(boundaries.values_list("pk", flat=True))
        if store:
            return [store.pk] if not place or store.kind == place else []
        if self.reader.can(Can.SEE_EVERYTHING):
            kinds = CustodyAccount.objects.filter(kind=place)
            return list(kinds.values_list("pk", flat=True)) if place else None
        known = self.stores.filter(kind=place) if place else self.stores
        return list(known.values_list("pk", flat=True))

    def whole_accounts(self) -> list[int] | None:
        """The physical accounts whose whole content, but for term and origin, is what was chosen; None otherwise."""
        chosen = {name for name, value in self.form.cleaned_data.items() if value}
        is_physical = bool(self.form.cleaned_data["store"]) or self.form.cleaned_data["place"] in PHYSICAL
        if self.is_gone() or (not is_physical and self.reader.can(Can.SEE_EVERYTHING)):
            return None
        return self.accounts() if chosen <= {"store", "place", "term", "origin"} else None

    def stock_classes(self) -> list[str]:
        """The ledger's classes that the chosen term and origin leave; empty when both are open."""
        chosen = self.form.cleaned_data
        terms = [chosen["term"]] if chosen.get("term") else Term.values
        origins = [chosen["origin"]] if chosen.get("origin") else Origin.values
        if not chosen.get("term") and not chosen.get("origin"):
            return []
        return [f"{term}:{origin}" for term in terms for origin in origins]

    def by_number_or_mark(self, queryset: QuerySet[Derivative], name: str, value: str) -> QuerySet[Derivative]:
        """One or the other, never both: an index answers each, and nothing answers "or"."""
        start, code = value.strip().upper(), code_prefix(value)
        if LIKE_A_NUMBER.match(start) or not code:
            return queryset.filter(number__startswith=start)
        return queryset.filter(pk__in=Mark.objects.filter(code__startswith=code).values("derivative"))

    def later(self, queryset: QuerySet[Derivative], name: str, value: object) -> QuerySet[Derivative]:
        """Applied with its neighbours: places in one join, receptions in one condition."""
        return queryset

    def by_hold(self, queryset: QuerySet[Derivative], name: str, value: str) -> QuerySet[Derivative]:
        held = Hold.objects.active()
        if value == "yes":
            return queryset.filter(item__in=held.values("item"))
        return queryset.exclude(Exists(held.filter(item=OuterRef("pk"))))

    def by_reservation(self, queryset: QuerySet[Derivative], name: str, value: str) -> QuerySet[Derivative]:
        reserved = Reservation.objects.active()
        if value == "yes":
            return queryset.filter(item__in=reserved.values("item"))
        return queryset.exclude(Exists(reserved.filter(item=OuterRef("pk"))))


class StockFilter(filters.FilterSet):
    """Stores by place and kind, and what of their content is wanted, as of which day."""

    day = DayFilter(label=_("At the end of the day"), method="later")
    region = filters.ModelChoiceFilter(label=_("Region"), queryset=Region.objects.all(), empty_label=ANY)
    kind = filters.ChoiceFilter(
        label=_("Kind of place"),
        choices=[(kind.value, kind.label) for kind in PHYSICAL],
        empty_label=ANY,
    )
    store = StoreFilter(label=_("Store"), queryset=CustodyAccount.objects.none(), empty_label=ANY, method="by_store")
    custodian = filters.ModelChoiceFilter(label=_("Custodian"), queryset=Organisation.objects.none(), empty_label=ANY)
    term = filters.ChoiceFilter(label=_("Term"), choices=Term, empty_label=ANY, method="later")
    origin = filters.ChoiceFilter(label=_("Origin class"), choices=Origin, empty_label=ANY, method="later")

    class Meta:
        model = CustodyAccount
        fields: list[str] = []

    def __init__(self, *args: Any, stores: QuerySet[CustodyAccount], **kwargs: Any) -> None:
        super().__init__(*args, queryset=stores, **kwargs)
        self.filters["store"].queryset = stores
        self.filters["custodian"].queryset = Organisation.objects.filter(pk__in=stores.order_by().values("custodian"))

    def by_store(
        self, queryset: QuerySet[CustodyAccount], name: str, value: CustodyAccount
    ) -> QuerySet[CustodyAccount]:
        return queryset.filter(pk=value.pk)

    def later(self, queryset: QuerySet[CustodyAccount], name: str, value: object) -> QuerySet[CustodyAccount]:
        """Applied to the positions, not to the stores."""
        return queryset


class JournalFilter(filters.FilterSet):
    """Events by what, who, about what, when."""

    verb = filters.ChoiceFilter(label=_("What was done"), choices=[], empty_label=ANY)
    person = filters.CharFilter(label=_("Person"), method="by_person")
    organisation = filters.ModelChoiceFilter(
        label=_("Organisation"),
        queryset=Organisation.objects.all(),
        empty_label=ANY,
        field_name="organisation_id",
        method="by_organisation",
    )
    kind = filters.ChoiceFilter(
        label=_("About"),
        choices=[],
        empty_label=ANY,
        field_name="subject_kind",
    )
    subject = filters.CharFilter(label=_("Number or key"), method="by_subject")
    since = DayFilter(label=_("Since"), method="from_day")
    until = DayFilter(label=_("Until"), method="to_day")

    class Meta:
        model = Event
        fields: list[str] = []

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = sorted(((verb, str(label)) for verb, label in VERBS.items()), key=lambda pair: pair[1])
        self.filters["verb"].extra["choices"] = choices
        self.filters["verb"].field.choices = choices
        kinds = sorted(((kind, str(subject.label)) for kind, subject in SUBJECTS.items()), key=lambda pair: pair[1])
        self.filters["kind"].extra["choices"] = kinds
        self.filters["kind"].field.choices = kinds

    def by_person(self, queryset: QuerySet[Event], name: str, value: str) -> QuerySet[Event]:
        people = User.objects.filter(Q(last_name__istartswith=value.strip()) | Q(username__iexact=value.strip()))
        return queryset.filter(actor_id__in=list(people.values_list("pk", flat=True)[:PEOPLE_AT_MOST]))

    def by_organisation(self, queryset: QuerySet[Event], name: str, value: Organisation) -> QuerySet[Event]:
        return queryset.filter(organisation_id=value.pk)

    def by_subject(self, queryset: EventQuerySet, name: str, value: str) -> EventQuerySet:
        found: list[tuple[str, object]] = [(match.kind, match.pk) for match in find_exactly(value)]
        return queryset.about(*(found or [(kind, value.strip()) for kind in SUBJECTS]))

    def from_day(self, queryset: QuerySet[Event], name: str, value: Any) -> QuerySet[Event]:
        return queryset.filter(at__gte=datetime.combine(value, time.min, ALMATY))

    def to_day(self, queryset: QuerySet[Event], name: str, value: Any) -> QuerySet[Event]:
        return queryset.filter(at__lte=datetime.combine(value, time.max, ALMATY))
