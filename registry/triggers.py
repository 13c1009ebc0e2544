"""What the database itself refuses. Each trigger names the invariant it guards."""

import pgtrigger

from core.accounts.triggers import in_office
from core.notices.models import JUDGES
from registry.fields import EMPTY, FIELDS, required_columns


def intake_goes_to_its_kind_of_room() -> pgtrigger.Trigger:
    """Seized goods go into an evidence room, everything else into a store."""
    return pgtrigger.Trigger(
        name="intake_goes_to_its_kind_of_room",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert,
        declare=[("its_kind", "text")],
        func="""
            SELECT kind INTO its_kind FROM ledger_custodyaccount WHERE id = NEW.store_id;
            IF its_kind <> (CASE WHEN NEW.origin = 'seizure' THEN 'evidence' ELSE 'store' END) THEN
                RAISE EXCEPTION 'an intake of origin % does not go into an account of kind %', NEW.origin, its_kind
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'intake_goes_to_its_kind_of_room';
            END IF;
            RETURN NEW;
        """,
    )


def _filled_in(body: str) -> str:
    """The body with the question which derivatives lack what their term asks, from the one table of fields."""
    lacking = " OR ".join(
        f"(d.term = '{term}' AND ({' OR '.join(_is_empty(column) for column in asked)}))"
        for term in FIELDS
        if (asked := [column for column in required_columns(term) if column != "mass_g"])
    )
    return body.replace("{lacking}", lacking)


def _is_empty(column: str) -> str:
    return f'd."{column}" IS NULL' if EMPTY[column] is None else f"d.\"{column}\" = ''"


def registered_intake_is_whole() -> pgtrigger.Trigger:
    """At commit a registered intake has the derivatives it says, each in its store, and none of its rows is left.

    What was seized was put under a hold as evidence; only a confirmed decision has lifted it since.
    """
    return pgtrigger.Trigger(
        name="registered_intake_is_whole",
        when=pgtrigger.After,
        operation=pgtrigger.Insert | pgtrigger.UpdateOf("state"),
        timing=pgtrigger.Deferred,
        condition=pgtrigger.Q(new__state="registered"),
        func=_filled_in("""
            IF NOT EXISTS (
                SELECT FROM registry_derivative WHERE intake_id = NEW.id
                HAVING count(*) = NEW.pieces AND sum(mass_g) = NEW.grams
            ) OR EXISTS (SELECT FROM registry_intakerow WHERE intake_id = NEW.id) THEN
                RAISE EXCEPTION 'intake % is not what its derivatives say', NEW.number
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'registered_intake_is_whole';
            END IF;
            -- One look by item for each derivative, whatever the planner believes of a young table: hence the + 0.
            IF EXISTS (
                SELECT FROM registry_derivative d LEFT JOIN LATERAL (
                    SELECT true AS is_there FROM ledger_posting p
                    WHERE p.item_id = d.item_id AND p.account_id + 0 = NEW.store_id
                    AND p.pieces = 1 AND p.grams = d.mass_g AND p.stock_class = d.term || ':' || d.origin
                    LIMIT 1
                ) p ON true
                WHERE d.intake_id = NEW.id AND p.is_there IS NULL
            ) THEN
                RAISE EXCEPTION 'derivatives of intake % are not in its store', NEW.number
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'registered_intake_is_in_its_store';
            END IF;
            IF NEW.origin = 'seizure' AND EXISTS (
                SELECT FROM registry_derivative d WHERE d.intake_id = NEW.id AND NOT EXISTS (
                    SELECT FROM ledger_hold h
                    WHERE h.item_id = d.item_id AND h.kind = 'evidence'
                )
            ) THEN
                RAISE EXCEPTION 'seized goods of intake % are not held as evidence', NEW.number
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'seized_goods_are_held';
            END IF;
            IF NEW.processing_id IS NULL AND EXISTS (
                SELECT FROM registry_derivative d WHERE d.intake_id = NEW.id AND ({lacking})
            ) THEN
                RAISE EXCEPTION 'derivatives of intake % lack what their term asks', NEW.number
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'derivative_has_what_its_term_asks';
            END IF;
            IF NEW.certificate_id IS NOT NULL AND (
                SELECT sum(i.grams) FROM registry_intake i
                WHERE i.certificate_id = NEW.certificate_id AND i.state = 'registered'
            ) > (SELECT net_g FROM registry_veterinarycertificate WHERE id = NEW.certificate_id) THEN
                RAISE EXCEPTION 'batches of intake % weigh more than their certificate says', NEW.number
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'certificate_covers_its_batches';
            END IF;
            RETURN NULL;
        """),
    )


def horns_of_a_pair_are_opposite() -> pgtrigger.Trigger:
    """A pair is a left and a right horn; no horn is in two pairs."""
    return pgtrigger.Trigger(
        name="horns_of_a_pair_are_opposite",
        level=pgtrigger.Statement,
        when=pgtrigger.After,
        operation=pgtrigger.Insert,
        referencing=pgtrigger.Referencing(new="written"),
        declare=[("wrong", "bigint")],
        func="""
            SELECT min(w.left_id) INTO wrong FROM written w
            JOIN registry_derivative l ON l.item_id = w.left_id
            JOIN registry_derivative r ON r.item_id = w.right_id
            WHERE (l.term, l.side, r.term, r.side) IS DISTINCT FROM ('HOR', 'L', 'HOR', 'R');
            IF wrong IS NOT NULL THEN
                RAISE EXCEPTION 'horn % and its pair are not a left and a right horn', wrong
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'horns_of_a_pair_are_opposite';
            END IF;
            RETURN NULL;
        """,
    )


def derivatives_come_by_registration() -> pgtrigger.Trigger:
    """Derivatives are written in one statement, by the registration of their intake, and never added to it later.

    The intake says beforehand how many there are and what they weigh; the statement must make that true.
    """
    return pgtrigger.Trigger(
        name="derivatives_come_by_registration",
        level=pgtrigger.Statement,
        when=pgtrigger.After,
        operation=pgtrigger.Insert,
        referencing=pgtrigger.Referencing(new="written"),
        declare=[("wrong", "text")],
        func="""
            SELECT min(i.number) INTO wrong
            FROM (
                SELECT intake_id, array_agg(DISTINCT term || ':' || origin) AS classes FROM written GROUP BY intake_id
            ) w
            JOIN registry_intake i ON i.id = w.intake_id
            JOIN LATERAL (
                SELECT count(*)::int AS pieces, sum(mass_g)::bigint AS grams
                FROM registry_derivative d WHERE d.intake_id = i.id
            ) there ON true
            WHERE i.state <> 'registered' OR w.classes <> ARRAY[i.term || ':' || i.origin]
                OR (i.pieces, i.grams) IS DISTINCT FROM (there.pieces, there.grams);
            IF wrong IS NOT NULL THEN
                RAISE EXCEPTION 'derivatives of intake % come by its registration only', wrong
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'derivatives_come_by_registration';
            END IF;
            RETURN NULL;
        """,
    )


def rows_belong_to_open_intake(operation: pgtrigger.Operation) -> pgtrigger.Trigger:
    """The weighing table changes while its intake is open, and not after."""
    inserted = operation == pgtrigger.Insert
    return pgtrigger.Trigger(
        name=f"open_intake_{str(operation).lower()}",
        level=pgtrigger.Statement,
        when=pgtrigger.After,
        operation=operation,
        referencing=pgtrigger.Referencing(new="touched") if inserted else pgtrigger.Referencing(old="touched"),
        declare=[("wrong", "text")],
        func="""
            SELECT min(i.number) INTO wrong FROM (SELECT DISTINCT intake_id FROM touched) t
            JOIN registry_intake i ON i.id = t.intake_id WHERE i.state <> 'open';
            IF wrong IS NOT NULL THEN
                RAISE EXCEPTION 'the table of intake % is closed', wrong
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'rows_belong_to_open_intake';
            END IF;
            RETURN NULL;
        """,
    )


def case_words_are_of_their_lists() -> pgtrigger.Trigger:
    """A case says its reason, detection, transport and concealment in words of these lists."""
    return pgtrigger.Trigger(
        name="case_words_are_of_their_lists",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert | pgtrigger.Update,
        func="""
            IF EXISTS (
                SELECT FROM (VALUES (NEW.reason_id, 'reason'), (NEW.detection_id, 'detection'),
                    (NEW.transport_id, 'transport'), (NEW.concealment_id, 'concealment')) AS said (word, list)
                JOIN registry_caseword w ON w.id = said.word WHERE w.list <> said.list
            ) THEN
                RAISE EXCEPTION 'case % says something in a word of another list', NEW.number
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'case_words_are_of_their_lists';
            END IF;
            RETURN NEW;
        """,
    )


def items_are_decided_with_their_decision() -> pgtrigger.Trigger:
    """Items are named while their decision waits, they are of its case, and they are confirmed with it.

    Only what the court gave back is returned, by an act of its own decision.
    """
    return pgtrigger.Trigger(
        name="items_are_decided_with_their_decision",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert | pgtrigger.Update,
        declare=[("its_state", "text"), ("its_case", "bigint")],
        func="""
            SELECT state, case_id INTO its_state, its_case FROM registry_courtdecision WHERE id = NEW.decision_id;
            IF TG_OP = 'INSERT' AND its_state <> 'recorded' OR NEW.is_confirmed AND its_state <> 'confirmed'
                OR NEW.return_act_id IS NOT NULL AND (
                    NEW.outcome <> 'returned' OR NOT NEW.is_confirmed
                    OR NEW.decision_id <> (SELECT decision_id FROM registry_returnact WHERE id = NEW.return_act_id)
                )
                OR NOT EXISTS (
                    SELECT FROM registry_derivative d JOIN registry_intake i ON i.id = d.intake_id
                    WHERE d.item_id = NEW.item_id AND i.case_id = its_case
                )
            THEN
                RAISE EXCEPTION 'item % is not decided by decision %', NEW.item_id, NEW.decision_id
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'items_are_decided_with_their_decision';
            END IF;
            RETURN NEW;
        """,
    )


def erdr_number_has_15_digits() -> pgtrigger.Trigger:
    """A number of the Unified Register of Pre-Trial Investigations has 15 digits; older rows keep what they say."""
    return pgtrigger.Trigger(
        name="erdr_number_has_15_digits",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert | pgtrigger.UpdateOf("erdr_number"),
        func="""
            IF NEW.erdr_number <> '' AND NEW.erdr_number !~ '^[0-9]{15}$'
                AND (TG_OP = 'INSERT' OR OLD.erdr_number <> NEW.erdr_number)
            THEN
                RAISE EXCEPTION 'case % has an ERDR number of another form', NEW.number
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'erdr_number_has_15_digits';
            END IF;
            RETURN NEW;
        """,
    )


# What a court has judged by; what may still be filled in where it is empty; the rest may become known later.
JUDGED = ("agency_id", "region_id", "place", "seized_on", "offence_on", "males", "females", "young")
FILLED_IN = (
    "latitude",
    "longitude",
    "reason_id",
    "detection_id",
    "transport_id",
    "concealment_id",
    "origin_country_id",
    "destination_country_id",
    "estimated_value",
)


def decided_case_stays() -> pgtrigger.Trigger:
    """Once a decision of a case is confirmed its facts stay; what is empty may still be filled in."""
    changed = " OR ".join(
        [
            *(f"OLD.{name} IS DISTINCT FROM NEW.{name}" for name in JUDGED),
            *(f"OLD.{name} IS NOT NULL AND OLD.{name} IS DISTINCT FROM NEW.{name}" for name in FILLED_IN),
        ]
    )
    return pgtrigger.Trigger(
        name="decided_case_stays",
        when=pgtrigger.Before,
        operation=pgtrigger.Update,
        func=f"""
            IF ({changed}) AND EXISTS (
                SELECT FROM registry_courtdecision WHERE case_id = NEW.id AND state = 'confirmed'
            ) THEN
                RAISE EXCEPTION 'a court has decided case %: its facts stay', NEW.number
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'decided_case_stays';
            END IF;
            RETURN NEW;
        """,
    )


def decided_counts_stay() -> pgtrigger.Trigger:
    """What the protocol counted stays once a decision of the case is confirmed."""
    return pgtrigger.Trigger(
        name="decided_counts_stay",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
        func="""
            IF EXISTS (
                SELECT FROM registry_courtdecision WHERE state = 'confirmed'
                AND case_id = CASE TG_OP WHEN 'DELETE' THEN OLD.case_id ELSE NEW.case_id END
            ) THEN
                RAISE EXCEPTION 'a court has decided: the counts of the protocol stay'
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'decided_counts_stay';
            END IF;
            RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
        """,
    )


def lower_count_is_told() -> pgtrigger.Trigger:
    """A count of the protocol becomes less only while the authority has it before its eyes."""
    return pgtrigger.Trigger(
        name="lower_count_is_told",
        when=pgtrigger.Before,
        operation=pgtrigger.Update | pgtrigger.Delete,
        func="""
            IF (TG_OP = 'DELETE' OR NEW.pieces < OLD.pieces OR NEW.case_id <> OLD.case_id OR NEW.term <> OLD.term)
                AND NOT EXISTS (
                    SELECT FROM notices_notice WHERE code = 'case.count_lowered' AND state <> 'decided'
                    AND decides = 'authority' AND subject_kind = 'case' AND subject_id = OLD.case_id::text
                )
            THEN
                RAISE EXCEPTION 'nobody was told that the count of a protocol is lowered'
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'lower_count_is_told';
            END IF;
            RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
        """,
    )


# Notices about what was taken on a day of removal: while one is open, its horns stay where they are.
IN_QUESTION = (
    "intake.horns_per_male",
    "removal.carcasses",
    "removal.contract",
    "removal.counts",
    "removal.horns_registered",
    "removal.horns_too_few",
    "removal.horns_too_many",
    "removal.sex",
)
_AUTHORITY = ", ".join(f"'{role}'" for role in JUDGES)


def find_names_its_finder() -> pgtrigger.Trigger:
    """A finder is named by more than a letter or two, or by two Chinese or Korean signs; earlier finds stay."""
    return pgtrigger.Trigger(
        name="find_names_its_finder",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert,
        func=r"""
            IF length(btrim(NEW.finder)) < 4 AND NEW.finder !~ '[\u3400-\u9fff\uac00-\ud7af]{2}' THEN
                RAISE EXCEPTION 'a find names its finder'
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'find_names_its_finder';
            END IF;
            RETURN NEW;
        """,
    )


def importation_names_a_country() -> pgtrigger.Trigger:
    """Goods come from a country of the list, not from what CITES writes for none; earlier papers stay as they are."""
    return pgtrigger.Trigger(
        name="importation_names_a_country",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert,
        func="""
            IF NEW.country IN ('XX', 'XV', 'HS')
                OR NOT EXISTS (SELECT FROM registry_country c WHERE c.code = NEW.country)
            THEN
                RAISE EXCEPTION 'no country %', NEW.country
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'importation_names_a_country';
            END IF;
            RETURN NEW;
        """,
    )


def confiscation_names_its_court() -> pgtrigger.Trigger:
    """A decision has a number, and its court is named by more than some letters; earlier decisions stay."""
    return pgtrigger.Trigger(
        name="confiscation_names_its_court",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert,
        func="""
            IF NEW.decision_number !~ '[0-9]' OR length(btrim(NEW.court)) < 10 THEN
                RAISE EXCEPTION 'a confiscation names its court and the number of the decision'
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'confiscation_names_its_court';
            END IF;
            RETURN NEW;
        """,
    )


def importation_has_its_numbers() -> pgtrigger.Trigger:
    """The permit and the declaration of an import have a number each; earlier papers stay as they are."""
    return pgtrigger.Trigger(
        name="importation_has_its_numbers",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert,
        func="""
            IF NEW.permit_number !~ '[0-9]' OR NEW.declaration_number !~ '[0-9]' THEN
                RAISE EXCEPTION 'the papers of an import have their numbers'
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'importation_has_its_numbers';
            END IF;
            RETURN NEW;
        """,
    )


_SCANNED = """(
    SELECT FROM registry_oldstock s WHERE s.id = {row}.old_stock_id AND s.scan_id IS NOT NULL
    UNION ALL SELECT FROM registry_find f WHERE f.id = {row}.find_id AND f.scan_id IS NOT NULL
    UNION ALL SELECT FROM registry_confiscation g WHERE g.id = {row}.confiscation_id AND g.scan_id IS NOT NULL
    UNION ALL SELECT FROM registry_importation m WHERE m.id = {row}.importation_id AND m.scan_id IS NOT NULL
)"""


def goods_are_held_until_confirmed() -> pgtrigger.Trigger:
    """At commit, goods of these origins that were registered have the scan of their paper, and every item was held.

    What processing made of them has its run in place of the paper, and was movable already.
    """
    return pgtrigger.Trigger(
        name="goods_are_held_until_confirmed",
        when=pgtrigger.After,
        operation=pgtrigger.Update,
        timing=pgtrigger.Deferred,
        condition=pgtrigger.Q(
            new__origin__in=["old_stock", "found", "confiscated", "imported"],
            new__state="registered",
            old__state="open",
            new__processing=None,
        ),
        func=f"""
            IF NOT EXISTS {_SCANNED.format(row="NEW")} OR EXISTS (
                SELECT FROM registry_derivative d WHERE d.intake_id = NEW.id AND NOT EXISTS (
                    SELECT FROM ledger_hold k WHERE k.item_id = d.item_id AND k.kind = 'origin'
                )
            ) THEN
                RAISE EXCEPTION 'goods of intake % have no scanned paper, or are not held', NEW.number
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'goods_are_held_until_confirmed';
            END IF;
            RETURN NULL;
        """,  # noqa: S608  the text is ours
    )


def goods_are_confirmed_by_another() -> pgtrigger.Trigger:
    """Goods are confirmed by a person of an inspection or the authority who did not take them in, nor keeps them."""
    return pgtrigger.Trigger(
        name="goods_are_confirmed_by_another",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert,
        func=f"""
            IF NOT EXISTS (
                SELECT FROM registry_intake i
                JOIN ledger_custodyaccount c ON c.id = i.store_id
                WHERE i.id = NEW.intake_id AND i.state = 'registered' AND EXISTS {_SCANNED.format(row="i")}
                AND NEW.confirmed_by_id NOT IN (i.opened_by_id, i.closed_by_id)
                AND NOT accounts_in_one_hand(NEW.confirmed_by_id, i.opened_by_id, least(NEW.confirmed_at, now()))
                AND NOT accounts_in_one_hand(NEW.confirmed_by_id, i.closed_by_id, least(NEW.confirmed_at, now()))
                AND EXISTS (
                    {in_office("NEW.confirmed_by_id", "NEW.confirmed_at")}
                       AND a.organisation_id IS DISTINCT FROM c.custodian_id
                       AND (a.role IN ({_AUTHORITY}) OR a.role = 'inspector' AND o.kind IN ('inspectorate', 'ministry'))
                )
            ) THEN
                RAISE EXCEPTION 'goods of intake % are confirmed by somebody else', NEW.intake_id
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'goods_are_confirmed_by_another';
            END IF;
            RETURN NEW;
        """,  # noqa: S608  the roles are ours
    )


def goods_are_let_go_by_their_confirmation() -> pgtrigger.Trigger:
    """The hold is lifted by who confirmed the goods, or by the authority: a loss of them is written off too."""
    return pgtrigger.Trigger(
        name="goods_are_let_go_by_their_confirmation",
        when=pgtrigger.Before,
        operation=pgtrigger.Update,
        condition=pgtrigger.Q(new__kind="origin", new__lifted_at__isnull=False, old__lifted_at__isnull=True),
        func=f"""
            IF NOT EXISTS (
                SELECT FROM registry_derivative d JOIN registry_intakeconfirmation y ON y.intake_id = d.intake_id
                WHERE d.item_id = NEW.item_id AND y.confirmed_by_id = NEW.lifted_by_id
            ) AND NOT EXISTS (
                {in_office("NEW.lifted_by_id", "NEW.lifted_at")} AND a.role IN ({_AUTHORITY})
            ) THEN
                RAISE EXCEPTION 'item % waits for a second person', NEW.item_id
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'goods_are_let_go_by_their_confirmation';
            END IF;
            RETURN NEW;
        """,
    )


def goods_go_back_by_two_persons() -> pgtrigger.Trigger:
    """Who hands goods over to their owner did not record the decision, and a second person signs beside."""
    return pgtrigger.Trigger(
        name="goods_go_back_by_two_persons",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert,
        func="""
            IF NEW.second_id IS NULL OR NEW.second_id = NEW.handed_by_id OR NEW.handed_by_id = (
                SELECT recorded_by_id FROM registry_courtdecision WHERE id = NEW.decision_id
            ) THEN
                RAISE EXCEPTION 'act % needs two persons, and not the one who recorded the decision', NEW.number
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'goods_go_back_by_two_persons';
            END IF;
            RETURN NEW;
        """,
    )


def goods_go_back_to_whom_the_case_names() -> pgtrigger.Trigger:
    """Goods go to an owner or claimant whom somebody else than who hands over entered in the case, or to whom the
    decision names.
    """
    return pgtrigger.Trigger(
        name="goods_go_back_to_whom_the_case_names",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert,
        func="""
            IF NOT EXISTS (
                SELECT FROM registry_courtdecision d
                LEFT JOIN registry_caseperson p ON p.id = NEW.owner_id AND p.case_id = d.case_id
                    AND p.part IN ('owner', 'claimant') AND p.added_by_id <> NEW.handed_by_id
                WHERE d.id = NEW.decision_id
                    AND CASE WHEN NEW.owner_id IS NULL THEN d.returned_to <> '' ELSE p.id IS NOT NULL END
            ) THEN
                RAISE EXCEPTION 'act % names nobody of the case', NEW.number
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'goods_go_back_to_whom_the_case_names';
            END IF;
            RETURN NEW;
        """,
    )


def decision_is_sound() -> pgtrigger.Trigger:
    """A court decides after the seizure, and a decision takes effect when the counts of the case are settled.

    Goods are given back by a decision whose scan is in the register, confirmed by somebody of another organisation
    than the one who recorded it.
    """
    return pgtrigger.Trigger(
        name="decision_is_sound",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert | pgtrigger.UpdateOf("state"),
        condition=~pgtrigger.Q(new__state="withdrawn"),
        declare=[("wrong", "text")],
        func="""
            IF NEW.decided_on < (SELECT seized_on FROM registry_case WHERE id = NEW.case_id) THEN
                wrong := 'decision_is_after_the_seizure';
            ELSIF NEW.state = 'confirmed' AND EXISTS (
                SELECT FROM notices_notice WHERE code IN ('case.counts_differ', 'case.count_lowered')
                AND state <> 'decided' AND subject_kind = 'case' AND subject_id = NEW.case_id::text
            ) THEN
                wrong := 'counts_are_settled_before_the_decision';
            ELSIF NEW.state = 'confirmed' AND EXISTS (
                SELECT FROM registry_decideditem WHERE decision_id = NEW.id AND outcome = 'returned'
            ) THEN
                IF NEW.document_id IS NULL THEN
                    wrong := 'release_has_its_scan';
                ELSIF EXISTS (
                    SELECT FROM accounts_appointment a JOIN accounts_appointment b USING (organisation_id)
                    WHERE a.user_id = NEW.recorded_by_id AND b.user_id = NEW.closed_by_id AND a.user_id <> b.user_id
                    AND a.ended_at IS NULL AND b.ended_at IS NULL
                    AND (NEW.closed_at AT TIME ZONE 'Asia/Almaty')::date BETWEEN a.valid_from
                        AND coalesce(a.valid_until, 'infinity')
                    AND (NEW.closed_at AT TIME ZONE 'Asia/Almaty')::date BETWEEN b.valid_from
                        AND coalesce(b.valid_until, 'infinity')
                ) THEN
                    wrong := 'release_is_confirmed_elsewhere';
                END IF;
            END IF;
            IF wrong IS NOT NULL THEN
                RAISE EXCEPTION 'decision % does not take effect: %', NEW.number, wrong
                    USING ERRCODE = 'check_violation', CONSTRAINT = wrong;
            END IF;
            RETURN NEW;
        """,
    )


def certificate_names_its_point() -> pgtrigger.Trigger:
    """Meat comes from an attested slaughter point of the certificate's region."""
    return pgtrigger.Trigger(
        name="certificate_names_its_point",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert,
        func="""
            IF NOT EXISTS (
                SELECT FROM registry_slaughterpoint p WHERE p.id = NEW.point_id AND p.region_id = NEW.region_id
            ) THEN
                RAISE EXCEPTION 'certificate % names no slaughter point of its region', NEW.number
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'certificate_names_its_point';
            END IF;
            RETURN NEW;
        """,
    )


def sale_movement_has_its_sale() -> pgtrigger.Trigger:
    """At commit what goes into domestic sale is what one sale says: from its store, so many pieces and grams."""
    return pgtrigger.Trigger(
        name="sale_movement_has_its_sale",
        when=pgtrigger.After,
        operation=pgtrigger.Insert,
        timing=pgtrigger.Deferred,
        condition=pgtrigger.Q(new__kind="sale"),
        func="""
            IF NOT EXISTS (
                SELECT FROM registry_sale s
                WHERE s.movement_id = NEW.id AND s.number = NEW.reference AND s.on = NEW.effective_on
                AND s.sold_by_id = NEW.actor_id AND (s.pieces, s.grams) = (
                    SELECT -sum(p.pieces), -sum(p.grams) FROM ledger_posting p
                    WHERE p.movement_id = NEW.id AND p.account_id = s.store_id
                )
            ) THEN
                RAISE EXCEPTION 'movement % belongs to no sale', NEW.id
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'sale_movement_has_its_sale';
            END IF;
            RETURN NULL;
        """,
    )


def intake_movement_has_its_intake() -> pgtrigger.Trigger:
    """At commit what comes into the books is what one registered intake says: each of its derivatives, with its mass
    and class, in its store, and nothing else. Asked once of an intake, by its derivatives and its postings alone.
    """
    return pgtrigger.Trigger(
        name="intake_movement_has_its_intake",
        when=pgtrigger.After,
        operation=pgtrigger.Insert,
        timing=pgtrigger.Deferred,
        condition=pgtrigger.Q(new__kind="intake"),
        declare=[("taken", "registry_intake")],
        func="""
            SELECT * INTO taken FROM registry_intake r
            WHERE r.number = NEW.reference AND r.state = 'registered' AND r.on = NEW.effective_on
                AND r.closed_by_id = NEW.actor_id AND NEW.key = 'intake:' || r.id;
            IF taken.id IS NULL OR EXISTS (
                SELECT FROM (SELECT * FROM registry_derivative WHERE intake_id = taken.id OFFSET 0) d
                FULL JOIN (SELECT * FROM ledger_posting WHERE movement_id = NEW.id AND pieces > 0 OFFSET 0) p
                    ON p.item_id = d.item_id
                WHERE (p.account_id, p.pieces, p.grams, p.stock_class)
                    IS DISTINCT FROM (taken.store_id, 1, d.mass_g, d.term || ':' || d.origin)
            ) THEN
                RAISE EXCEPTION 'movement % belongs to no intake', NEW.id
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'intake_movement_has_its_intake';
            END IF;
            RETURN NULL;
        """,
    )
