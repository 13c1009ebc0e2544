"""What the database itself refuses of signing keys: no change of their state without two persons."""

import pgtrigger


def key_begins_as_created() -> pgtrigger.Trigger:
    """A key comes into the table as made, and moves on from there."""
    return pgtrigger.Trigger(
        name="key_begins_as_created",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert,
        condition=~pgtrigger.Q(new__state="created"),
        func="""
            RAISE EXCEPTION 'key % is made first and used later', NEW.id
                USING ERRCODE = 'check_violation', CONSTRAINT = 'key_begins_as_created';
        """,
    )


def key_moves_on_by_two() -> pgtrigger.Trigger:
    """A key changes its state in the transaction in which a second person approves it: taken into use, retired by the
    one that is taken into use, declared compromised. Only the very first key of a system is taken into use by itself.
    """
    return pgtrigger.Trigger(
        name="key_moves_on_by_two",
        when=pgtrigger.Before,
        operation=pgtrigger.Update,
        condition=pgtrigger.Q(old__state__df=pgtrigger.F("new__state")),
        func="""
            IF NEW.state = 'in_use' AND NOT EXISTS (
                SELECT FROM marking_signingkey k WHERE k.id <> NEW.id AND k.state <> 'created') THEN
                RETURN NEW;
            END IF;
            IF NOT EXISTS (
                SELECT FROM marking_keyrequest r
                WHERE r.state = 'approved' AND r.approved_in = pg_current_xact_id()::text::bigint
                    AND r.decided_by_id <> r.asked_by_id
                    AND CASE NEW.state
                        WHEN 'in_use' THEN r.kind = 'use' AND r.key_id = NEW.id
                        WHEN 'retired' THEN r.kind = 'use' AND r.key_id <> NEW.id
                        ELSE r.kind = 'compromise' AND r.key_id = NEW.id END
            ) THEN
                RAISE EXCEPTION 'key % becomes % with a second person', NEW.id, NEW.state
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'key_moves_on_by_two';
            END IF;
            RETURN NEW;
        """,
    )


def key_approval_names_its_transaction() -> pgtrigger.Trigger:
    """A request is asked for first; approved, it carries the transaction that approved it, and nothing else does."""
    return pgtrigger.Trigger(
        name="key_approval_names_its_transaction",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert | pgtrigger.Update,
        func="""
            IF TG_OP = 'INSERT' AND NEW.state <> 'asked' THEN
                RAISE EXCEPTION 'a request is asked for first'
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'key_approval_names_its_transaction';
            END IF;
            NEW.approved_in := CASE NEW.state WHEN 'approved' THEN pg_current_xact_id()::text::bigint END;
            RETURN NEW;
        """,
    )


def key_request_is_decided_by_another() -> pgtrigger.Trigger:
    """Whoever had the account of the other in hand a short while ago does not approve what that one asked."""
    return pgtrigger.Trigger(
        name="key_request_is_decided_by_another",
        when=pgtrigger.Before,
        operation=pgtrigger.Update,
        condition=pgtrigger.Q(new__state="approved", old__state="asked"),
        func="""
            IF accounts_in_one_hand(NEW.asked_by_id, NEW.decided_by_id, least(NEW.decided_at, now())) THEN
                RAISE EXCEPTION 'request % is decided by another person', NEW.id
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'key_request_is_decided_by_another';
            END IF;
            RETURN NEW;
        """,
    )
