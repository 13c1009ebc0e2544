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
