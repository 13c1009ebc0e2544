"""Labels that hang or lie about under a key that is compromised: their symbols prove nothing until they are new."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery

from core.accounts.models import User
from core.notices.models import Notice
from ledger.models import CustodyAccount, Holding
from marking.models import LabelHolding, LabelPart, LabelPlace, LabelReel, Mark, MarkRequest, SigningKey
from marking.models.marks import MarkQuerySet
from registry.models import Intake

ORDERED = "labels.reprint_ordered"  # what tells a store that the authority wants its labels new


@dataclass(slots=True)
class UnprovenOfIntake:
    """Labels of one intake in one store: how many, whether a reprint waits for its second person, and whether the
    keeper of the reception can ask for one of all of them at once."""

    intake: Intake
    count: int
    is_asked: bool
    is_at_once: bool


@dataclass(slots=True)
class UnprovenOfStore:
    """What one store has, and what the authority has ordered of it."""

    store: CustodyAccount
    order: Notice | None
    intakes: list[UnprovenOfIntake] = field(default_factory=list)

    @property
    def count(self) -> int:
        return sum(row.count for row in self.intakes)


@dataclass(frozen=True, slots=True)
class UnprovenReel:
    """Blank labels of one reel that were printed under such a key: nobody should bind them."""

    reel: LabelReel
    count: int


def _unproven(state: Mark.State) -> MarkQuerySet:
    """Active marks, or blank labels, whose present print is signed by a compromised key.

    What was never printed is signed anew when it is. One question more names the keys: mostly there are none, and then
    no mark is looked at.
    """
    lost = list(SigningKey.objects.filter(state=SigningKey.State.COMPROMISED).values_list("pk", flat=True))
    if not lost:
        return Mark.objects.none()
    printed = LabelPart.objects.filter(
        run__run_marks__mark=OuterRef("pk"), run__run_marks__generation=OuterRef("generation")
    )
    # A label of a reel was printed before it was bound, and before its reel left the printer.
    tied = Q(reel__isnull=False, generation=1)
    out = LabelHolding.objects.filter(
        reel=OuterRef("reel"), pieces__gt=0, place__in=(LabelPlace.OFFICE, LabelPlace.TRANSIT)
    )
    is_out = tied if state == Mark.State.ACTIVE else Q(Exists(out))
    return Mark.objects.filter(Q(Exists(printed)) | is_out, state=state, key__in=lost)


def unproven_marks(user: User) -> QuerySet[Any]:
    """Those on items that the person may know, with the `account` that has the item."""
    return _unproven_in(CustodyAccount.objects.visible_to(user).values("pk"))


def unproven_in(store: int) -> QuerySet[Any]:
    """Those in this store."""
    return _unproven_in([store])


def _unproven_in(accounts: Any) -> QuerySet[Any]:
    held = Holding.objects.filter(pieces__gt=0, is_physical=True, account__in=accounts)
    active: QuerySet[Any] = _unproven(Mark.State.ACTIVE).filter(derivative__in=held.values("item"))
    # An item is in one place.
    return active.annotate(account=Subquery(held.filter(item=OuterRef("derivative")).values("account")[:1]))


def unproven_by_store(user: User) -> list[UnprovenOfStore]:
    """The stores that have any, by code. As many queries, however many stores and labels."""
    counted = unproven_marks(user).values_list("account", "derivative__intake").annotate(count=Count("pk")).order_by()
    rows = list(counted)
    if not rows:
        return []
    stores = {one.pk: one for one in CustodyAccount.objects.filter(pk__in={account for account, _intake, _n in rows})}
    intakes = Intake.objects.select_related("store").in_bulk({intake for _account, intake, _n in rows})
    asked = set(
        MarkRequest.objects.filter(
            kind=MarkRequest.Kind.REPRINT, state=MarkRequest.State.ASKED, intake__in=intakes
        ).values_list("intake", flat=True)
    )
    orders = {one.subject_id: one for one in Notice.objects.open().filter(code=ORDERED, subject_kind="store")}
    found = {pk: UnprovenOfStore(store, orders.get(str(pk))) for pk, store in stores.items()}
    for account, intake, count in rows:
        of_intake = intakes[intake]
        at_once = stores[account].custodian_id == of_intake.store.custodian_id
        found[account].intakes.append(UnprovenOfIntake(of_intake, count, intake in asked, at_once))
    for one in found.values():
        one.intakes.sort(key=lambda row: row.intake.number)
    return sorted(found.values(), key=lambda one: one.store.code)


def unproven_reels(user: User) -> list[UnprovenReel]:
    """Reels with blank labels that were printed under such a key."""
    reels = LabelReel.objects.visible_to(user).select_related("series__office")
    blank = _unproven(Mark.State.BLANK).filter(reel__in=reels.values("pk"))
    counts = dict(blank.values_list("reel").annotate(count=Count("pk")).order_by())
    return [UnprovenReel(reel, counts[reel.pk]) for reel in reels.filter(pk__in=counts).order_by("pk")]


def unproven_rows(user: User) -> Iterator[tuple[str, str, str, str, str]]:
    """Store, reception, item, mark and key of each label; one by one, for a table of any length."""
    codes = dict(CustodyAccount.objects.visible_to(user).values_list("pk", "code"))
    marks = unproven_marks(user).order_by("account", "derivative__intake", "derivative__row")
    listed = marks.values_list("account", "derivative__intake__number", "derivative__number", "pk", "key")
    for account, *rest in listed.iterator(chunk_size=5_000):
        yield (codes[account], *map(str, rest))  # type: ignore[misc]
