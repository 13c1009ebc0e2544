"""Reconciliation: what a brigade's day, a permit or a decision does not add up to becomes a notice, once per cause.

A cause is one code about one subject with its figures. While the same figures stand, nothing is raised again, also
after a person has explained them. When a correction changes the figures, the open notice is decided by the act that
changed them, in the name of the person who did it: "adds up" where nothing is left to explain, "replaced" where
another count takes its place; the new notice keeps the day by which the old one was due, so that nobody gains time
by correcting. What a person has explained already stays as explained; other figures are another cause.

Locks are taken in the order of docs/architecture.md, with FOR NO KEY UPDATE, so that rows which only name the brigade,
the permit or its line go on being written.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from core.accounts.models import Organisation, User
from core.accounts.roles import Can
from core.base.clock import day_of
from core.notices.models import Notice
from core.notices.services import raise_notice, settle_notice
from core.rules.selectors import discrepancy_due_on
from registry.days import PREFIX, Day, DayRules, Fault, animals_taken, days_of, faults_of, undecided
from registry.models import Brigade, DailySheet, Intake, RemovalLimit, RemovalPermit
from registry.services.removal_holds import hold_day_in_question, lock_horns, lock_questions, registered_of

Subject = tuple[str, str]
LOOK_BACK = timedelta(days=90)  # days of seasons that ended earlier were checked while they were younger


def lock_brigade(pk: int) -> Brigade:
    """Closes the race of the sheet that is signed while its last reception is registered: one sees the other."""
    return Brigade.objects.select_for_update(no_key=True).get(pk=pk)


def lock_permit(pk: int) -> RemovalPermit:
    """Closes the race of two sheets that only together exceed the limit: one sees the other."""
    return RemovalPermit.objects.select_for_update(no_key=True).get(pk=pk)


def lock_line(pk: int) -> RemovalLimit:
    """Closes the race of two sheets under two permits of a line that only together exceed it: one sees the other."""
    lines = RemovalLimit.objects.select_for_update(of=("self",), no_key=True).select_related("decision__authority")
    return lines.get(pk=pk)


def lock_day(permit: int, brigade: int, on: date) -> None:
    """Keep a brigade's day, what is asked about it and its horns as they are until this transaction ends.

    For an act that moves goods before it compares the day: closes the race of a dispatch of the day's other horns,
    which has them and waits for the totals that the act would keep while it waits for the horns.
    """
    lock_brigade(brigade)
    lock_questions(permit, brigade, on)
    lock_horns(registered_of(permit, brigade, on))


def reconcile_day(
    *, actor: User | None, at: datetime, permit: int, brigade: int, on: date, withdrawn: DailySheet | None = None
) -> list[Fault]:
    """Compare one brigade's day and raise, renew or close its notices. Returns what does not add up now.

    The caller's transaction carries it. Without an actor (the daily check) nothing is closed. Notices about a sheet
    that is `withdrawn` have nothing to be about any more. While a sheet is open for correction, what it was asked
    when it was signed stays asked.
    """
    its_brigade = lock_brigade(brigade)
    lock_questions(permit, brigade, on)
    its_permit = RemovalPermit.objects.get(pk=permit)
    found = days_of([permit], on=on, brigade=brigade)
    day = found[0] if found else None
    faults: list[Fault] = []
    subjects: list[Subject] = []
    if day is not None:
        faults = faults_of(day, permit=its_permit, brigade=its_brigade, rules=DayRules(), today=day_of(at))
        subjects = _subjects_of(day)
    if withdrawn is not None:
        subjects.append(("daily_sheet", str(withdrawn.pk)))
    if subjects:
        organisation = _who_explains(day) if day is not None and faults else None
        pending = set() if day is None else undecided(day)
        concerned = actor or (None if day is None else _who_wrote(day))
        _settle(
            actor=actor,
            at=at,
            subjects=subjects,
            organisation=organisation,
            faults=faults,
            pending=pending,
            caused_by=concerned,
        )
        hold_day_in_question(actor=actor, at=at, permit=permit, brigade=brigade, on=on, concerned=concerned)
    return faults


def hold_against_limits(*, actor: User | None, at: datetime, permit: int) -> None:
    """Alert the authority when animals taken exceed the permit, or its line of the decision.

    They were taken in fact, so they are recorded, never refused.
    """
    its_permit = lock_permit(permit)
    taken = animals_taken(RemovalPermit.objects.filter(pk=permit)).get(permit, 0)
    faults = []
    if taken > its_permit.animals_limit:
        figures = {"permit": its_permit.number, "animals": taken, "limit": its_permit.animals_limit}
        faults.append(Fault(f"{PREFIX}over_permit", Notice.Kind.ALERT, figures))
    limit = None if its_permit.limit_id is None else lock_line(its_permit.limit_id)
    if limit is not None:
        of_line = sum(animals_taken(RemovalPermit.objects.filter(limit=limit)).values())
        if of_line > limit.animals:
            figures = {"decision": limit.decision.number, "animals": of_line, "limit": limit.animals}
            faults.append(Fault(f"{PREFIX}over_decision", Notice.Kind.ALERT, figures))
    organisation = its_permit.holder if limit is None else limit.decision.authority
    subjects = [("removal_permit", str(permit))]
    _settle(actor=actor, at=at, subjects=subjects, organisation=organisation, faults=faults)


def check_days(*, at: datetime) -> int:
    """Raise what nobody closed by the day after: sheets and receptions left open, and one without the other.

    Also whatever else does not add up and was not raised when it happened. Returns how many days have a new notice.
    Each day is its own transaction, so that a long check holds nothing up.
    """
    today = day_of(at)
    permits = {permit.pk: permit for permit in RemovalPermit.objects.filter(season__ends_on__gte=today - LOOK_BACK)}
    brigades = {brigade.pk: brigade for brigade in Brigade.objects.filter(season__ends_on__gte=today - LOOK_BACK)}
    rules = DayRules()
    days = days_of(list(permits))
    known: dict[Subject, list[Notice]] = {}
    for kind, keys in _keys_of(days).items():
        for notice in Notice.objects.filter(code__startswith=PREFIX, subject_kind=kind, subject_id__in=keys):
            known.setdefault((kind, notice.subject_id), []).append(notice)
    raised = 0
    for day in days:
        permit, brigade = permits[day.permit_id], brigades.get(day.brigade_id)
        if brigade is None:
            continue
        faults = faults_of(day, permit=permit, brigade=brigade, rules=rules, today=today)
        told = [notice for subject in _subjects_of(day) for notice in known.get(subject, [])]
        if any(not _is_told(fault, told) for fault in faults):
            with transaction.atomic():
                reconcile_day(actor=None, at=at, permit=day.permit_id, brigade=day.brigade_id, on=day.on)
            raised += 1
    return raised


def _keys_of(days: Iterable[Day]) -> dict[str, list[str]]:
    keys: dict[str, list[str]] = {"daily_sheet": [], "intake": []}
    for day in days:
        for kind, key in _subjects_of(day):
            keys[kind].append(key)
    return keys


def _subjects_of(day: Day) -> list[Subject]:
    """What the notices of a day are about: its sheet, else its receptions; the first one takes new notices."""
    sheet = [] if day.sheet_id is None else [("daily_sheet", str(day.sheet_id))]
    return sheet + [("intake", str(pk)) for pk in day.intake_ids]


def _settle(
    *,
    actor: User | None,
    at: datetime,
    subjects: Sequence[Subject],
    organisation: Organisation | None,
    faults: Sequence[Fault],
    pending: Collection[str] = (),
    caused_by: User | None = None,
) -> None:
    """Make the notices about the subjects say what the faults say; those with a `pending` code are left alone."""
    about = Q()
    for kind, key in subjects:
        about |= Q(subject_kind=kind, subject_id=key)
    known = list(Notice.objects.filter(about, code__startswith=PREFIX))
    # What a person has explained waits for the authority's judgement, whatever the figures say by now.
    stale = [
        notice
        for notice in known
        if notice.state == Notice.State.OPEN
        and notice.explained_by_id is None
        and notice.code not in pending
        and not _is_in(notice, faults)
    ]
    for fault in faults:
        if organisation is None or _is_told(fault, known):
            continue
        replaced = [notice for notice in stale if notice.code == fault.code]
        due = [notice.due_on for notice in replaced if notice.due_on is not None]
        raise_notice(
            at=at,
            kind=fault.kind,
            code=fault.code,
            organisation=organisation,
            subject=subjects[0],
            due_on=min(due, default=discrepancy_due_on(at)),
            actor=actor,
            caused_by=caused_by,
            **fault.params,
        )
    if actor is None:
        return
    codes = {fault.code for fault in faults}
    for notice in stale:
        renewed = notice.code in codes
        settle_notice(
            actor=actor,
            at=at,
            notice=notice,
            decision=_("Replaced by a newer count") if renewed else _("Adds up after a correction"),
            reason=_("The register compared the figures again after they had been corrected."),
        )


def _is_told(fault: Fault, notices: Iterable[Notice]) -> bool:
    return any(notice.code == fault.code and notice.params == dict(fault.params) for notice in notices)


def _is_in(notice: Notice, faults: Iterable[Fault]) -> bool:
    return any(_is_told(fault, [notice]) for fault in faults)


def _who_explains(day: Day) -> Organisation:
    """The inspection that wrote the sheet or opened the reception: it supervises the removal."""
    if day.sheet_id is not None:
        return Organisation.objects.get(
            pk=DailySheet.objects.values_list("organisation", flat=True).get(pk=day.sheet_id)
        )
    intake = Intake.objects.select_related("store__custodian", "opened_by").get(pk=day.intake_ids[0])
    custodian = intake.store.custodian
    found = organisation_of(intake.opened_by, intake.region_id) or custodian
    if found is None:
        raise ValueError(intake.pk)
    return found


def _who_wrote(day: Day) -> User:
    """The person whose sheet, else whose reception, it is: what is found late at night is about that work."""
    if day.sheet_id is not None:
        return DailySheet.objects.select_related("entered_by").get(pk=day.sheet_id).entered_by
    return Intake.objects.select_related("opened_by").get(pk=day.intake_ids[0]).opened_by


def organisation_of(person: User, region: str) -> Organisation | None:
    """For whom the person receives in a region: the organisation of that region first."""
    mine = Organisation.objects.filter(pk__in=person.organisation_ids(Can.OPEN_INTAKE))
    return next(iter(sorted(mine, key=lambda body: (body.region_id != region, body.pk))), None)
