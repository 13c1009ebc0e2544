"""What tests of the marking room begin with."""

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from django.db import transaction

from core.accounts.models import Organisation, User
from core.jobs.models import Job
from marking.codes import new_code
from marking.models import KeyRequest, LabelReel, LabelRun, LabelSeries, Mark, MarkRequest, SigningKey
from marking.services.issue import register_and_mark
from marking.services.keys import declare_compromised, ensure_signing_key, take_into_use
from marking.services.orders import LabelOrder
from marking.services.shipments import Counted, receive_reels, send_reels
from marking.services.stock import confirm_printed, make_series, order_series, print_reel
from registry.models import Intake


@pytest.fixture
def one_window(monkeypatch: pytest.MonkeyPatch) -> None:
    """All questions of a test are counted in one window, however slowly they are asked."""
    monkeypatch.setattr("core.base.ratelimit.time", SimpleNamespace(time=lambda: 1_762_750_800.0))


def unused_code() -> str:
    """A well-formed code that no mark has."""
    return next(code for code in iter(new_code, "") if not Mark.objects.filter(pk=code).exists())


@pytest.fixture
def signing_key(db: None) -> SigningKey:
    """The system's first key, in use since long ago."""
    return ensure_signing_key(at=datetime(2025, 6, 1, tzinfo=UTC))


@pytest.fixture
def marks(signing_key: SigningKey, open_intake: Intake, inspector: User, now: datetime) -> list[Mark]:
    """The marks of six horns just registered, in the order of the weighing table."""
    register_and_mark(actor=inspector, at=now, intake=open_intake)
    return list(
        Mark.objects.filter(derivative__intake=open_intake)
        .select_related("derivative__intake")
        .order_by("derivative__row")
    )


@pytest.fixture
def seized_marks(signing_key: SigningKey, open_seizure: Intake, inspector: User, now: datetime) -> list[Mark]:
    """The marks of four seized horns in the evidence room."""
    register_and_mark(actor=inspector, at=now, intake=open_seizure)
    return list(
        Mark.objects.filter(derivative__intake=open_seizure)
        .select_related("derivative__intake")
        .order_by("derivative__row")
    )


def print_again(mark: Mark, payload: bytes, signature: bytes, *, asker: User, approver: User, at: datetime) -> None:
    """Raise the generation of a mark under the words of a second person, in one transaction; the label says this."""
    with transaction.atomic():
        asked = MarkRequest.objects.create(
            kind="reprint",
            mark=mark,
            reason="Torn in the store",
            asked_by=asker,
            asked_at=at,
        )
        MarkRequest.objects.filter(pk=asked.pk).update(state="approved", decided_by=approver, decided_at=at)
        Mark.objects.filter(pk=mark.pk).update(generation=mark.generation + 1, payload=payload, signature=signature)


def end_mark(mark: Mark, state: str, *, asker: User, approver: User, at: datetime) -> None:
    """A mark is void or replaced under the words of a second person, in one transaction."""
    with transaction.atomic():
        kind = "void" if state == "void" else "replace"
        asked = MarkRequest.objects.create(
            kind=kind, mark=mark, reason="Torn off by the wind", asked_by=asker, asked_at=at
        )
        MarkRequest.objects.filter(pk=asked.pk).update(state="approved", decided_by=approver, decided_at=at)
        Mark.objects.filter(pk=mark.pk).update(
            state=state, end_asked_by=asker, ended_by=approver, ended_at=at, end_reason="Torn off"
        )


def decide_key(key: SigningKey, kind: str, *, asker: User, second: User, at: datetime) -> SigningKey:
    """A key is taken into use or declared compromised under the words of a second person, in one transaction."""
    with transaction.atomic():
        asked = KeyRequest.objects.create(kind=kind, key=key, reason="Lost on the way", asked_by=asker, asked_at=at)
        KeyRequest.objects.filter(pk=asked.pk).update(state="approved", decided_by=second, decided_at=at)
        act = take_into_use if kind == "use" else declare_compromised
        return act(actor=second, at=at, key=key)


@pytest.fixture
def series(
    signing_key: SigningKey,
    storekeeper: User,
    inspectorate: Organisation,
    okhotzooprom: Organisation,
    authority_officer: User,
    now: datetime,
) -> LabelSeries:
    """Two reels of ten labels, ordered for the inspection, their codes drawn at the state enterprise."""
    return build_series(authority_officer, storekeeper, inspectorate, okhotzooprom, at=now)


@pytest.fixture
def reel(series: LabelSeries, inspector: User, storekeeper: User, now: datetime) -> LabelReel:
    """The first reel of the series: printed, sent to the inspection and received there by the inspector."""
    found = series.reels.get(reel=1)
    print_out(found, storekeeper, at=now)
    shipment = send_reels(actor=storekeeper, at=now, receiver=series.office, reels=[found])
    receive_reels(actor=inspector, at=now, shipment=shipment, counts={found.pk: Counted(found.size)})
    return found


@pytest.fixture
def blank(reel: LabelReel) -> Mark:
    """The first blank label of a reel that the inspection keeps."""
    return Mark.objects.get(reel=reel, place_on_reel=1)


def build_series(
    orderer: User,
    maker: User,
    office: Organisation,
    printer: Organisation,
    *,
    at: datetime,
    reels: int = 2,
    size: int = 10,
) -> LabelSeries:
    """A series whose codes are drawn."""
    ordered = order_series(
        actor=orderer,
        at=at,
        office=office,
        printer=printer,
        purpose="Field season",
        profile="roll-50x25",
        reel_count=reels,
        reel_size=size,
    )
    make_series(actor=maker, at=at, series=ordered)
    ordered.refresh_from_db()
    return ordered


def print_out(reel: LabelReel, operator: User, *, at: datetime) -> LabelRun:
    """The reel as it comes out of the printer; the drawing itself has tests of its own."""
    run = print_reel(actor=operator, at=at, reel=reel, order=LabelOrder("roll-50x25"))
    Job.objects.filter(pk=run.job_id).update(state="done", started_at=at, finished_at=at, result={})
    confirm_printed(actor=operator, at=at, reel=reel, device="Zebra ZD421")
    return run
