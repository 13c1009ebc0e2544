"""What the database itself refuses about applications and permits. Each trigger names the invariant it guards."""

import pgtrigger

from permits import machine

_BEFORE_SUBMISSION = ", ".join(f"'{state.value}'" for state in machine.BEFORE_SUBMISSION)
_WAITING = ", ".join(f"'{state.value}'" for state in machine.WAITING)


def application_follows_the_table() -> pgtrigger.Trigger:
    """An application begins as a draft, changes state only as the table allows, and keeps what was submitted.

    It is approved, refused or returned only by the decision on the round it is in.
    """
    pairs = ", ".join(f"('{source}', '{target}')" for source, target in machine.state_pairs())
    return pgtrigger.Trigger(
        name="application_follows_the_table",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert | pgtrigger.Update,
        func=f"""
            IF TG_OP = 'INSERT' THEN
                IF NEW.state <> 'draft' THEN
                    RAISE EXCEPTION 'an application begins as a draft'
                        USING ERRCODE = 'check_violation', CONSTRAINT = 'application_begins_as_draft';
                END IF;
                RETURN NEW;
            END IF;
            IF OLD.state <> NEW.state AND NOT ((OLD.state, NEW.state) IN ({pairs})) THEN
                RAISE EXCEPTION 'an application does not go from % to %', OLD.state, NEW.state
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'application_follows_the_table';
            END IF;
            IF OLD.state NOT IN ({_BEFORE_SUBMISSION}) AND
                (NEW.receiver_id, NEW.store_id, NEW.purpose, NEW.wished_from, NEW.wished_until, NEW.price_tenge,
                 NEW.round, NEW.submitted_by_id, NEW.submitted_at, NEW.due_on)
                IS DISTINCT FROM
                (OLD.receiver_id, OLD.store_id, OLD.purpose, OLD.wished_from, OLD.wished_until, OLD.price_tenge,
                 OLD.round, OLD.submitted_by_id, OLD.submitted_at, OLD.due_on)
            THEN
                RAISE EXCEPTION 'application % is submitted and keeps what it says', OLD.id
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'submitted_application_is_fixed';
            END IF;
            IF OLD.number <> '' AND NEW.number <> OLD.number THEN
                RAISE EXCEPTION 'application % keeps its number', OLD.number
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'application_keeps_its_number';
            END IF;
            IF OLD.state <> NEW.state AND NEW.state IN ('approved', 'refused', 'returned') AND NOT EXISTS (
                SELECT FROM permits_decision d
                WHERE d.application_id = NEW.id AND d.round = NEW.round AND d.outcome = NEW.state
            ) THEN
                RAISE EXCEPTION 'application % has no such decision', OLD.id
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'application_is_decided_by_a_decision';
            END IF;
            RETURN NEW;
        """,
    )


def lines_change_before_submission() -> list[pgtrigger.Trigger]:
    """Lines come and go only while the applicant may still change the application; once for each statement.

    The share lock keeps the application from being submitted meanwhile.
    """
    func = f"""
        PERFORM FROM permits_application WHERE id IN (SELECT application_id FROM touched) ORDER BY id FOR SHARE;
        IF EXISTS (
            SELECT FROM permits_application
            WHERE id IN (SELECT application_id FROM touched) AND state NOT IN ({_BEFORE_SUBMISSION})
        ) THEN
            RAISE EXCEPTION 'the lines of a submitted application are fixed'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'lines_change_before_submission';
        END IF;
        RETURN NULL;
    """  # noqa: S608
    return [
        pgtrigger.Trigger(
            name=f"lines_{word}_before_submission",
            level=pgtrigger.Statement,
            when=pgtrigger.After,
            operation=operation,
            referencing=referencing,
            func=func,
        )
        for word, operation, referencing in (
            ("added", pgtrigger.Insert, pgtrigger.Referencing(new="touched")),
            ("removed", pgtrigger.Delete, pgtrigger.Referencing(old="touched")),
        )
    ]


def decider_is_not_the_applicant() -> pgtrigger.Trigger:
    """Nobody decides what they drafted or submitted, nor what their own organisation asked for.

    Whoever held any role in the applicant's organisation since the application was opened counts as its own. The lock
    serialises two decisions; a decision answers the round that waits, and only one that waits.
    """
    return pgtrigger.Trigger(
        name="decider_is_not_the_applicant",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert,
        declare=[("asked", "permits_application%ROWTYPE")],
        func=f"""
            SELECT * INTO asked FROM permits_application WHERE id = NEW.application_id FOR NO KEY UPDATE;
            IF asked.state NOT IN ({_WAITING}) OR asked.round <> NEW.round THEN
                RAISE EXCEPTION 'application % does not wait for this decision', NEW.application_id
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'decision_answers_what_waits';
            END IF;
            IF NEW.decided_by_id IN (asked.opened_by_id, asked.submitted_by_id) OR EXISTS (
                SELECT FROM accounts_appointment a
                WHERE a.user_id = NEW.decided_by_id AND a.organisation_id = asked.applicant_id
                  AND (a.ended_at IS NULL OR a.ended_at >= asked.opened_at)
                  AND (a.valid_until IS NULL
                       OR a.valid_until >= (asked.opened_at AT TIME ZONE 'Asia/Almaty')::date)
            ) THEN
                RAISE EXCEPTION 'application % is decided by somebody who is not the applicant', NEW.application_id
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'decider_is_not_the_applicant';
            END IF;
            RETURN NEW;
        """,  # noqa: S608
    )


def permit_says_what_was_approved() -> pgtrigger.Trigger:
    """A permit is issued only for an approved application, by who approved it, and repeats what it asked for."""
    return pgtrigger.Trigger(
        name="permit_says_what_was_approved",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert,
        func="""
            IF NOT EXISTS (
                SELECT FROM permits_application a JOIN permits_decision d ON d.application_id = a.id
                WHERE a.id = NEW.application_id AND d.id = NEW.decision_id
                  AND a.state = 'approved' AND d.outcome = 'approved' AND d.decided_by_id = NEW.issued_by_id
                  AND (a.kind, a.applicant_id, a.receiver_id, a.store_id)
                    = (NEW.kind, NEW.holder_id, NEW.receiver_id, NEW.store_id)
            ) THEN
                RAISE EXCEPTION 'no approved application says what permit % says', NEW.number
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'permit_says_what_was_approved';
            END IF;
            RETURN NEW;
        """,
    )


def permit_lines_are_issued_with_it() -> pgtrigger.Trigger:
    """Lines are written in the transaction that issued the permit, and only for items the application named."""
    return pgtrigger.Trigger(
        name="permit_lines_are_issued_with_it",
        level=pgtrigger.Statement,
        when=pgtrigger.After,
        operation=pgtrigger.Insert,
        referencing=pgtrigger.Referencing(new="issued"),
        func="""
            IF EXISTS (
                SELECT FROM permits_permit WHERE id IN (SELECT permit_id FROM issued)
                AND transaction <> pg_current_xact_id()::text::bigint
            ) THEN
                RAISE EXCEPTION 'a permit takes no further lines'
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'permit_lines_are_issued_with_it';
            END IF;
            IF EXISTS (
                SELECT FROM issued i JOIN permits_permit p ON p.id = i.permit_id
                LEFT JOIN permits_applicationline l ON l.application_id = p.application_id AND l.item_id = i.item_id
                WHERE l.id IS NULL
            ) THEN
                RAISE EXCEPTION 'a permit covers only what was applied for'
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'permit_covers_what_was_applied_for';
            END IF;
            RETURN NULL;
        """,
    )
