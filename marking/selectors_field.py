"""What a phone needs to take records without network: little, nothing of persons, labels only as cut hashes."""

import base64
import hashlib
from datetime import date
from typing import Any

from django.db.models import QuerySet

from core.accounts.models import Organisation, User
from core.accounts.roles import Can
from marking.models import FieldDevice, FieldRecord, LabelReel, Mark
from registry.fields import CONDITIONS, SIDES
from registry.models import Case, CaseWord, Intake, Origin, Term
from registry.selectors import brigades_for_intake, permits_for_intake, plausibility, stores_for_intake

MOST_LISTED = 200
MOST_LABELS = 20_000
LABEL_BYTES = 5


def pack_for(user: User, on: date, language: str) -> dict[str, Any]:
    """Own stores, open receptions of horns, permits, brigades, cases without names of persons, agencies that seize,
    plausible bands, and the blank labels of the own offices as the first five bytes of SHA-256 of each code. A fixed
    number of queries.
    """
    rules = plausibility(on, Term.HORN)
    own_rooms = user.can(Can.REGISTER_SEIZURE)
    own = stores_for_intake(user, Origin.REMOVAL) | stores_for_intake(user, Origin.SEIZURE)
    open_here = Intake.objects.visible_to(user).open().filter(term=Term.HORN).select_related("store", "brigade", "case")
    return {
        "on": on.isoformat(),
        "stores": [_place(one) for one in stores_for_intake(user, Origin.REMOVAL).order_by("code")[:MOST_LISTED]],
        "rooms": [_place(one) for one in stores_for_intake(user, Origin.SEIZURE).order_by("code")[:MOST_LISTED]],
        "intakes": [
            {
                "id": one.pk,
                "number": one.number,
                "on": one.on.isoformat(),
                "origin": one.origin,
                "store": one.store.code,
                "brigade": one.brigade.name if one.brigade else "",
            }
            for one in open_here.filter(store__in=own.values("pk")).order_by("-pk")[:MOST_LISTED]
        ],
        "permits": [
            {
                "number": one.number,
                "region": one.region_id,
                "season": one.season_id,
                "first": one.season.starts_on.isoformat(),
                "last": one.season.ends_on.isoformat(),
            }
            for one in permits_for_intake(user, on)[:MOST_LISTED]
        ],
        "brigades": [
            {"id": one.pk, "name": one.name, "region": one.region_id, "season": one.season_id}
            for one in brigades_for_intake(user, on)[:MOST_LISTED]
        ],
        "cases": [
            {
                "number": one.number,
                "erdr": one.erdr_number,
                "protocol": one.protocol_number,
                "seized_on": one.seized_on.isoformat(),
            }
            for one in Case.objects.visible_to(user).order_by("-pk")[:MOST_LISTED]
        ],
        "agencies": [{"bin": one.bin, "name": one.name_in(language)} for one in _agencies()] if own_rooms else [],
        "detections": [{"code": one.code, "name": one.name_in(language)} for one in _detections()] if own_rooms else [],
        "bands": {column: list(band) for column, band in rules.bands.items()},
        **choices_in(language),
        "labels": labels_of(user),
    }


def choices_in(language: str) -> dict[str, dict[str, str]]:
    """What is chosen of a horn, in a language."""
    place = _place_of(language)
    return {
        "sides": {code: choice.names[place] for code, choice in SIDES.items()},
        "conditions": {code: choice.names[place] for code, choice in CONDITIONS.items()},
    }


def _agencies() -> QuerySet[Organisation]:
    """Who may have seized: bodies of the State."""
    return Organisation.objects.active().filter(kind__in=Organisation.STATE_BODIES).order_by("kind", "pk")[:MOST_LISTED]


def _detections() -> QuerySet[CaseWord]:
    return CaseWord.objects.filter(list=CaseWord.List.DETECTION, is_active=True)


def labels_of(user: User) -> str:
    """The blank labels that the person's offices keep: five bytes each, in order, in base 64. They name no code."""
    codes = (
        Mark.objects.filter(reel__in=LabelReel.objects.kept_by(user).values("pk"), state=Mark.State.BLANK)
        .order_by("pk")
        .values_list("pk", flat=True)[:MOST_LABELS]
    )
    cut = sorted(hashlib.sha256(code.encode()).digest()[:LABEL_BYTES] for code in codes)
    return base64.b64encode(b"".join(cut)).decode()


def news_for(device: FieldDevice) -> list[FieldRecord]:
    """Records of a phone that could not be entered at once, and what became of them, the latest first."""
    found = FieldRecord.objects.filter(device=device).exclude(state=FieldRecord.State.ACCEPTED)
    return list(found.select_related("intake").order_by("-sequence")[:MOST_LISTED])


def _place(store: Any) -> dict[str, str]:
    return {"code": store.code, "name": str(store.name), "region": store.region_id or ""}


def _place_of(language: str) -> int:
    return {"kk": 0, "ru": 1}.get(language[:2], 2)
