"""Writes around the services: what the database itself refuses."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.models import QuerySet

from core.accounts.models import Organisation, User
from core.accounts.roles import Role
from core.accounts.services import end_appointment
from ledger.models import CustodyAccount, Handover
from permits import services
from permits.models import Application, ApplicationLine, Decision, Permit, PermitEnding, PermitLine
from registry.models import Derivative
from tests.cast import give_role
from tests.rights import draft, receive


def refused(write: Callable[[], Any], by: str) -> None:
    """The write fails, and the database names this constraint, or says this."""
    with pytest.raises(DatabaseError) as refusal:
        _try_whole(write)
    diagnosis = getattr(refusal.value.__cause__, "diag", None)
    assert by in f"{getattr(diagnosis, 'constraint_name', '')} {refusal.value}", refusal.value


def _try_whole(write: Callable[[], Any]) -> None:
    """Do it, and what the database checks at commit, too."""
    with transaction.atomic():
        write()
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def delete(rows: QuerySet[Any]) -> Callable[[], Any]:
    """DELETE as the database gets it, without Django's own look at what refers to the rows."""
    return lambda: rows._raw_delete("default")


def decision(application: Application, who: User, at: datetime, **facts: Any) -> Callable[[], Decision]:
    given = {"round": application.round, "outcome": "approved", **facts}
    return lambda: Decision.objects.create(application=application, decided_by=who, decided_at=at, **given)


def test_the_submitter_does_not_decide(application: Application, storekeeper: User, now: datetime) -> None:
    refused(decision(application, storekeeper, now), "decider_is_not_the_applicant")


def test_a_colleague_of_the_applicant_does_not_decide(
    application: Application,
    authority_officer: User,
    administrator: User,
    okhotzooprom: Organisation,
    now: datetime,
    later: Callable[..., datetime],
) -> None:
    role = give_role(authority_officer, Role.STOREKEEPER, okhotzooprom, by=administrator, at=now)
    refused(decision(application, authority_officer, now), "decider_is_not_the_applicant")

    # Leaving the firm after the application was opened does not make a stranger of anybody.
    end_appointment(actor=administrator, at=later(hours=2), appointment=role)

    refused(decision(application, authority_officer, later(hours=3)), "decider_is_not_the_applicant")
    with pytest.raises(services.DeciderIsApplicant):
        services.return_application(
            actor=authority_officer, at=later(hours=3), application=application, reason="As the act says"
        )


def test_a_decision_answers_a_round_that_waits_and_only_once(
    application: Application,
    authority_officer: User,
    second_officer: User,
    storekeeper: User,
    now: datetime,
    marked: list[Derivative],
    trader_store: CustodyAccount,
) -> None:
    other = draft(actor=storekeeper, at=now, items=marked[:1], store=trader_store)
    refused(decision(other, authority_officer, now), "decision_answers_what_waits")
    refused(decision(application, authority_officer, now, round=2), "decision_answers_what_waits")

    decision(application, authority_officer, now)()

    refused(decision(application, second_officer, now), "one_decision_a_round")


def test_a_decision_is_whole_and_stays(application: Application, authority_officer: User, now: datetime) -> None:
    refused(decision(application, authority_officer, now, outcome="returned"), "decision_says_why")
    refused(decision(application, authority_officer, now, outcome="refused", reason="No."), "refusal_names_the_article")
    made = decision(application, authority_officer, now, outcome="returned", reason="Mend it, as told")()

    refused(lambda: Decision.objects.filter(pk=made.pk).update(reason="Other, as told"), "Cannot update")
    refused(delete(Decision.objects.filter(pk=made.pk)), "delete rows")


@pytest.mark.parametrize("state", ["approved", "refused", "returned"])
def test_no_state_of_a_decision_without_the_decision(application: Application, state: str) -> None:
    refused(
        lambda: Application.objects.filter(pk=application.pk).update(state=state),
        "application_is_decided_by_a_decision",
    )


def test_states_change_as_the_table_says(application: Application, storekeeper: User, now: datetime) -> None:
    update = Application.objects.filter(pk=application.pk).update
    refused(lambda: update(state="draft"), "application_follows_the_table")
    refused(lambda: update(state="in_review"), "review_has_a_reviewer")
    refused(lambda: update(state="withdrawn"), "application_withdrawn_all_or_none")
    services.withdraw_application(actor=storekeeper, at=now, application=application)
    refused(lambda: update(purpose="Other"), "Cannot update")
    refused(delete(Application.objects.filter(pk=application.pk)), "delete rows")


def test_an_application_begins_as_a_draft(application: Application, storekeeper: User, now: datetime) -> None:
    refused(
        lambda: Application.objects.create(
            kind="transport",
            state="submitted",
            applicant=application.applicant,
            opened_by=storekeeper,
            opened_at=now,
        ),
        "application_begins_as_draft",
    )


@pytest.mark.parametrize(
    "change",
    [
        {"purpose": "Other"},
        {"wished_until": date(2026, 1, 1)},
        {"round": 5},
        {"due_on": date(2026, 1, 1)},
        {"kind": "domestic_sale"},
        {"number": "AP25-999999"},
    ],
)
def test_what_was_submitted_stays(application: Application, change: dict[str, Any]) -> None:
    refused(lambda: Application.objects.filter(pk=application.pk).update(**change), "")


def test_lines_of_a_submitted_application_are_fixed(application: Application, second_batch: list[Derivative]) -> None:
    refused(
        lambda: ApplicationLine.objects.create(application=application, item=second_batch[0]),
        "lines_change_before_submission",
    )
    refused(delete(application.lines.all()), "lines_change_before_submission")
    refused(lambda: application.lines.update(item=second_batch[0]), "Cannot update")


def test_a_permit_says_what_was_approved_and_stays(
    permit: Permit, application: Application, second_batch: list[Derivative], other_trader_store: CustodyAccount
) -> None:
    rows = Permit.objects.filter(pk=permit.pk)
    refused(lambda: rows.update(valid_until=date(2030, 1, 1)), "Cannot update")
    refused(delete(rows), "delete rows")
    refused(
        lambda: PermitLine.objects.create(permit=permit, row=99, item=second_batch[0], grams=1),
        "permit_lines_are_issued_with_it",
    )
    refused(lambda: permit.lines.update(grams=1), "Cannot update")
    refused(delete(permit.lines.all()), "delete rows")


def test_no_permit_without_an_approval(
    application: Application, authority_officer: User, second_officer: User, now: datetime
) -> None:
    made = decision(application, authority_officer, now)()
    facts = {
        "application": application,
        "decision": made,
        "number": "PM25-777777",
        "kind": application.kind,
        "holder": application.applicant,
        "receiver": application.receiver,
        "store": application.store,
        "valid_from": now.date(),
        "valid_until": now.date(),
        "pieces": 6,
        "grams": 1200,
        "issued_by": authority_officer,
        "issued_at": now,
    }
    refused(lambda: Permit.objects.create(**facts), "permit_says_what_was_approved")
    Application.objects.filter(pk=application.pk).update(state="approved")
    refused(lambda: Permit.objects.create(**{**facts, "holder": application.receiver}), "permit_says_what_was_approved")
    refused(lambda: Permit.objects.create(**{**facts, "issued_by": second_officer}), "permit_says_what_was_approved")


def test_a_permit_covers_only_what_was_applied_for(
    application: Application, authority_officer: User, now: datetime, second_batch: list[Derivative]
) -> None:
    def issue_and_smuggle() -> None:
        permit = services.approve_application(
            actor=authority_officer, at=now, application=application, valid_until=date(2025, 11, 30)
        )
        PermitLine.objects.create(permit=permit, row=99, item=second_batch[0], grams=1)

    refused(issue_and_smuggle, "permit_covers_what_was_applied_for")
    assert not Permit.objects.exists()


def test_a_permit_line_is_used_once_and_an_ending_is_for_good(
    permit: Permit, handover: Handover, trader: User, authority_head: User, later: Callable[..., datetime]
) -> None:
    receive(handover, actor=trader, at=later(hours=1))
    refused(lambda: permit.lines.update(handover=None, used_at=None), "Cannot update")
    refused(lambda: PermitEnding.objects.update(kind="expired"), "Cannot update")
    refused(
        lambda: PermitEnding.objects.create(
            permit=permit,
            kind="revoked",
            reason="Again, as told",
            ended_by=authority_head,
            ended_at=later(hours=2),
        ),
        "permit",
    )


def test_a_revocation_says_who_and_why(permit: Permit, authority_head: User, now: datetime) -> None:
    refused(
        lambda: PermitEnding.objects.create(permit=permit, kind="revoked", ended_by=authority_head, ended_at=now),
        "revocation_says_who_and_why",
    )


def test_nobody_accepts_their_own_dispatch_even_by_hand(handover: Handover, storekeeper: User, now: datetime) -> None:
    refused(
        lambda: Handover.objects.filter(pk=handover.pk).update(state="accepted", closed_by=storekeeper, closed_at=now),
        "nobody_accepts_own_dispatch",
    )
