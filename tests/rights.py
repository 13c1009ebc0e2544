"""Applications, permits and hand-overs that tests begin with, reached by the services as people reach them."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from core.accounts.models import User
from core.base.clock import day_of
from ledger.models import CustodyAccount, Handover, HandoverLine
from marking.models import Mark, SigningKey
from marking.services.issue import register_and_mark
from marking.services.keys import ensure_signing_key
from permits import services
from permits.models import Application, Kind, Permit
from registry.models import Brigade, Derivative, Intake, RemovalPermit
from tests.builders import build_intake

Draft = Callable[..., Application]


@pytest.fixture
def signing_key(db: None) -> SigningKey:
    return ensure_signing_key(at=datetime(2025, 6, 1, tzinfo=UTC))


@pytest.fixture
def marked(signing_key: SigningKey, open_intake: Intake, inspector: User, now: datetime) -> list[Derivative]:
    """Six marked horns in the reception store of the state enterprise."""
    register_and_mark(actor=inspector, at=now, intake=open_intake)
    return list(Derivative.objects.filter(intake=open_intake).order_by("row"))


@pytest.fixture
def second_batch(
    signing_key: SigningKey,
    inspector: User,
    now: datetime,
    reception_store: CustodyAccount,
    permit_to_remove: RemovalPermit,
    brigade: Brigade,
) -> list[Derivative]:
    """Four more marked horns in the same store, of another intake."""
    intake = build_intake(
        actor=inspector, at=now, store=reception_store, permit=permit_to_remove, brigade=brigade, rows=4
    )
    register_and_mark(actor=inspector, at=now, intake=intake)
    return list(Derivative.objects.filter(intake=intake).order_by("row"))


def keys(derivatives: Sequence[Derivative]) -> list[int]:
    return [derivative.pk for derivative in derivatives]


def code_of(derivative: Derivative) -> str:
    return Mark.objects.active().get(derivative=derivative).code


def draft(
    *,
    actor: User,
    at: datetime,
    items: Sequence[Derivative],
    store: CustodyAccount,
    kind: Kind = Kind.TRANSPORT,
) -> Application:
    """A complete draft of the actor's only organisation."""
    applicant = actor.appointments_in_force[0].organisation
    application = services.open_application(
        actor=actor,
        at=at,
        kind=kind,
        applicant=applicant,
        wishes=services.Wishes(
            store=store,
            purpose="Supply of raw material under contract 7",
            wished_from=day_of(at),
            wished_until=day_of(at) + timedelta(days=20),
        ),
    )
    services.add_lines(actor=actor, at=at, application=application, item_ids=keys(items))
    return application


def submitted(**facts: object) -> Application:
    application = draft(**facts)  # type: ignore[arg-type]
    return services.submit_application(actor=facts["actor"], at=facts["at"], application=application)  # type: ignore[arg-type]


def approved(*, officer: User, **facts: object) -> Permit:
    application = submitted(**facts)
    assert application.wished_until is not None
    return services.approve_application(
        actor=officer,
        at=facts["at"],  # type: ignore[arg-type]
        application=application,
        valid_until=application.wished_until,
    )


def receive(handover: Handover, *, actor: User, at: datetime, without: Sequence[int] = ()) -> Handover:
    """Scan everything but `without`, and accept."""
    for item in (
        HandoverLine.objects.filter(handover=handover).exclude(item__in=without).values_list("item_id", flat=True)
    ):
        services.scan_goods(actor=actor, at=at, handover=handover, item_id=item)
    return services.accept_goods(
        actor=actor, at=at, handover=handover, difference_reason="One box came open." if without else ""
    )


@pytest.fixture
def application(
    storekeeper: User, now: datetime, marked: list[Derivative], trader_store: CustodyAccount
) -> Application:
    """The state enterprise asks to send six horns to the trader; submitted."""
    return submitted(actor=storekeeper, at=now, items=marked, store=trader_store)


@pytest.fixture
def permit(application: Application, authority_officer: User, now: datetime) -> Permit:
    """The six horns may go from the state enterprise to the trader."""
    assert application.wished_until is not None
    return services.approve_application(
        actor=authority_officer, at=now, application=application, valid_until=application.wished_until
    )


@pytest.fixture
def handover(permit: Permit, storekeeper: User, now: datetime, reception_store: CustodyAccount) -> Handover:
    """All six horns on their way to the trader under the permit."""
    return services.dispatch_goods(
        carried_by="A courier",
        actor=storekeeper,
        at=now,
        key="to-trader",
        source=reception_store,
        target=permit.store,
        item_ids=list(permit.lines.values_list("item_id", flat=True)),
        permit=permit,
    )


@pytest.fixture
def traders_horns(handover: Handover, trader: User, later: Callable[..., datetime]) -> list[Derivative]:
    """The six horns in the trader's own store, bought from the state enterprise."""
    receive(handover, actor=trader, at=later(hours=5))
    return list(Derivative.objects.filter(item__handover_lines__handover=handover).order_by("pk"))
