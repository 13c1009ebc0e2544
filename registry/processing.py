"""Questions about processing: where one may process, what stands against an input, what came from what."""

from collections.abc import Collection
from dataclasses import dataclass, field

from django.db import connection
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from core.accounts.models import Organisation, User
from core.accounts.roles import Can
from ledger.models import (
    AccountKind,
    CustodyAccount,
    Handover,
    HandoverLine,
    Hold,
    Holding,
    Movement,
    Packing,
    Reservation,
)
from registry.models import WAYS, Derivative, Origin, Processing, ProcessingInput, Recipe, Term
from registry.models.terms import UNTITLED, split_stock_class

DEEPEST = 12  # steps of processing that a tree follows
WIDEST = 200  # items that a tree shows


def stores_for_processing(user: User) -> QuerySet[CustodyAccount]:
    """Stores where the person may process: of a processor or of the State, by a role that may."""
    return CustodyAccount.objects.filter(
        Q(custodian__kind=Organisation.Kind.PROCESSOR) | Q(custodian__kind__in=Organisation.STATE_BODIES),
        custodian__in=user.organisation_ids(Can.PROCESS),
        kind=AccountKind.STORE,
        is_active=True,
        region__isnull=False,
    ).select_related("custodian", "region")


def may_process_in(user: User, store: CustodyAccount) -> bool:
    """Whether the person may process in this store."""
    return stores_for_processing(user).filter(pk=store.pk).exists()


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why an item cannot go into a run: a stable code, and a sentence."""

    code: str
    text: StrOrPromise


def find_input_obstacles(run: Processing, item_ids: Collection[int]) -> dict[int, list[Obstacle]]:
    """What stands against each of these items going in; items that nothing stands against are left out.

    A constant number of queries. What is on the list already decides the origin class of the run.
    """
    wanted = list(dict.fromkeys(item_ids))
    there = {
        item: split_stock_class(code)
        for item, code in Holding.objects.filter(account=run.store_id, item__in=wanted, pieces__gt=0).values_list(
            "item_id", "stock_class"
        )
    }
    held = set(Hold.objects.active().filter(item__in=wanted).values_list("item_id", flat=True))
    promised = set(Reservation.objects.active().filter(item__in=wanted).values_list("item_id", flat=True))
    packed = Packing.objects.present().filter(item__in=wanted)
    sealed = set(
        packed.exclude(box__seal_number="", box__parent=None)
        .exclude(box__seal_number="", box__parent__seal_number="")
        .values_list("item_id", flat=True)
    )
    origin = _origin_of_list(run) or next((there[item][1] for item in wanted if item in there), None)
    found: dict[int, list[Obstacle]] = {}
    for item in wanted:
        reasons = []
        if item not in there:
            reasons.append(Obstacle("not-here", _("It is not in this store.")))
        else:
            term, its_origin = there[item]
            if term not in run.way.takes:
                reasons.append(Obstacle("other-term", _("Another kind of thing is processed here.")))
            if its_origin in UNTITLED:
                reasons.append(Obstacle("no-title", _("Nobody has a title to it yet.")))
            elif its_origin != origin:
                reasons.append(Obstacle("other-origin", _("Origin classes are never mixed in one run.")))
        if item in held:
            reasons.append(Obstacle("on-hold", _("It is on hold: its page says why.")))
        if item in promised:
            reasons.append(Obstacle("reserved", _("It is reserved for a permit.")))
        if item in sealed:
            reasons.append(Obstacle("sealed", _("It lies under a seal: open the seal first.")))
        if reasons:
            found[item] = reasons
    return found


def _origin_of_list(run: Processing) -> Origin | None:
    first = run.inputs.order_by("pk").values_list("item_id", flat=True).first()
    if first is None:
        return None
    code = Holding.objects.filter(account=run.store_id, item=first, pieces__gt=0).values_list("stock_class", flat=True)
    return split_stock_class(code[0])[1] if code else None


@dataclass(frozen=True, slots=True)
class Consumed:
    """An item as it left the store: its stock class and its grams."""

    item_id: int
    stock_class: str
    grams: int


def weigh_inputs(movement: Movement, store: CustodyAccount) -> list[Consumed]:
    """What this movement took out of the store, by item."""
    left = movement.postings.filter(account=store).order_by("item_id")
    return [Consumed(item, code, -grams) for item, code, grams in left.values_list("item_id", "stock_class", "grams")]


def takers_of(term: str) -> list[Recipe]:
    """The recipes that take this term."""
    return [recipe for recipe, way in WAYS.items() if term in way.takes]


@dataclass(slots=True)
class Node:
    """One item of a family tree: what it is, what it weighed when registered, where it is now, and its own branches.

    `run` is the processing that ties it to the item above it in the tree; `more` counts branches not shown.
    """

    item_id: int
    number: str
    term: str
    mass_g: int
    grams: int
    place: str
    run: str
    run_id: int | None
    parent: int | None
    depth: int
    intake_id: int
    branches: list["Node"] = field(default_factory=list)
    root: str = ""
    root_kind: str = ""
    root_id: int | None = None

    @property
    def term_in_words(self) -> str:
        return str(Term(self.term).label)

    @property
    def place_in_words(self) -> str:
        return str(AccountKind(self.place).label) if self.place else ""


@dataclass(frozen=True, slots=True)
class Family:
    """What an item was made of, and what was made of it. `is_cut` when there is more than the tree shows."""

    ancestors: list[Node]
    descendants: list[Node]
    is_cut: bool

    def __bool__(self) -> bool:
        return bool(self.ancestors or self.descendants)


_UP = """
    SELECT i.item_id AS child, n.processing_id AS run, d.item_id AS parent
    FROM registry_derivative d JOIN registry_intake n ON n.id = d.intake_id
    JOIN registry_processinginput i ON i.processing_id = n.processing_id
    WHERE d.item_id = w.item_id
"""
_DOWN = """
    SELECT d.item_id AS child, i.processing_id AS run, i.item_id AS parent
    FROM registry_processinginput i
    JOIN registry_intake n ON n.processing_id = i.processing_id
    JOIN registry_derivative d ON d.intake_id = n.id
    WHERE i.item_id = w.item_id AND i.mass_g IS NOT NULL
"""
_WALK = """
    WITH RECURSIVE walk (item_id, run, parent, depth) AS (
        SELECT %(item)s::bigint, NULL::bigint, NULL::bigint, 0
        UNION
        SELECT found.child, found.run, found.parent, w.depth + 1 FROM walk w, LATERAL ({step}) AS found
        WHERE w.depth < %(deepest)s
    ), bounded AS (
        -- A family is wide where one run had many inputs: the walk stops when enough was seen.
        SELECT * FROM walk WHERE depth > 0 LIMIT %(widest)s
    )
    SELECT d.item_id, d.number, d.term, d.mass_g, coalesce(h.grams, 0), coalesce(a.kind, ''), r.number, b.run, b.parent,
        b.depth, d.intake_id, coalesce(p.number, c.erdr_number, ''),
        CASE WHEN p.id IS NOT NULL THEN 'permit' WHEN c.id IS NOT NULL THEN 'case' ELSE '' END, coalesce(p.id, c.id)
    FROM bounded b
    JOIN registry_derivative d ON d.item_id = b.item_id
    JOIN registry_processing r ON r.id = b.run
    JOIN registry_intake n ON n.id = d.intake_id
    LEFT JOIN registry_removalpermit p ON p.id = n.permit_id
    LEFT JOIN registry_case c ON c.id = n.case_id
    LEFT JOIN ledger_holding h ON h.item_id = d.item_id AND h.pieces > 0
    LEFT JOIN ledger_custodyaccount a ON a.id = h.account_id
    ORDER BY b.depth, d.number
"""


def family_of(item_id: int) -> Family:
    """Ancestors and descendants of an item: two queries, at most 12 steps and 200 items each way.

    An item that many runs share shows once under each of the items it belongs to.
    """
    ancestors, cut_up = _walk(item_id, _UP)
    descendants, cut_down = _walk(item_id, _DOWN)
    return Family(ancestors, descendants, cut_up or cut_down)


def _walk(item_id: int, step: str) -> tuple[list[Node], bool]:
    with connection.cursor() as cursor:
        sql = _WALK.format(step=step)
        cursor.execute(sql, {"item": item_id, "deepest": DEEPEST, "widest": WIDEST + 1})
        rows = cursor.fetchall()
    is_cut = len(rows) > WIDEST
    nodes = [
        Node(*row[:11], root=row[11], root_kind=row[12], root_id=row[13])  # type: ignore[misc]
        for row in rows[:WIDEST]
    ]
    top: list[Node] = []
    # Who stands at one depth twice, because several runs or items lead there, is shown once.
    shown: dict[tuple[int, int], Node] = {}
    for node in nodes:
        if (node.item_id, node.depth) in shown:
            continue
        shown[node.item_id, node.depth] = node
        parent = shown.get((node.parent or 0, node.depth - 1))
        (top if parent is None else parent.branches).append(node)
    return top, is_cut


def knowable(user: User, item_ids: Collection[int]) -> set[int]:
    """Which of these items the person may look at: here now, on their way here, or gone from the books after they
    were in a place of theirs."""
    seen = set(Derivative.objects.visible_to(user).filter(pk__in=item_ids).values_list("pk", flat=True))
    mine = Processing.objects.visible_to(user)
    consumed = ProcessingInput.objects.filter(
        item__in=item_ids, mass_g__isnull=False, processing__in=mine.filter(state=Processing.State.DONE).values("pk")
    )
    mine_to_receive = Handover.objects.visible_to(user).under_way().values("pk")
    arriving = HandoverLine.objects.filter(item__in=item_ids, handover__in=mine_to_receive)
    gone = Derivative.objects.filter(
        pk__in=Holding.objects.filter(item__in=item_ids, is_physical=False, pieces__gt=0).values("item")
    ).once_kept_by(user)
    return seen.union(
        consumed.values_list("item_id", flat=True),
        arriving.values_list("item_id", flat=True),
        gone.values_list("pk", flat=True),
    )
