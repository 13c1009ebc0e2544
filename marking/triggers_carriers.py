"""What the database itself refuses of further carriers."""

import pgtrigger


def carrier_is_on_the_item_of_its_mark() -> pgtrigger.Trigger:
    """A carrier is bound beside a mark that is active on that very item at this moment."""
    return pgtrigger.Trigger(
        name="carrier_is_on_the_item_of_its_mark",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert,
        func="""
            -- A share lock: the mark is not ended between this look and the commit.
            PERFORM FROM marking_mark
            WHERE code = NEW.mark_id AND derivative_id = NEW.derivative_id AND state = 'active' FOR SHARE;
            IF NOT FOUND THEN
                RAISE EXCEPTION 'mark % is not active on item %', NEW.mark_id, NEW.derivative_id
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'carrier_is_on_the_item_of_its_mark';
            END IF;
            RETURN NEW;
        """,
    )


def state_code_is_what_it_says() -> pgtrigger.Trigger:
    """What names a state code are its own GTIN and serial, and what the scanner sent begins with the GTIN."""
    return pgtrigger.Trigger(
        name="state_code_is_what_it_says",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert,
        condition=pgtrigger.Q(new__kind="state_code"),
        func="""
            IF NEW.identity IS DISTINCT FROM '01' || (NEW.parts->>'01') || '21' || (NEW.parts->>'21')
                OR strpos(NEW.value, '01' || (NEW.parts->>'01')) = 0
                OR strpos(NEW.value, '21' || (NEW.parts->>'21')) = 0 THEN
                RAISE EXCEPTION 'state code % does not say what it is kept as', NEW.identity
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'state_code_is_what_it_says';
            END IF;
            RETURN NEW;
        """,
    )


def seal_is_on_one_item() -> pgtrigger.Trigger:
    """A seal is one number however it is written, on one item while bound; our own marks and numbers are no seals.

    No unique index: earlier versions may have bound one number in two ways of writing.
    """
    return pgtrigger.Trigger(
        name="seal_is_on_one_item",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert,
        condition=pgtrigger.Q(new__kind="seal"),
        func="""
            -- The lock closes the race of one number bound twice at once, in two ways of writing. One lock for all
            -- seals: a file has thousands.
            PERFORM pg_advisory_xact_lock(hashtext('marking_carrier seal'));
            IF EXISTS (
                SELECT FROM marking_carrier c
                WHERE c.kind = 'seal' AND c.ended_at IS NULL
                    AND translate(c.identity, '-./_', '') = translate(NEW.identity, '-./_', '')
            ) THEN
                RAISE EXCEPTION 'seal % is bound already', NEW.identity
                    USING ERRCODE = 'unique_violation', CONSTRAINT = 'seal_is_on_one_item';
            END IF;
            IF EXISTS (
                SELECT FROM marking_mark WHERE code = translate(NEW.identity, 'ILO-./_', '110')
            ) OR EXISTS (
                SELECT FROM registry_derivative
                WHERE number = left(translate(NEW.identity, '-./_', ''), 4) || '-'
                    || substr(translate(NEW.identity, '-./_', ''), 5)
            ) THEN
                RAISE EXCEPTION 'seal % is a mark or a number of the registry', NEW.identity
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'seal_is_on_one_item';
            END IF;
            RETURN NEW;
        """,
    )
