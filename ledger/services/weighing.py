"""Weighing again: the mass changes by a movement to or from the drying loss; the pieces stay where they are."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from core.accounts.models import Organisation, User
from core.audit.services import record
from core.base.clock import day_of
from core.base.errors import BadInput
from core.documents.services import take_numbers
from core.notices.models import Notice
from core.notices.services import raise_notice
from core.rules.models import RuleCode
from core.rules.selectors import in_force
from ledger.drying import Judged, judge
from ledger.models import AccountKind, CustodyAccount, MovementKind, WeighIn, Weighing
from ledger.services.moving import _open_movement, require_open_day
from ledger.services.refusals import BackDated, ItemsNotThere, KeyReused

MOST_GRAMS = 10_000_000


@dataclass(frozen=True, slots=True)
class Mass:
    """What an item weighed first and weighs now, as the ledger has it, and since when."""

    item_id: int
    account_id: int
    stock_class: str
    grams: int
    first_g: int
    first_on: date
    moved_on: date


@transaction.atomic
def weigh_items(
    *, actor: User, at: datetime, key: str, account: CustodyAccount, grams: Mapping[int, int], on: date | None = None
) -> Weighing:
    """Give items of one store the masses in grams that they have now; a constant number of statements.

    An item that is held or reserved may be weighed. A repeated `key` returns the first weighing. Raises ItemsNotThere,
    BackDated, KeyReused, BadInput; then nothing has changed.
    """
    if not grams:
        raise BadInput(_("Weigh at least one item."))
    if any(not 0 < mass <= MOST_GRAMS for mass in grams.values()):
        raise BadInput(fields={"grams": _("A mass is a whole number of grams, more than none.")})
    day = on or day_of(at)
    earlier = Weighing.objects.filter(key=key).first()
    if earlier is not None:
        if dict(earlier.lines.values_list("item_id", "grams")) != dict(grams):
            raise KeyReused
        return earlier
    # The lock closes the race of two weighings of one item, and of a weighing against a dispatch.
    masses = find_masses(list(grams), account=account, lock=True)
    if len(masses) != len(grams):
        raise ItemsNotThere(
            ngettext_lazy(
                "%(count)d item is not in “%(store)s” any more. Reload the list.",
                "%(count)d items are not in “%(store)s” any more. Reload the list.",
                "count",
            )
            % {"count": len(grams) - len(masses), "store": account.name}
        )
    if max(mass.moved_on for mass in masses) > day:
        raise BackDated(_("Some of these items arrived after this day."))
    judged = judge_masses(masses, grams, on=day)
    changed = [mass for mass in masses if grams[mass.item_id] != mass.grams]
    movement = None
    (serial,) = take_numbers(series="WG", year=day.year)
    number = f"WG{day:%y}-{serial:06d}"
    if changed:
        movement, is_new = _open_movement(
            key=f"weighing:{key}"[:100],
            kind=MovementKind.WEIGHING,
            actor=actor,
            effective_on=day,
            at=at,
            reference=number,
        )
        if not is_new:
            raise KeyReused
        drying = CustodyAccount.objects.boundary(AccountKind.DRYING_LOSS)
        with connection.cursor() as cursor:
            cursor.execute(
                """
                INSERT INTO ledger_posting (movement_id, account_id, item_id, stock_class, pieces, grams)
                SELECT %(movement)s, side.account, w.item, w.class, 0, side.sign * w.change
                FROM unnest(%(items)s::bigint[], %(classes)s::text[], %(changes)s::bigint[]) AS w (item, class, change),
                    (VALUES (%(store)s::bigint, 1), (%(drying)s::bigint, -1)) AS side (account, sign)
                """,
                {
                    "movement": movement.pk,
                    "items": [mass.item_id for mass in changed],
                    "classes": [mass.stock_class for mass in changed],
                    "changes": [grams[mass.item_id] - mass.grams for mass in changed],
                    "store": account.pk,
                    "drying": drying.pk,
                },
            )
    else:
        require_open_day(day, at=at)
    verdicts = [judged[mass.item_id].verdict for mass in masses]
    weighing = Weighing.objects.create(
        number=number,
        account=account,
        movement=movement,
        on=day,
        weighed_by=actor,
        weighed_at=at,
        key=key,
        items=len(masses),
        before_g=sum(mass.grams for mass in masses),
        after_g=sum(grams.values()),
        unexplained=sum(verdict != WeighIn.Verdict.DRY for verdict in verdicts),
    )
    WeighIn.objects.bulk_create(
        [
            WeighIn(
                weighing=weighing,
                item_id=mass.item_id,
                first_g=mass.first_g,
                first_on=mass.first_on,
                before_g=mass.grams,
                grams=grams[mass.item_id],
                floor_g=judged[mass.item_id].floor_g,
                verdict=judged[mass.item_id].verdict,
            )
            for mass in masses
        ],
        batch_size=5_000,
    )
    record(
        "weighing.recorded",
        actor=actor,
        at=at,
        subject=("weighing", weighing.pk),
        subject_name=number,
        organisation_id=account.custodian_id,
        store=account.code,
        pieces=weighing.items,
        before_g=weighing.before_g,
        after_g=weighing.after_g,
        unexplained=weighing.unexplained,
    )
    if weighing.unexplained:
        within = in_force(RuleCode.DISCREPANCY_DAYS, day_of(at)).value["days"]
        raise_notice(
            at=at,
            kind=Notice.Kind.ALERT,
            code="weighing.unexplained",
            organisation=Organisation.objects.get(custody_accounts=account.pk),
            subject=("weighing", weighing.pk),
            due_on=day_of(at + timedelta(days=within)),
            actor=actor,
            number=number,
            store=account.code,
            count=weighing.unexplained,
            lost=verdicts.count(WeighIn.Verdict.LOSS),
            gained=verdicts.count(WeighIn.Verdict.GAIN),
        )
    return weighing


def judge_masses(masses: list[Mass], grams: Mapping[int, int], *, on: date) -> dict[int, Judged]:
    """How the rules of the day judge each new mass."""
    curve = in_force(RuleCode.DRYING_CURVE, on).value
    tolerance = in_force(RuleCode.HANDOVER_MASS, on).value["percent"]
    return {
        mass.item_id: judge(
            first_g=mass.first_g,
            before_g=mass.grams,
            now_g=grams[mass.item_id],
            days=(on - mass.first_on).days,
            curve=curve,
            tolerance_percent=tolerance,
        )
        for mass in masses
    }


def find_masses(item_ids: list[int], *, account: CustodyAccount | None = None, lock: bool = False) -> list[Mass]:
    """What items in physical places weigh, by item; those of `account` only if it is given.

    The first mass is that of the movement that brought the item into being.
    """
    with connection.cursor() as cursor:
        if lock:
            cursor.execute(
                "SELECT FROM unnest(%s::bigint[]) AS wanted (item) JOIN ledger_holding h ON h.item_id = wanted.item"
                " AND h.is_physical AND h.pieces > 0 ORDER BY h.item_id FOR UPDATE OF h",
                [item_ids],
            )
        cursor.execute(
            """
            SELECT h.item_id, h.account_id, h.stock_class, h.grams, first.grams, first.effective_on, h.moved_on
            FROM unnest(%s::bigint[]) AS wanted (item)
            JOIN ledger_holding h ON h.item_id = wanted.item AND h.is_physical AND h.pieces > 0
            CROSS JOIN LATERAL (
                SELECT p.grams, m.effective_on FROM ledger_posting p JOIN ledger_movement m ON m.id = p.movement_id
                WHERE p.item_id = wanted.item AND p.pieces > 0 ORDER BY p.movement_id LIMIT 1
            ) first
            WHERE %s::bigint IS NULL OR h.account_id = %s ORDER BY h.item_id
            """,
            [item_ids, account.pk if account else None, account.pk if account else None],
        )
        return [Mass(*row) for row in cursor.fetchall()]
