"""Asking what an item carries beside its mark, and which item carries this."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from django.db.models import Q

from core.accounts.models import User
from core.accounts.roles import Can
from marking.models import Carrier
from marking.models.carriers import BARE, SERIAL, CarrierQuerySet
from marking.state_code import CarrierError, bare_seal, identities_without_gs, parse_seal, parse_state_code, parse_tid


def identities_in(text: str) -> list[str]:
    """What this text names if it is a state code, a chip or a seal; where its GS was lost, all it may name."""
    found = []
    for parse in (_state_identity, parse_tid, parse_seal):
        with suppress(CarrierError):
            found.append(parse(text))
    return list(dict.fromkeys([*found, *identities_without_gs(text)]))


def _seals_in(text: str) -> list[str]:
    """The seal that this text may be, without what stands between its signs."""
    with suppress(CarrierError):
        return [bare_seal(text)]
    return []


def _state_identity(text: str) -> str:
    return parse_state_code(text).identity


def find_carriers(among: CarrierQuerySet, text: str) -> CarrierQuerySet:
    """Those that a person may mean by this text: also by the serial number alone, or a seal without its hyphens."""
    text = text.replace("\0", "")
    serial = text.strip()
    named = Q(identity__in=identities_in(text)) | Q(kind=Carrier.Kind.STATE_CODE, serial__in={serial, serial.upper()})
    with suppress(CarrierError):
        named |= Q(kind=Carrier.Kind.SEAL, bare=bare_seal(text))
    return among.alias(serial=SERIAL, bare=BARE).filter(named)


def item_of_carrier(text: str) -> Carrier | None:
    """The bound carrier that this text names, with its item; none where two kinds claim the text."""
    found = list(find_carriers(Carrier.objects.bound(), text).select_related("derivative").order_by("pk")[:2])
    return found[0] if found and len({one.derivative_id for one in found}) == 1 else None


def carriers_of(texts: Sequence[str]) -> dict[str, int]:
    """The item of each text that names a bound carrier: one query, none for no texts."""
    wanted = {text: [*identities, *_seals_in(text)] for text in texts if (identities := identities_in(text))}
    if not wanted:
        return {}
    names = {identity for identities in wanted.values() for identity in identities}
    items: dict[str, set[int]] = {}
    for carrier in (
        Carrier.objects.bound()
        .alias(bare=BARE)
        .filter(Q(identity__in=names) | Q(kind=Carrier.Kind.SEAL, bare__in=names))
    ):
        for name in {carrier.identity, carrier.name}:
            items.setdefault(name, set()).add(carrier.derivative_id)
    found = {text: set().union(*(items.get(name, set()) for name in names)) for text, names in wanted.items()}
    return {text: next(iter(keys)) for text, keys in found.items() if len(keys) == 1}


def item_carriers(reader: User, item: int) -> dict[str, Any]:
    """What the page of an item shows of its carriers, the bound ones first: one query."""
    found = Carrier.objects.filter(derivative=item).select_related("bound_by", "end_asked_by", "ended_by")
    return {
        "carriers": sorted(found, key=lambda carrier: carrier.ended_at is not None),
        "binds_carriers": reader.can(Can.PRINT_LABELS),
        "ends_carriers": reader.can(Can.PRINT_LABELS) or reader.can(Can.APPROVE_MARKS),
    }
