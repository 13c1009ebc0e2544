"""Random histories of label stock: whatever people do in whatever order, the books add up, reel by reel."""

import uuid
from datetime import UTC, datetime

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.accounts.models import Organisation, User
from core.base.errors import DomainError
from core.documents.models import Document
from core.documents.services import keep_document
from marking.models import LabelEntry, LabelHolding, LabelMovement, LabelPlace, LabelReel, Mark
from marking.places import PlacesError, read_places, write_places
from marking.selectors_stock import office_rows, reel_rows, reels_that_differ
from marking.services.applying import apply_blank
from marking.services.destroying import ToDestroy, ask_destruction, destroy_labels
from marking.services.shipments import Counted, receive_reels, send_reels, turn_reels_back
from marking.services.stock import write_off
from registry.models import Derivative
from tests.files import picture
from tests.marks import build_series, print_out

NOW = datetime(2025, 11, 10, 5, 0, tzinfo=UTC)
ACTS = st.lists(
    st.tuples(
        st.sampled_from(["send", "receive", "turn_back", "apply", "spoil", "lose", "destroy", "destroy_found"]),
        st.integers(0, 1),  # which reel
        st.lists(st.integers(1, 6), max_size=3),  # which places
        st.booleans(),
    ),
    max_size=14,
)


@pytest.mark.django_db
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=ACTS)
def test_the_books_add_up_after_any_history(
    acts: list[tuple[str, int, list[int], bool]],
    signing_key: object,
    horns: list[Derivative],
    inspectorate: Organisation,
    okhotzooprom: Organisation,
    inspector: User,
    second_inspector: User,
    storekeeper: User,
    authority_officer: User,
) -> None:
    saved = transaction.savepoint()
    series = build_series(authority_officer, storekeeper, inspectorate, okhotzooprom, at=NOW, size=6)
    reels = list(series.reels.select_related("series"))
    for reel in reels:
        print_out(reel, storekeeper, at=NOW)
    history = _History(inspector, second_inspector, storekeeper, authority_officer, horns)
    for act, which, places, flag in acts:
        try:
            with transaction.atomic():
                history.do(act, reels[which], places, flag=flag)
        except DomainError:
            pass
        _check(reels)
    assert all(row.adds_up for row in office_rows(authority_officer))
    assert reels_that_differ() == []
    transaction.savepoint_rollback(saved)


class _History:
    """What people of two offices try, sensible or not."""

    def __init__(
        self, inspector: User, colleague: User, storekeeper: User, officer: User, horns: list[Derivative]
    ) -> None:
        self.people = (storekeeper, inspector)
        self.colleague = colleague
        self.officer = officer
        self.horns = horns

    def do(self, act: str, reel: LabelReel, places: list[int], *, flag: bool) -> None:
        actor, other = self.people if flag else tuple(reversed(self.people))
        office = Organisation.objects.get(pk__in=actor.organisation_ids())
        if act == "send":
            receiver = Organisation.objects.get(pk__in=other.organisation_ids())
            send_reels(actor=actor, at=NOW, receiver=receiver, reels=[reel])
        elif act == "receive":
            line = reel.shipment_lines.order_by("-pk").first()
            if line is not None:
                gone = list(
                    Mark.objects.filter(reel=reel, state="blank", place_on_reel__in=places).values_list(
                        "place_on_reel", flat=True
                    )
                )
                counts = {reel.pk: Counted(line.sent - len(gone), write_places(p for p in gone if p))}
                counter = self.colleague if line.shipment.turned_by_id else actor
                receive_reels(actor=counter, at=NOW, shipment=line.shipment, counts=counts)
        elif act == "turn_back":
            line = reel.shipment_lines.order_by("-pk").first()
            if line is not None:
                turn_reels_back(actor=actor, at=NOW, shipment=line.shipment, reason="They went the wrong way")
        elif act == "apply":
            photo = keep_document(
                actor=actor, at=NOW, kind=Document.Kind.PHOTO, name=f"{uuid.uuid4()}.png", content=picture()
            )
            mark = Mark.objects.get(reel=reel, place_on_reel=(places or [1])[0])
            apply_blank(
                actor=actor,
                at=NOW,
                code=mark.code,
                derivative=self.horns[len(places)],
                photo=photo,
                confirm_foreign=flag,
            )
        elif act in ("spoil", "lose"):
            kind = LabelMovement.Kind.SPOILED if act == "spoil" else LabelMovement.Kind.LOST
            write_off(actor=actor, at=NOW, reel=reel, places=places, kind=kind, reason="A storm took them away")
        else:
            found = write_places(places) if act == "destroy_found" else ""
            asked = ask_destruction(
                actor=actor,
                at=NOW,
                organisation=office,
                lines=[ToDestroy(reel, rest=flag, found=found)],
                reason="Old and spoiled labels",
                method="Shredded",
            )
            destroy_labels(actor=self.officer, at=NOW, destruction=asked)


def _check(reels: list[LabelReel]) -> None:
    """The database agrees at once, the entries make the holdings, and the three ways of counting are one."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    for row in reel_rows(reels):
        assert row.balance.issued == 6
        assert row.balance.adds_up
        entries: dict[str, int] = {}
        for place, pieces in LabelEntry.objects.filter(reel=row.reel).values_list("place", "pieces"):
            entries[place] = entries.get(place, 0) + pieces
        held: dict[str, int] = {}
        for place, pieces in LabelHolding.objects.filter(reel=row.reel).values_list("place", "pieces"):
            held[place] = held.get(place, 0) + pieces
        assert {place: count for place, count in entries.items() if count} == {
            place: count for place, count in held.items() if count
        }
        assert sum(entries.values()) == 0
        assert min(held[place] for place in held if place != LabelPlace.ISSUED) >= 0


@given(st.sets(st.integers(1, 500), max_size=60))
def test_places_are_read_as_they_are_written(places: set[int]) -> None:
    assert read_places(write_places(places), last=500) == sorted(places)


@pytest.mark.parametrize("text", ["0", "501", "5-3", "x", "1-", "-4", "1--3", "1.5", "9999999"])
def test_what_is_no_place_is_refused(text: str) -> None:
    with pytest.raises(PlacesError):
        read_places(text, last=500)


def test_places_are_read_with_any_dash_and_comma() -> None:
    assert read_places(" 3, 5 \u2013 7;9\n12 ", last=20) == [3, 5, 6, 7, 9, 12]
