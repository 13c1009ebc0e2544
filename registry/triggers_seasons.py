"""What the database itself refuses about seasons. Each trigger names the invariant it guards."""

import pgtrigger

from registry.numbers import alike_sql

_SAME_NAME = " OR ".join(
    f"{alike_sql(f's.name_{tongue}')} = {alike_sql(f'NEW.name_{tongue}')}" for tongue in ("kk", "ru", "en")
)


def seasons_differ() -> pgtrigger.Trigger:
    """No two seasons have one name in any language; earlier ones stay.

    Who enters one waits for whoever enters another at the same moment.
    """
    return pgtrigger.Trigger(
        name="seasons_differ",
        when=pgtrigger.After,
        operation=pgtrigger.Insert,
        func=f"""
            PERFORM pg_advisory_xact_lock(hashtextextended('seasons', 0));
            IF EXISTS (SELECT FROM registry_season s WHERE s.id <> NEW.id AND ({_SAME_NAME})) THEN
                RAISE EXCEPTION 'a season named as season % is there', NEW.id
                    USING ERRCODE = 'unique_violation', CONSTRAINT = 'season_named_once';
            END IF;
            RETURN NULL;
        """,
    )


def limits_do_not_overlap() -> pgtrigger.Trigger:
    """An animal is let by one line of a decision, and of seasons with the same days by those of one; earlier ones stay.

    A line for any sex stands beside none for one sex of the same population and region. Who enters a line waits for
    whoever enters another at the same moment.
    """
    return pgtrigger.Trigger(
        name="limits_do_not_overlap",
        when=pgtrigger.After,
        operation=pgtrigger.Insert,
        func="""
            PERFORM pg_advisory_xact_lock(hashtextextended('limits of removal', 0));
            IF EXISTS (
                SELECT FROM registry_removallimit l
                WHERE (l.decision_id, l.population, l.region_id) = (NEW.decision_id, NEW.population, NEW.region_id)
                    AND l.id <> NEW.id AND 'any' IN (l.sex, NEW.sex)
            ) THEN
                RAISE EXCEPTION 'limit % overlaps another of its decision', NEW.id
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'limits_do_not_overlap';
            END IF;
            IF EXISTS (
                SELECT FROM registry_removaldecision own
                JOIN registry_season mine ON mine.id = own.season_id
                JOIN registry_season s ON (s.starts_on, s.ends_on) = (mine.starts_on, mine.ends_on) AND s.id <> mine.id
                JOIN registry_removaldecision d ON d.season_id = s.id
                JOIN registry_removallimit l ON l.decision_id = d.id
                WHERE own.id = NEW.decision_id AND (l.population, l.region_id) = (NEW.population, NEW.region_id)
            ) THEN
                RAISE EXCEPTION 'another season of the same days has limits as limit %', NEW.id
                    USING ERRCODE = 'unique_violation', CONSTRAINT = 'one_season_per_days_and_place';
            END IF;
            RETURN NULL;
        """,
    )


def permits_do_not_look_alike() -> pgtrigger.Trigger:
    """No two permits have numbers that look alike, in Latin and Cyrillic letters; earlier ones stay.

    Who enters one waits for whoever enters its like at the same moment.
    """
    return pgtrigger.Trigger(
        name="permits_do_not_look_alike",
        when=pgtrigger.After,
        operation=pgtrigger.Insert,
        func="""
            PERFORM pg_advisory_xact_lock(hashtextextended('removal permit ' || NEW.number_alike, 0));
            IF EXISTS (
                SELECT FROM registry_removalpermit p WHERE p.number_alike = NEW.number_alike AND p.id <> NEW.id
            ) THEN
                RAISE EXCEPTION 'a permit with a number that looks like % is there', NEW.number
                    USING ERRCODE = 'unique_violation', CONSTRAINT = 'removal_permit_number_alike';
            END IF;
            RETURN NULL;
        """,
    )


def permits_keep_to_their_limit() -> pgtrigger.Trigger:
    """All permits of a line together let at most what the line lets, and each is for what its line is for.

    The line is locked while its permits are counted, so two permits entered at once cannot both take the rest.
    """
    return pgtrigger.Trigger(
        name="permits_keep_to_their_limit",
        when=pgtrigger.After,
        operation=pgtrigger.Insert | pgtrigger.UpdateOf("withdrawn_at"),
        declare=[("line", "record"), ("given", "bigint")],
        func="""
            IF NEW.limit_id IS NULL THEN
                RETURN NULL;
            END IF;
            SELECT l.animals, l.population, l.region_id, l.sex, d.season_id INTO line
            FROM registry_removallimit l JOIN registry_removaldecision d ON d.id = l.decision_id
            WHERE l.id = NEW.limit_id FOR NO KEY UPDATE OF l;
            IF (NEW.season_id, NEW.population, NEW.region_id, NEW.sex)
                IS DISTINCT FROM (line.season_id, line.population, line.region_id, line.sex) THEN
                RAISE EXCEPTION 'removal permit % is for something else than its line of the decision', NEW.number
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'permit_fits_its_limit';
            END IF;
            SELECT sum(animals_limit) INTO given FROM registry_removalpermit
            WHERE limit_id = NEW.limit_id AND withdrawn_at IS NULL;
            IF given > line.animals THEN
                RAISE EXCEPTION 'removal permits let % animals, their line of the decision %', given, line.animals
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'permits_keep_to_their_limit';
            END IF;
            RETURN NULL;
        """,
    )


# The permit is locked, so that a withdrawal at the same moment waits or is seen.
_PERMIT_STANDS = """
            PERFORM FROM registry_removalpermit WHERE id = NEW.permit_id AND withdrawn_at IS NULL FOR KEY SHARE;
            IF NOT FOUND THEN
                RAISE EXCEPTION 'the removal permit of % was withdrawn', NEW.number
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'permit_stands';
            END IF;
"""


def sheet_fits_its_papers() -> pgtrigger.Trigger:
    """A daily sheet lies in the season of its permit, which stands, and its brigade works in that season and region."""
    return pgtrigger.Trigger(
        name="sheet_fits_its_papers",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert,
        func=_PERMIT_STANDS
        + """
            IF NOT EXISTS (
                SELECT FROM registry_removalpermit p
                JOIN registry_brigade b ON (b.season_id, b.region_id) = (p.season_id, p.region_id)
                JOIN registry_season s ON s.id = p.season_id
                WHERE p.id = NEW.permit_id AND b.id = NEW.brigade_id AND NEW."on" BETWEEN s.starts_on AND s.ends_on
            ) THEN
                RAISE EXCEPTION 'sheet % does not fit its permit and brigade', NEW.number
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'sheet_fits_its_papers';
            END IF;
            RETURN NEW;
        """,
    )


def closed_sheet_keeps_its_figures() -> pgtrigger.Trigger:
    """What was signed is what was counted: figures change while the sheet is open, and in no other state."""
    return pgtrigger.Trigger(
        name="closed_sheet_keeps_its_figures",
        when=pgtrigger.Before,
        operation=pgtrigger.Update,
        func="""
            IF OLD.state <> 'open' AND
                (OLD.males, OLD.females, OLD.young, OLD.carcasses, OLD.unusable, OLD.horns_cut, OLD.note)
                IS DISTINCT FROM
                (NEW.males, NEW.females, NEW.young, NEW.carcasses, NEW.unusable, NEW.horns_cut, NEW.note)
            THEN
                RAISE EXCEPTION 'sheet % is closed', NEW.number
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'closed_sheet_keeps_its_figures';
            END IF;
            RETURN NEW;
        """,
    )


def sheet_with_receptions_stays() -> pgtrigger.Trigger:
    """A sheet that a reception rests on is not withdrawn."""
    return pgtrigger.Trigger(
        name="sheet_with_receptions_stays",
        when=pgtrigger.After,
        operation=pgtrigger.UpdateOf("state"),
        condition=pgtrigger.Q(new__state="withdrawn"),
        func="""
            IF EXISTS (SELECT FROM registry_intake WHERE sheet_id = NEW.id AND state <> 'cancelled') THEN
                RAISE EXCEPTION 'sheet % has receptions', NEW.number
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'sheet_with_receptions_stays';
            END IF;
            RETURN NULL;
        """,
    )


_ADDS_UP = """
            IF EXISTS (
                SELECT FROM registry_dailysheet s WHERE s.id = {sheet} AND s.carcasses <> (
                    SELECT coalesce(sum(carcasses), 0) FROM registry_delivery WHERE sheet_id = s.id
                )
            ) THEN
                RAISE EXCEPTION 'the deliveries of sheet % are not what it says', {sheet}
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'sheet_adds_up';
            END IF;
            RETURN NULL;
"""


def sheet_adds_up() -> pgtrigger.Trigger:
    """At commit a sheet names as many carcasses as its deliveries bring."""
    return pgtrigger.Trigger(
        name="sheet_adds_up",
        when=pgtrigger.After,
        operation=pgtrigger.Insert | pgtrigger.UpdateOf("carcasses"),
        timing=pgtrigger.Deferred,
        func=_ADDS_UP.format(sheet="NEW.id"),
    )


def deliveries_add_up() -> pgtrigger.Trigger:
    """The same, when only a delivery was touched."""
    return pgtrigger.Trigger(
        name="deliveries_add_up",
        when=pgtrigger.After,
        operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
        timing=pgtrigger.Deferred,
        func=_ADDS_UP.format(sheet="coalesce(NEW.sheet_id, OLD.sheet_id)"),
    )


def deliveries_belong_to_open_sheet() -> pgtrigger.Trigger:
    """Deliveries change while their sheet is open, and not after."""
    return pgtrigger.Trigger(
        name="deliveries_belong_to_open_sheet",
        when=pgtrigger.After,
        operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
        func="""
            IF EXISTS (
                SELECT FROM registry_dailysheet
                WHERE id IN (NEW.sheet_id, OLD.sheet_id) AND state <> 'open'
            ) THEN
                RAISE EXCEPTION 'the deliveries of a closed sheet stay'
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'deliveries_belong_to_open_sheet';
            END IF;
            RETURN NULL;
        """,
    )


def reception_under_standing_permit() -> pgtrigger.Trigger:
    """Nothing is taken in under a removal permit that was withdrawn."""
    return pgtrigger.Trigger(
        name="reception_under_standing_permit",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert | pgtrigger.UpdateOf("permit_id"),
        condition=pgtrigger.Q(new__permit__isnull=False),
        func=_PERMIT_STANDS + "            RETURN NEW;\n",
    )


def reception_fits_its_sheet() -> pgtrigger.Trigger:
    """A reception that rests on a sheet is of the same brigade, permit and day; the sheet counts.

    The sheet is locked against a withdrawal at the same moment.
    """
    return pgtrigger.Trigger(
        name="reception_fits_its_sheet",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert | pgtrigger.UpdateOf("sheet_id", "permit_id", "brigade_id", "on"),
        condition=pgtrigger.Q(new__sheet__isnull=False),
        declare=[("of_sheet", "record")],
        func="""
            SELECT brigade_id, permit_id, "on", state INTO of_sheet
            FROM registry_dailysheet WHERE id = NEW.sheet_id FOR SHARE;
            IF of_sheet.state = 'withdrawn' OR (NEW.brigade_id, NEW.permit_id, NEW."on")
                IS DISTINCT FROM (of_sheet.brigade_id, of_sheet.permit_id, of_sheet."on") THEN
                RAISE EXCEPTION 'reception % does not fit its daily sheet', NEW.number
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'reception_fits_its_sheet';
            END IF;
            RETURN NEW;
        """,
    )
