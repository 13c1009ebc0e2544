"""What the database itself refuses. Each trigger names the invariant it guards."""

from collections.abc import Sequence

import pgtrigger

from core.accounts.models import Organisation
from core.accounts.roles import GRANTS, Can
from registry.triggers import IN_QUESTION


def loss_report_is_told_whole() -> pgtrigger.Trigger:
    """A new report says where, when, how it was noticed and who was told; older ones keep what they say."""
    return pgtrigger.Trigger(
        name="loss_report_is_told_whole",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert,
        func="""
            IF NEW.place = '' OR NEW.how_found = '' OR NEW.told = '' OR NEW.last_seen_on IS NULL
                OR NEW.last_seen_on > NEW.noticed_on
            THEN
                RAISE EXCEPTION 'report % does not say where, when, how it was noticed or who was told', NEW.number
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'loss_report_is_told_whole';
            END IF;
            RETURN NEW;
        """,
    )


def ended_but_for_its_papers(name: str, ended: str, papers: Sequence[str]) -> pgtrigger.Trigger:
    """What is ended stays as it ended; only its papers are drawn afterwards, each once. `ended` is SQL of us alone."""
    keys = ", ".join(f"'{paper}_id'" for paper in papers)
    redrawn = " OR ".join(
        f"OLD.{paper}_id IS NOT NULL AND NEW.{paper}_id IS DISTINCT FROM OLD.{paper}_id" for paper in papers
    )
    return pgtrigger.Trigger(
        name=name,
        when=pgtrigger.Before,
        operation=pgtrigger.Update,
        func=f"""
            IF ({ended}) AND (
                to_jsonb(NEW) - ARRAY[{keys}] IS DISTINCT FROM to_jsonb(OLD) - ARRAY[{keys}] OR {redrawn}
            ) THEN
                RAISE EXCEPTION '% has ended', NEW.number USING ERRCODE = 'check_violation', CONSTRAINT = '{name}';
            END IF;
            RETURN NEW;
        """,
    )


def loss_is_settled_by_an_approved_act() -> pgtrigger.Trigger:
    """A missing item is found again or written off by an act of its report that two persons have made."""
    return pgtrigger.Trigger(
        name="loss_is_settled_by_an_approved_act",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert | pgtrigger.Update,
        func="""
            IF NEW.outcome <> 'open' AND (TG_OP = 'INSERT' OR NOT EXISTS (
                SELECT FROM custody_lossact a WHERE a.id = NEW.act_id AND a.report_id = NEW.report_id
                AND a.state = 'approved'
                AND a.kind = CASE NEW.outcome WHEN 'recovered' THEN 'recovery' ELSE 'write_off' END
            )) OR TG_OP = 'UPDATE' AND OLD.outcome <> 'open' THEN
                RAISE EXCEPTION 'no approved act settles item % of report %', NEW.item_id, NEW.report_id
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'loss_is_settled_by_an_approved_act';
            END IF;
            RETURN NEW;
        """,
    )


def _roles_that(act: Can) -> str:
    return ", ".join(f"'{role.value}'" for role in GRANTS if act in GRANTS[role])


def loss_act_is_carried_out() -> pgtrigger.Trigger:
    """At commit an approved act has settled its items: written off they have left, found again they are where it says.

    It was approved by the authority, or, where goods were found, by one who works in the place that missed them.
    """
    return pgtrigger.Trigger(
        name="loss_act_is_carried_out",
        when=pgtrigger.After,
        operation=pgtrigger.UpdateOf("state"),
        timing=pgtrigger.Deferred,
        condition=pgtrigger.Q(new__state="approved") & ~pgtrigger.Q(old__state="approved"),
        declare=[("place", "ledger_custodyaccount"), ("wrong", "text")],
        func="""
            SELECT a.* INTO place FROM custody_lossreport r JOIN ledger_custodyaccount a ON a.id = r.account_id
            WHERE r.id = NEW.report_id;
            SELECT CASE
                WHEN count(*) = 0 OR bool_or(l.outcome = 'open') THEN 'loss_act_settles_its_items'
                WHEN (NEW.kind = 'write_off' OR NEW.target_id <> place.id) AND bool_or(g.item_id IS NULL)
                    THEN 'loss_act_moves_its_items'
                END INTO wrong
            FROM (SELECT * FROM custody_lossline WHERE act_id = NEW.id OFFSET 0) l
            LEFT JOIN (
                SELECT p.item_id FROM ledger_movement m
                CROSS JOIN LATERAL (SELECT * FROM ledger_posting WHERE movement_id = m.id OFFSET 0) p
                WHERE m.reference = NEW.number AND m.kind = NEW.kind AND starts_with(m.key, 'loss:' || NEW.id || ':')
                    AND p.pieces > 0
            ) g ON g.item_id = l.item_id;
            IF wrong IS NULL AND NOT EXISTS (
                SELECT FROM accounts_appointment a
                JOIN accounts_organisation o ON o.id = a.organisation_id AND o.is_active
                JOIN accounts_organisation keeper ON keeper.id = place.custodian_id
                WHERE a.user_id = NEW.decided_by_id AND a.ended_at IS NULL
                AND (NEW.decided_at AT TIME ZONE 'Asia/Almaty')::date
                    BETWEEN a.valid_from AND coalesce(a.valid_until, 'infinity')
                AND (a.role IN (APPROVE) OR NEW.kind = 'recovery' AND a.role IN (REPORT) AND (
                    o.id = keeper.id OR a.role IN (INSPECT) AND keeper.kind IN (BODIES_OF_STATE) AND CASE
                        WHEN EXISTS (SELECT FROM accounts_appointment_regions g WHERE g.appointment_id = a.id)
                        THEN EXISTS (
                            SELECT FROM accounts_appointment_regions g
                            WHERE g.appointment_id = a.id AND g.region_id = place.region_id
                        ) ELSE o.region_id = place.region_id END
                ))
            ) THEN
                wrong := 'loss_act_is_approved_by_who_may';
            END IF;
            IF wrong IS NOT NULL THEN
                RAISE EXCEPTION 'act % is not carried out: %', NEW.number, wrong
                    USING ERRCODE = 'check_violation', CONSTRAINT = wrong;
            END IF;
            RETURN NULL;
        """.replace("APPROVE", _roles_that(Can.APPROVE_WRITE_OFF))
        .replace("REPORT", _roles_that(Can.REPORT_LOSS))
        .replace("INSPECT", _roles_that(Can.OPEN_INTAKE))
        .replace("BODIES_OF_STATE", _BODIES_OF_STATE),
    )


def missing_is_let_go_by_a_count_or_an_act() -> pgtrigger.Trigger:
    """What a stock-take missed is free again when it is counted again, when a later stock-take of the place has closed
    and found it, by one of its commission, or by an approved act of a report of loss, by who approved it.

    Asked once of a set of holds.
    """
    return pgtrigger.Trigger(
        name="missing_is_let_go_by_a_count_or_an_act",
        level=pgtrigger.Statement,
        when=pgtrigger.After,
        operation=pgtrigger.Update,
        referencing=pgtrigger.Referencing(new="changed"),
        func="""
            IF EXISTS (
                SELECT FROM (SELECT * FROM changed WHERE kind = 'missing' AND lifted_at IS NOT NULL OFFSET 0) k
                LEFT JOIN ledger_stocktake missed ON missed.number = k.reference
                WHERE missed.state IS DISTINCT FROM 'counting' AND NOT EXISTS (
                    SELECT FROM ledger_stocktake t
                    JOIN ledger_stocktakescan s ON s.stocktake_id = t.id AND s.undone_at IS NULL
                    JOIN ledger_stocktakemember m ON m.stocktake_id = t.id AND m.person_id = k.lifted_by_id
                    WHERE t.number = k.lift_reason AND t.state = 'closed' AND t.account_id = missed.account_id
                        AND t.id <> missed.id AND s.item_id = k.item_id
                    OFFSET 0  -- asked of each hold by its keys; joined to all scans of a long count it would not end
                ) AND NOT EXISTS (
                    SELECT FROM custody_lossact a JOIN custody_lossline l ON l.act_id = a.id
                    WHERE a.number = k.lift_reason AND a.state = 'approved' AND a.decided_by_id = k.lifted_by_id
                        AND l.item_id = k.item_id AND l.outcome <> 'open'
                    OFFSET 0
                )
            ) THEN
                RAISE EXCEPTION 'no count and no act finds what a stock-take missed'
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'missing_is_let_go_by_a_count_or_an_act';
            END IF;
            RETURN NULL;
        """,
    )


# What the authority wrote off is let go of whatever else kept it: the act names the item and the person.
_WRITTEN_OFF = """EXISTS (
                SELECT FROM custody_lossact a JOIN custody_lossline l ON l.act_id = a.id
                WHERE a.number = NEW.lift_reason AND a.kind = 'write_off' AND a.state = 'approved'
                    AND a.decided_by_id = NEW.lifted_by_id
                    AND l.item_id = NEW.item_id AND l.outcome = 'written_off'
            )"""
_IN_QUESTION = ", ".join(f"'{code}'" for code in IN_QUESTION)


def horns_of_a_day_wait_for_its_judgement() -> pgtrigger.Trigger:
    """The hold of horns whose day of removal does not add up is lifted once nobody asks about that day any more, or by
    the act that writes them off.
    """
    return pgtrigger.Trigger(
        name="horns_of_a_day_wait_for_its_judgement",
        when=pgtrigger.Before,
        operation=pgtrigger.Update,
        condition=pgtrigger.Q(new__kind="removal", new__lifted_at__isnull=False, old__lifted_at__isnull=True),
        func=f"""
            IF (EXISTS (
                SELECT FROM registry_derivative d JOIN registry_intake i ON i.id = d.intake_id
                JOIN registry_intake same ON same.permit_id = i.permit_id AND same.brigade_id = i.brigade_id
                    AND same.on = i.on
                JOIN notices_notice n ON n.subject_kind = 'intake' AND n.subject_id = same.id::text
                WHERE d.item_id = NEW.item_id AND n.state <> 'decided' AND n.code IN ({_IN_QUESTION})
            ) OR EXISTS (
                SELECT FROM registry_derivative d JOIN registry_intake i ON i.id = d.intake_id
                JOIN registry_dailysheet s ON s.permit_id = i.permit_id AND s.brigade_id = i.brigade_id AND s.on = i.on
                JOIN notices_notice n ON n.subject_kind = 'daily_sheet' AND n.subject_id = s.id::text
                WHERE d.item_id = NEW.item_id AND n.state <> 'decided' AND n.code IN ({_IN_QUESTION})
            )) AND NOT {_WRITTEN_OFF} THEN
                RAISE EXCEPTION 'the day on which item % was taken is not judged', NEW.item_id
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'horns_of_a_day_wait_for_its_judgement';
            END IF;
            RETURN NEW;
        """,  # noqa: S608  the codes are ours
    )


def goods_of_a_run_stay_until_it_is_decided() -> pgtrigger.Trigger:
    """What a waiting run would consume is held until the run is approved, or given back, or the goods are written
    off: then the run is given back.
    """
    return pgtrigger.Trigger(
        name="goods_of_a_run_stay_until_it_is_decided",
        when=pgtrigger.Before,
        operation=pgtrigger.Update,
        condition=pgtrigger.Q(old__kind="processing", old__lifted_at__isnull=True, new__lifted_at__isnull=False),
        func=f"""
            IF EXISTS (
                SELECT FROM registry_processing
                WHERE number = OLD.reference AND state = 'awaiting' AND approved_at IS NULL
            ) AND NOT {_WRITTEN_OFF} THEN
                RAISE EXCEPTION 'processing % waits for a decision', OLD.reference
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'goods_of_a_run_stay_until_it_is_decided';
            END IF;
            RETURN NEW;
        """,
    )


def declared_goods_return_by_a_third() -> pgtrigger.Trigger:
    """What was declared missing on the way or in a stock-take is found again with its mark read and its mass taken, and
    the act is approved by somebody who neither sent, turned back nor counted the load, nor sat in the commission.
    """
    return pgtrigger.Trigger(
        name="declared_goods_return_by_a_third",
        when=pgtrigger.Before,
        operation=pgtrigger.Update,
        condition=pgtrigger.Q(new__kind="recovery", new__state="approved") & ~pgtrigger.Q(old__state="approved"),
        func="""
            IF EXISTS (
                SELECT FROM custody_lossline l
                JOIN custody_lossreport r ON r.id = l.report_id
                JOIN ledger_handoverline w ON w.item_id = l.item_id AND w.outcome = 'missing'
                JOIN ledger_handover h ON h.id = w.handover_id AND h.transit_id = r.account_id
                WHERE l.act_id = NEW.id AND (
                    l.found_g IS NULL OR NEW.decided_by_id IN (h.dispatched_by_id, h.turned_by_id, h.closed_by_id)
                )
            ) OR EXISTS (
                SELECT FROM custody_lossline l
                JOIN custody_lossreport r ON r.id = l.report_id
                JOIN ledger_stocktakeline w ON w.item_id = l.item_id AND w.outcome = 'missing'
                JOIN ledger_stocktake t ON t.id = w.stocktake_id AND t.account_id = r.account_id
                WHERE l.act_id = NEW.id AND (
                    l.found_g IS NULL OR EXISTS (
                        SELECT FROM ledger_stocktakemember m
                        WHERE m.stocktake_id = t.id AND m.person_id = NEW.decided_by_id
                    )
                )
            ) THEN
                RAISE EXCEPTION 'act % is not approved by a third person, or does not say what was found', NEW.number
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'declared_goods_return_by_a_third';
            END IF;
            RETURN NEW;
        """,
    )


_BODIES_OF_STATE = ", ".join(f"'{kind.value}'" for kind in Organisation.STATE_BODIES)


def destruction_is_signed_by_its_commission() -> pgtrigger.Trigger:
    """A destruction is executed when its list is closed and its whole commission has signed it, each person of the
    register for oneself: at least three of them, and one of another body of the State than the keeper of the
    goods, or of the authority. Witnesses do not count.
    """
    return pgtrigger.Trigger(
        name="destruction_is_signed_by_its_commission",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert | pgtrigger.Update,
        func="""
            IF TG_OP = 'INSERT' THEN
                IF NEW.state = 'planned' THEN RETURN NEW; END IF;
            ELSIF OLD.state = 'executed' THEN
                RETURN NEW;
            END IF;
            IF TG_OP = 'INSERT' OR NEW.state = 'executed' AND (
                OLD.state <> 'signing' OR OLD.digest <> NEW.digest OR NOT EXISTS (
                    SELECT FROM custody_commissionmember m WHERE m.order_id = NEW.id
                    HAVING count(*) = count(*) FILTER (WHERE m.signed_digest = NEW.digest)
                    AND count(m.user_id) >= NEW.quorum
                ) OR NOT EXISTS (
                    SELECT FROM custody_commissionmember m
                    JOIN accounts_appointment a ON a.user_id = m.user_id AND a.ended_at IS NULL
                        AND (NEW.ended_at AT TIME ZONE 'Asia/Almaty')::date
                            BETWEEN a.valid_from AND coalesce(a.valid_until, 'infinity')
                    JOIN accounts_organisation g ON g.id = a.organisation_id
                    JOIN ledger_custodyaccount s ON s.id = NEW.store_id
                    WHERE m.order_id = NEW.id AND g.kind IN (BODIES_OF_STATE)
                    AND (g.kind = 'ministry' OR NOT EXISTS (
                        SELECT FROM accounts_appointment own
                        WHERE own.user_id = m.user_id AND own.organisation_id = s.custodian_id
                            AND own.ended_at IS NULL
                            AND (NEW.ended_at AT TIME ZONE 'Asia/Almaty')::date
                                BETWEEN own.valid_from AND coalesce(own.valid_until, 'infinity')
                    ))
                )
            ) THEN
                RAISE EXCEPTION 'destruction % is not signed by its commission', NEW.number
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'destruction_is_signed_by_its_commission';
            END IF;
            RETURN NEW;
        """.replace("BODIES_OF_STATE", _BODIES_OF_STATE),
    )


def destruction_of_legal_goods_has_a_document() -> pgtrigger.Trigger:
    """What no court gave up to destruction is destroyed on a document that is kept."""
    return pgtrigger.Trigger(
        name="destruction_of_legal_goods_has_a_document",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert,
        func="""
            IF NEW.basis <> 'court' AND NEW.basis_document_id IS NULL THEN
                RAISE EXCEPTION 'destruction % has no document of its basis', NEW.number
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'destruction_of_legal_goods_has_a_document';
            END IF;
            RETURN NEW;
        """,
    )


def write_off_says_what_it_stands_on() -> pgtrigger.Trigger:
    """Goods are written off when the police know of it and the search is over, or it is said why not."""
    return pgtrigger.Trigger(
        name="write_off_says_what_it_stands_on",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert,
        func="""
            IF NEW.kind = 'write_off' AND EXISTS (
                SELECT FROM custody_lossreport r WHERE r.id = NEW.report_id AND (
                    r.police_number = '' AND NEW.no_police_reason = ''
                    OR (NEW.proposed_at AT TIME ZONE 'Asia/Almaty')::date < r.search_until AND NEW.early_reason = ''
                )
            ) THEN
                RAISE EXCEPTION 'act % does not say what it stands on', NEW.number
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'write_off_says_what_it_stands_on';
            END IF;
            RETURN NEW;
        """,
    )


def destruction_moves_its_goods() -> pgtrigger.Trigger:
    """At commit, what an executed destruction names as destroyed is in the account of the destroyed."""
    return pgtrigger.Trigger(
        name="destruction_moves_its_goods",
        when=pgtrigger.After,
        operation=pgtrigger.UpdateOf("state"),
        timing=pgtrigger.Deferred,
        condition=pgtrigger.Q(new__state="executed"),
        func="""
            IF EXISTS (SELECT FROM custody_destructionline WHERE order_id = NEW.id AND outcome = 'planned')
                OR NOT EXISTS (SELECT FROM custody_destructionline WHERE order_id = NEW.id AND outcome = 'destroyed')
                OR EXISTS (
                    SELECT FROM custody_destructionline l WHERE l.order_id = NEW.id AND l.outcome = 'destroyed'
                    AND NOT EXISTS (
                        SELECT FROM ledger_posting p JOIN ledger_movement m ON m.id = p.movement_id
                        WHERE p.item_id = l.item_id AND p.pieces > 0 AND m.key = 'destruction:' || NEW.id
                    )
                )
            THEN
                RAISE EXCEPTION 'destruction % has not moved what it destroyed', NEW.number
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'destruction_moves_its_goods';
            END IF;
            RETURN NULL;
        """,
    )


def odd_mass_of_an_item_says_why() -> pgtrigger.Trigger:
    """A list is closed when every item that weighs otherwise than the register, beyond the rule, has its reason."""
    return pgtrigger.Trigger(
        name="odd_mass_of_an_item_says_why",
        when=pgtrigger.Before,
        operation=pgtrigger.Update,
        condition=pgtrigger.Q(new__state="signing", old__state="planned"),
        func="""
            IF EXISTS (
                SELECT FROM custody_destructionline l WHERE l.order_id = NEW.id AND l.scanned_at IS NOT NULL
                    AND l.mass_reason = '' AND abs(l.weighed_g - l.booked_g) * 100 > l.booked_g * (
                        SELECT coalesce(max((value ->> 'percent')::integer), 0) FROM rules_rule
                        WHERE code = 'destruction.mass' AND scope = '' AND enacted_at IS NOT NULL
                            AND (NEW.ordered_at AT TIME ZONE 'Asia/Almaty')::date
                                BETWEEN starts_on AND coalesce(ends_on, 'infinity')
                    )
            ) THEN
                RAISE EXCEPTION 'an item of destruction % weighs otherwise without a reason', NEW.number
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'odd_mass_of_an_item_says_why';
            END IF;
            RETURN NEW;
        """,
    )


def destruction_list_is_fixed_when_signed() -> pgtrigger.Trigger:
    """The list changes while it is planned; afterwards only the outcome, with the end of the order."""
    return pgtrigger.Trigger(
        name="destruction_list_is_fixed_when_signed",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert | pgtrigger.Update,
        declare=[("its_state", "text")],
        func="""
            SELECT state INTO its_state FROM custody_destructionorder WHERE id = NEW.order_id;
            IF TG_OP = 'INSERT' AND (its_state <> 'planned' OR NEW.outcome <> 'planned')
                OR TG_OP = 'UPDATE' AND (
                    OLD.outcome = 'destroyed'
                    OR (NEW.weighed_g, NEW.mass_reason, NEW.scanned_by_id, NEW.scanned_at)
                        IS DISTINCT FROM (OLD.weighed_g, OLD.mass_reason, OLD.scanned_by_id, OLD.scanned_at)
                        AND its_state <> 'planned'
                    OR NEW.outcome <> OLD.outcome AND NOT (
                        its_state = 'executed' AND NEW.outcome IN ('destroyed', 'left')
                        OR its_state IN ('planned', 'cancelled') AND NEW.outcome <> 'destroyed'
                    )
                )
            THEN
                RAISE EXCEPTION 'the list of destruction % is closed', NEW.order_id
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'destruction_list_is_fixed_when_signed';
            END IF;
            RETURN NEW;
        """,
    )


def commission_sits_while_the_order_lives() -> pgtrigger.Trigger:
    """Members come and go while the list is planned, and sign what is closed. A witness is identified."""
    return pgtrigger.Trigger(
        name="commission_sits_while_the_order_lives",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
        declare=[("its_state", "text"), ("its_digest", "text")],
        func="""
            SELECT state, digest INTO its_state, its_digest FROM custody_destructionorder
            WHERE id = (CASE WHEN TG_OP = 'DELETE' THEN OLD.order_id ELSE NEW.order_id END);
            IF TG_OP <> 'UPDATE' AND its_state <> 'planned' OR TG_OP = 'UPDATE' AND NOT (
                its_state = 'signing' AND OLD.signed_at IS NULL AND NEW.signed_digest = its_digest
                OR its_state = 'planned' AND NEW.signed_at IS NULL
            ) OR TG_OP = 'INSERT' AND (
                NEW.signed_at IS NOT NULL OR NEW.user_id IS NULL AND NEW.identity = ''
            ) THEN
                RAISE EXCEPTION 'the commission of this destruction does not change now'
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'commission_sits_while_the_order_lives';
            END IF;
            IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
            RETURN NEW;
        """,
    )


def correction_reverses_its_movement() -> pgtrigger.Trigger:
    """A correction begins as a question; a confirmed one names the reversal of its own movement, which its second
    person made."""
    return pgtrigger.Trigger(
        name="correction_reverses_its_movement",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert | pgtrigger.Update,
        func="""
            IF TG_OP = 'INSERT' AND NEW.state <> 'asked' OR NEW.counter_id IS NOT NULL AND NOT EXISTS (
                SELECT FROM ledger_movement m WHERE m.id = NEW.counter_id AND m.reverses_id = NEW.movement_id
                AND m.actor_id = NEW.decided_by_id
            ) THEN
                RAISE EXCEPTION 'correction of movement % is not its reversal', NEW.movement_id
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'correction_reverses_its_movement';
            END IF;
            RETURN NEW;
        """,
    )


def goods_leave_by_their_act() -> pgtrigger.Trigger:
    """At commit what is destroyed, written off or found again is named in the act of its movement: an executed order
    that says it was destroyed, or an approved act of a report of loss.
    """
    return pgtrigger.Trigger(
        name="goods_leave_by_their_act",
        when=pgtrigger.After,
        operation=pgtrigger.Insert,
        timing=pgtrigger.Deferred,
        condition=pgtrigger.Q(new__kind__in=["destruction", "write_off", "recovery"]),
        func="""
            IF EXISTS (
                SELECT FROM (SELECT * FROM ledger_posting WHERE movement_id = NEW.id OFFSET 0) p
                WHERE NOT CASE NEW.kind
                    WHEN 'destruction' THEN EXISTS (
                        SELECT FROM custody_destructionline l JOIN custody_destructionorder o ON o.id = l.order_id
                        WHERE l.item_id = p.item_id AND l.outcome = 'destroyed' AND o.state = 'executed'
                        AND NEW.key = 'destruction:' || o.id AND NEW.reference = o.number
                        AND (p.pieces > 0 OR p.account_id = o.store_id)
                    )
                    ELSE EXISTS (
                        SELECT FROM custody_lossline l JOIN custody_lossact a ON a.id = l.act_id
                        JOIN custody_lossreport r ON r.id = a.report_id
                        WHERE l.item_id = p.item_id AND a.state = 'approved' AND a.kind = NEW.kind
                        AND l.outcome = CASE NEW.kind WHEN 'recovery' THEN 'recovered' ELSE 'written_off' END
                        AND starts_with(NEW.key, 'loss:' || a.id || ':') AND NEW.reference = a.number
                        AND p.account_id = CASE WHEN p.pieces < 0 THEN r.account_id
                            ELSE coalesce(a.target_id, p.account_id) END
                    ) END
            ) THEN
                RAISE EXCEPTION 'movement % takes what no act names', NEW.id
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'goods_leave_by_their_act';
            END IF;
            RETURN NULL;
        """,
    )


def reversal_is_of_a_correction() -> pgtrigger.Trigger:
    """At commit a movement is turned round by a correction that two persons made, and only where it is corrected."""
    return pgtrigger.Trigger(
        name="reversal_is_of_a_correction",
        when=pgtrigger.After,
        operation=pgtrigger.Insert,
        timing=pgtrigger.Deferred,
        condition=pgtrigger.Q(new__kind="reversal"),
        func="""
            IF NOT EXISTS (
                SELECT FROM custody_correction c JOIN ledger_movement m ON m.id = c.movement_id
                WHERE c.counter_id = NEW.id AND c.state = 'confirmed' AND m.kind IN ('weighing', 'transfer')
            ) THEN
                RAISE EXCEPTION 'no correction asks for movement %', NEW.id
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'reversal_is_of_a_correction';
            END IF;
            RETURN NULL;
        """,
    )
