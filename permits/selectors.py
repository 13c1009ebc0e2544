"""Questions that span several rooms: whose stores, what stands against an item, which right a movement needs."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import connection
from django.db.models import Count, Exists, OuterRef, QuerySet, Sum
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from core.accounts.models import User
from core.accounts.roles import Can
from core.base.clock import day_of
from core.base.errors import DomainError
from core.base.templatetags.fmt import day as in_words
from core.rules.models import Rule, RuleCode
from core.rules.selectors import NoRuleInForce, in_force, refusal_of_sale
from ledger.models import AccountKind, Box, CustodyAccount, Handover, HandoverLine, Hold, Holding, Packing, Posting
from ledger.sscc import show_sscc
from marking.models import Mark
from permits.models import RIGHT, Application, Kind, LoadingList, Permit
from registry.models import Derivative, Intake, Origin, split_stock_class
from registry.models.terms import UNTITLED, untitled_classes

TRADED = (Kind.DOMESTIC_SALE,)
MOST_BOXES = 60


class PermitNeeded(DomainError):
    """The goods would leave their custodian without a right."""

    code = "permit-needed"
    message = _("A permit is needed for this.")


class PermitNotInForce(DomainError):
    """The permit named is not in force on the day."""

    code = "permit-not-in-force"
    message = _("This permit is not in force.")


class PermitForOtherStore(DomainError):
    """The permit names another holder or another receiving store."""

    code = "permit-for-other-store"
    message = _("This permit is for another receiver.")


# --- stores ---------------------------------------------------------------------------------------------------


def receiving_stores() -> QuerySet[CustodyAccount]:
    """Every store that goods can be sent to."""
    return CustodyAccount.objects.filter(
        kind=AccountKind.STORE, is_active=True, custodian__is_active=True
    ).select_related("custodian")


def places_of_goods() -> QuerySet[CustodyAccount]:
    """Every store and evidence room: goods leave both, once nothing holds them."""
    kinds = (AccountKind.STORE, AccountKind.EVIDENCE)
    return CustodyAccount.objects.filter(kind__in=kinds, is_active=True, custodian__is_active=True).select_related(
        "custodian"
    )


def stock_of(organisation_id: int) -> QuerySet[CustodyAccount]:
    """The stores whose content an organisation may apply for."""
    return CustodyAccount.objects.filter(custodian=organisation_id, kind=AccountKind.STORE)


# --- items as people see them ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Row:
    """One item in a table of this room: its mark, class and mass now, and what stands against it."""

    item: Derivative
    code: str
    origin: Origin
    grams: int
    store: CustodyAccount | None
    box: str
    problems: list["Problem"]


def describe_items(items: Sequence[Derivative], problems: "Problems | None" = None) -> list[Row]:
    """Rows for these items in their order: three queries, however many there are."""
    keys = [item.pk for item in items]
    codes = dict(Mark.objects.active().filter(derivative__in=keys).values_list("derivative_id", "code"))
    holdings = Holding.objects.filter(item__in=keys, pieces__gt=0).select_related("account")
    classes = {holding.item_id: split_stock_class(holding.stock_class)[1] for holding in holdings}
    held = {holding.item_id: holding for holding in holdings if holding.is_physical}
    boxes = dict(Packing.objects.present().filter(item__in=keys).values_list("item_id", "box__sscc"))
    return [
        Row(
            item=item,
            code=codes.get(item.pk, ""),
            origin=classes.get(item.pk) or Origin(item.origin),
            grams=held[item.pk].grams if item.pk in held else 0,
            store=held[item.pk].account if item.pk in held else None,
            box=show_sscc(boxes[item.pk]) if item.pk in boxes else "",
            problems=(problems or {}).get(item.pk, []),
        )
        for item in items
    ]


def weigh(items: QuerySet[Derivative]) -> tuple[int, int]:
    """Pieces and grams of the items, as the ledger holds them now."""
    found = Holding.objects.filter(item__in=items.values("pk"), is_physical=True, pieces__gt=0).aggregate(
        pieces=Count("item"), grams=Sum("grams")
    )
    return found["pieces"], found["grams"] or 0


@dataclass(frozen=True, slots=True)
class Batch:
    """An intake of which something still lies in a store."""

    intake: Intake
    pieces: int
    grams: int


def batches_in(stores: Sequence[int], *, most: int = 12) -> list[Batch]:
    """The latest batches registered into these stores of which something is still there; two queries."""
    latest = {intake.pk: intake for intake in Intake.objects.filter(store__in=stores, state="registered")[: most * 2]}
    counted = _rows(
        """
        SELECT d.intake_id, count(*), sum(h.grams)::bigint FROM registry_derivative d
        JOIN ledger_holding h ON h.item_id = d.item_id AND h.account_id = ANY(%s) AND h.pieces > 0
        WHERE d.intake_id = ANY(%s) GROUP BY d.intake_id ORDER BY d.intake_id DESC LIMIT %s
        """,
        list(stores),
        list(latest),
        most,
    )
    return [Batch(latest[pk], pieces, grams) for pk, pieces, grams in counted]


def items_of_batch(intake: Intake, stores: Sequence[int]) -> list[int]:
    """The items of a batch that lie in these stores now."""
    here = Derivative.objects.filter(intake=intake, item__holdings__account__in=stores, item__holdings__pieces__gt=0)
    return list(here.values_list("pk", flat=True))


# --- what stands against an item --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Problem:
    """Why an item cannot go: a stable code and the sentence a person reads."""

    code: str
    text: StrOrPromise


Problems = dict[int, list[Problem]]


def find_obstacles(item_ids: Sequence[int], *, stores: Iterable[int], under: str = "") -> Problems:
    """What keeps each item from leaving these stores: it is elsewhere, on hold, or promised to another right.

    Only items with something against them are in the answer. Three queries, whatever the number of items.
    """
    found: Problems = defaultdict(list)
    items = list(item_ids)
    for item, kind in _rows(
        """
        SELECT w.item, a.kind FROM unnest(%s::bigint[]) AS w (item)
        LEFT JOIN ledger_holding h ON h.item_id = w.item AND h.pieces > 0
        LEFT JOIN ledger_custodyaccount a ON a.id = h.account_id
        WHERE h.item_id IS NULL OR NOT h.account_id = ANY(%s)
        """,
        items,
        list(stores),
    ):
        found[item].append(Problem("elsewhere", _where(kind)))
    for item, kind, reference in _rows(
        "SELECT w.item, k.kind, k.reference FROM unnest(%s::bigint[]) AS w (item)"
        " JOIN ledger_hold k ON k.item_id = w.item AND k.lifted_at IS NULL ORDER BY k.id",
        items,
    ):
        text = _("On hold: %(kind)s, %(reference)s.") % {"kind": Hold.Kind(kind).label, "reference": reference}
        found[item].append(Problem("held", text))
    promised = _rows(
        "SELECT w.item, r.reference FROM unnest(%s::bigint[]) AS w (item)"
        " JOIN ledger_reservation r ON r.item_id = w.item AND r.released_at IS NULL AND r.reference <> %s",
        items,
        under,
    )
    numbers = _permit_numbers({reference for _item, reference in promised})
    for item, reference in promised:
        text = _("Reserved for permit %(number)s.") % {"number": numbers.get(reference, reference)}
        found[item].append(Problem("reserved", text))
    return dict(found)


def find_loading_obstacles(loading: LoadingList, item_ids: Sequence[int]) -> Problems:
    """What keeps each item from going with this list: its place, holds, other rights, and a permit without it."""
    permit = loading.permit
    keys = list(item_ids)
    found = find_obstacles(item_ids, stores=[loading.source_id], under=permit.reference if permit else "")
    if permit is not None:
        text = _("Not on permit %(number)s.") % {"number": permit.number}
        covered = set(permit.lines.filter(handover=None, item__in=item_ids).values_list("item_id", flat=True))
        for item in set(item_ids) - covered - found.keys():
            found[item] = [Problem("not-covered", text)]
    for item, sscc in _rows(
        """
        WITH wanted AS MATERIALIZED (SELECT unnest(%s::bigint[]) AS item),
        going AS MATERIALIZED (
            SELECT item FROM wanted UNION SELECT item_id FROM permits_loadingline WHERE loading_id = %s
        ),
        sealed AS MATERIALIZED (
            SELECT w.item, s.id, s.sscc FROM wanted w
            JOIN ledger_packing k ON k.item_id = w.item AND k.taken_out_at IS NULL
            JOIN ledger_box b ON b.id = k.box_id
            JOIN ledger_box s ON (s.id = b.id OR s.id = b.parent_id) AND s.seal_number <> ''
        )
        SELECT item, sscc FROM sealed WHERE id IN (
            SELECT s.id FROM (SELECT DISTINCT id FROM sealed) s JOIN ledger_box b ON b.id = s.id OR b.parent_id = s.id
            JOIN ledger_packing k ON k.box_id = b.id AND k.taken_out_at IS NULL
            LEFT JOIN going g ON g.item = k.item_id WHERE g.item IS NULL
        )
        """,
        keys,
        loading.pk,
    ):
        text = _("In sealed box %(box)s, which goes whole: scan the box.") % {"box": show_sscc(sscc)}
        found.setdefault(item, []).append(Problem("sealed", text))
    return found


def _where(kind: str | None) -> StrOrPromise:
    match kind:
        case AccountKind.EVIDENCE:
            return _("In an evidence room.")
        case AccountKind.TRANSIT:
            return _("On its way to another store.")
        case AccountKind.STORE:
            return _("In another store.")
        case None:
            return _("Not in any store.")
        case _:
            return _("No longer there: %(where)s.") % {"where": AccountKind(kind).label}


def _permit_numbers(references: Collection[str]) -> dict[str, str]:
    keys = [int(key) for right, _colon, key in (r.partition(":") for r in references) if right == RIGHT]
    return {f"{RIGHT}:{pk}": number for pk, number in Permit.objects.filter(pk__in=keys).values_list("pk", "number")}


def find_problems(application: Application, on: date, *, under: str = "") -> Problems:
    """Everything that stands against each line of an application on a day; an empty dict means that nothing does.

    Where the item is, holds, reservations (those of the right `under` do not count), its mark, its origin, and the
    rule for what it is. A constant number of queries.
    """
    items = list(application.lines.values_list("item_id", flat=True))
    stores = stock_of(application.applicant_id).values_list("pk", flat=True)
    found: Problems = defaultdict(list, find_obstacles(items, stores=stores, under=under))
    marked_terms = in_force(RuleCode.MARKING_COMPULSORY, on).value["terms"]
    for item, number_of_old in _rows(
        """
        SELECT d.item_id, count(old.code) FROM unnest(%s::bigint[]) AS w (item)
        JOIN registry_derivative d ON d.item_id = w.item AND d.term = ANY(%s)
        LEFT JOIN marking_mark m ON m.derivative_id = w.item AND m.state = 'active'
        LEFT JOIN marking_mark old ON old.derivative_id = w.item AND old.state <> 'active'
        WHERE m.code IS NULL GROUP BY d.item_id
        """,
        items,
        marked_terms,
    ):
        text = _("Its mark is not valid any more.") if number_of_old else _("It has no mark.")
        found[item].append(Problem("unmarked", text))
    if application.kind in TRADED:
        for item, problem in _trade_problems(items, on):
            found[item].append(problem)
    return dict(found)


def _trade_problems(items: list[int], on: date) -> Iterable[tuple[int, Problem]]:
    """What forbids the sale of each item on the day: its present class, or that no rule allows a sale."""
    for item, origin in _rows(
        """
        SELECT item_id, origin FROM (
            SELECT d.item_id, coalesce(split_part(h.stock_class, ':', 2), d.origin) AS origin FROM registry_derivative d
            LEFT JOIN ledger_holding h ON h.item_id = d.item_id AND h.pieces > 0 WHERE d.item_id = ANY(%s)
        ) AS present WHERE origin = ANY(%s)
        """,
        items,
        list(UNTITLED),
    ):
        text = _("Its origin does not allow a sale: %(origin)s.") % {"origin": Origin(origin).label}
        yield item, Problem("origin", text)
    if refusal := refusal_of_sale(on):
        yield from ((item, Problem("rule", refusal)) for item in items)


def _rule_or_none(code: RuleCode, on: date) -> Rule | None:
    try:
        return in_force(code, on)
    except NoRuleInForce:
        return None


def _rows(sql: str, *params: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall()


# --- the right to move -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Right:
    """Why goods may go: inside one organisation, by a rule, or by a permit; and the sentence that says so."""

    text: StrOrPromise
    rule: Rule | None = None
    permit: Permit | None = None


def find_right(
    *,
    source: CustodyAccount,
    target: CustodyAccount,
    permit: Permit | None,
    on: date,
    item_ids: Collection[int] = (),
) -> Right:
    """The right under which goods may go from one store to another on a day.

    Goods of the terms that a rule names go under their veterinary certificate, wherever they go.

    Raises PermitNeeded, which says which rule, from when and why; PermitNotInForce; PermitForOtherStore.
    """
    if permit is not None:
        return _right_of(permit, source=source, target=target, on=on)
    if source.custodian_id == target.custodian_id:
        return Right(_("Between stores of one organisation no permit is needed."))
    if right := _under_certificate(item_ids, on):
        return right
    sender, receiver = source.custodian, target.custodian
    rule = _rule_or_none(RuleCode.STATE_TRANSFER, on)
    if sender is not None and receiver is not None and sender.is_state and receiver.is_state:
        if rule is None:
            raise PermitNeeded(
                _("A permit is needed: no rule in force on %(day)s lets State bodies pass goods to each other.")
                % {"day": in_words(on)}
            )
        facts = {"day": in_words(rule.starts_on), "basis": rule.basis.title}
        if rule.value["allowed"]:
            return Right(
                _("State bodies pass goods to each other without a permit since %(day)s: %(basis)s.") % facts, rule
            )
        raise PermitNeeded(_("A permit is needed between State bodies too, since %(day)s: %(basis)s.") % facts)
    if rule is None:
        raise PermitNeeded(_("A permit is needed: the goods go to another organisation."))
    raise PermitNeeded(
        _(
            "A permit is needed: the goods go to another organisation, and since %(day)s only State bodies pass goods"
            " to each other without one: %(basis)s."
        )
        % {"day": in_words(rule.starts_on), "basis": rule.basis.title}
    )


def _under_certificate(item_ids: Collection[int], on: date) -> Right | None:
    """The right of goods that all go under a veterinary certificate good on the day; None when one does not.

    A certificate gives no title: what is of unknown origin now, or waits for a court, does not go by it.
    """
    rule = _rule_or_none(RuleCode.UNDER_CERTIFICATE, on)
    if rule is None or not item_ids or not rule.value["terms"]:
        return None
    goods = Derivative.objects.filter(pk__in=item_ids)
    if goods.exclude(term__in=rule.value["terms"]).exists():
        return None
    if Holding.objects.filter(item__in=item_ids, pieces__gt=0, stock_class__in=untitled_classes()).exists():
        return None
    good = goods.filter(certificate__issued_on__lte=on, certificate__valid_until__gte=on)
    if good.count() != len(set(item_ids)):
        return None
    numbers = ", ".join(good.order_by().values_list("certificate__number", flat=True).distinct()[:3])
    return Right(
        _("With veterinary certificate %(numbers)s, since %(day)s no permit is needed: %(basis)s.")
        % {"numbers": numbers, "day": in_words(rule.starts_on), "basis": rule.basis.title},
        rule,
    )


def holds_certified(source: CustodyAccount, on: date) -> bool:
    """True when a store holds goods that move under a veterinary certificate: they may go to any store."""
    rule = _rule_or_none(RuleCode.UNDER_CERTIFICATE, on)
    terms = rule.value["terms"] if rule is not None else []
    held = source.totals.filter(pieces__gt=0).values_list("stock_class", flat=True)
    untitled = set(untitled_classes())
    return any(stock_class.partition(":")[0] in terms for stock_class in held if stock_class not in untitled)


def _right_of(permit: Permit, *, source: CustodyAccount, target: CustodyAccount, on: date) -> Right:
    facts = {"number": permit.number, "from": in_words(permit.valid_from), "until": in_words(permit.valid_until)}
    match permit.state_on(on):
        case Permit.State.REVOKED | Permit.State.USED as state:
            raise PermitNotInForce(
                _("Permit %(number)s is not in force any more: %(state)s.") % {**facts, "state": state.label}
            )
        case Permit.State.EXPIRED:
            raise PermitNotInForce(_("Permit %(number)s was in force until %(until)s.") % facts)
        case Permit.State.NOT_YET:
            raise PermitNotInForce(_("Permit %(number)s is in force only from %(from)s.") % facts)
    if permit.holder_id != source.custodian_id:
        raise PermitForOtherStore(_("Permit %(number)s is not for goods of this store.") % facts)
    if permit.store_id != target.pk:
        raise PermitForOtherStore(
            _("Permit %(number)s names another receiver: “%(store)s”.") % {**facts, "store": permit.store.name}
        )
    return Right(_("Permit %(number)s, in force until %(until)s.") % facts, permit=permit)


def permit_of(handover: Handover) -> Permit | None:
    """The permit a hand-over was made under, if any."""
    right, _colon, key = handover.under.partition(":")
    return Permit.objects.filter(pk=int(key)).first() if right == RIGHT else None


@dataclass(frozen=True, slots=True)
class Missing:
    """An item that did not arrive and is still on the way: since when, and the report of its loss, if any."""

    item: Derivative
    handover: Handover
    since: datetime
    days: int
    report: str


def missing_on_the_way(reader: User, *, at: datetime, only: Handover | None = None, most: int = 500) -> list[Missing]:
    """What is missing from hand-overs that the reader may know, the oldest first; three queries, however many.

    It stays here until it is found and taken in, or written off.
    """
    known = Handover.objects.visible_to(reader)
    if only is not None:
        known = known.filter(pk=only.pk)
    held = Hold.objects.active().filter(kind=Hold.Kind.IN_TRANSIT, item=OuterRef("item"))
    lines = (
        HandoverLine.objects.filter(outcome=HandoverLine.Outcome.MISSING, handover__in=known.values("pk"))
        .filter(Exists(held.filter(reference=OuterRef("handover__number"))))
        .select_related("item__derivative", "handover__source", "handover__target")
        .order_by("handover__closed_at", "pk")[:most]
    )
    found = list(lines)
    reported = Hold.objects.active().filter(kind=Hold.Kind.LOSS, item__in=[line.item_id for line in found])
    reports = dict(reported.values_list("item_id", "reference"))
    return [
        Missing(
            item=line.item.derivative,
            handover=line.handover,
            since=line.handover.closed_at or line.handover.dispatched_at,
            days=(day_of(at) - day_of(line.handover.closed_at or line.handover.dispatched_at)).days,
            report=reports.get(line.item_id, ""),
        )
        for line in found
    ]


def count_lines(handover: Handover) -> dict[str, int]:
    """Pieces sent, received (`later`: of them, after acceptance), missing, and beside the list; two queries."""
    outcome = HandoverLine.Outcome
    counted = dict(
        HandoverLine.objects.filter(handover=handover).values_list("outcome").annotate(Count("pk")).order_by()
    )
    return {
        "sent": sum(counted.values()),
        "received": counted.get(outcome.RECEIVED, 0),
        "later": counted.get(outcome.LATER, 0),
        "missing": counted.get(outcome.MISSING, 0) + counted.get(outcome.PENDING, 0),
        "extra": handover.extra_scans.count(),
    }


def count_still_missing(handover: Handover) -> int:
    """Pieces that did not arrive and are still on the way: what an act brought back or wrote off is not."""
    missing = HandoverLine.objects.filter(handover=handover, outcome=HandoverLine.Outcome.MISSING)
    on_way = Holding.objects.filter(account=handover.transit_id, item__in=missing.values("item"), pieces__gt=0)
    return on_way.count()


@dataclass(frozen=True, slots=True)
class ArrivingBox:
    """A box or a pallet of a hand-over under way: how much of it was received, and whether its seal still holds."""

    box: Box
    sent: int
    received: int

    @property
    def tone(self) -> str:
        if self.received == self.sent:
            return "ok"
        return "wait" if self.box.is_sealed or not self.received else "attention"


def boxes_arriving(handover: Handover, *, only: int | None = None, most: int = MOST_BOXES) -> list[ArrivingBox]:
    """The boxes in which goods of a hand-over lie, those with something still to scan first; two queries."""
    counted = _rows(
        """
        SELECT k.box_id, count(*), count(*) FILTER (WHERE l.outcome = 'received') FROM ledger_handoverline l
        JOIN ledger_packing k ON k.item_id = l.item_id AND k.taken_out_at IS NULL
        WHERE l.handover_id = %s AND (%s::bigint IS NULL OR k.box_id = %s)
        GROUP BY k.box_id ORDER BY count(*) = count(*) FILTER (WHERE l.outcome = 'received'), k.box_id LIMIT %s
        """,
        handover.pk,
        only,
        only,
        most,
    )
    boxes = Box.objects.select_related("parent").in_bulk([row[0] for row in counted]) if counted else {}
    return [ArrivingBox(boxes[box], sent, received) for box, sent, received in counted]


def boxes_sent(handover: Handover, *, most: int = 60) -> list[Box]:
    """The boxes in which goods of a hand-over were sent."""
    keys = HandoverLine.objects.filter(handover=handover, box__isnull=False).order_by().values("box").distinct()
    return list(Box.objects.filter(pk__in=keys).order_by("pk")[:most])


def count_boxes(handover: Handover) -> int:
    """In how many boxes the goods of a hand-over lie now."""
    packed = Packing.objects.present().filter(item__handover_lines__handover=handover)
    return packed.order_by().values("box").distinct().count()


def count_weighed(handover: Handover) -> int:
    """How many items were weighed on arrival."""
    return HandoverLine.objects.filter(handover=handover, weighed_g__isnull=False).count()


def sent_masses(handover: Handover, item_ids: Collection[int]) -> dict[int, int]:
    """What these items weighed as they were sent, by the ledger."""
    sent = Posting.objects.filter(movement=handover.dispatch_movement_id, item__in=list(item_ids), pieces__gt=0)
    return dict(sent.values_list("item_id", "grams"))


def grams_sent(handover: Handover) -> int:
    """What left the sending store, by the ledger."""
    sent = Posting.objects.filter(movement=handover.dispatch_movement_id, pieces__gt=0)
    return sent.aggregate(grams=Sum("grams"))["grams"] or 0


# --- files ----------------------------------------------------------------------------------------------------


def may_add_to_application(user: User, key: str) -> bool:
    """The applicant's people, and those who decide it."""
    if user.can(Can.DECIDE_APPLICATION):
        return True
    return Application.objects.filter(pk=key, applicant__in=user.organisation_ids(Can.APPLY)).exists()


def may_add_to_permit(user: User, key: str) -> bool:
    """The holder's people, and those who issue permits."""
    if user.can(Can.DECIDE_APPLICATION):
        return True
    return Permit.objects.filter(pk=key, holder__in=user.organisation_ids(Can.APPLY)).exists()
