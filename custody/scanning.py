"""What a person or a scanner gun typed: a mark in any form, a readable number, a batch, a box or a shelf."""

import re
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from core.accounts.models import User
from core.base.errors import BadInput
from ledger.models import Box, Shelf
from ledger.selectors import items_in_boxes
from ledger.sscc import SsccError, parse_sscc, show_sscc
from marking.carriers import carriers_of, item_of_carrier
from marking.codes import CodeError, group, parse
from marking.limits import check_by_person, spend_on_unknown
from marking.models import Mark
from marking.selectors import Reason
from marking.verdicts import SLOW_DOWN, say
from registry.models import Derivative, Intake

# A keyboard left in Cyrillic writes the same letters otherwise.
_LATIN = str.maketrans("КИН", "KIN")
_ITEM = re.compile(r"(KZ[0-9]{2})-?([0-9]{7,})")
_SHELF = re.compile(r"SHELF-?([0-9]{1,9})")
_BATCH = re.compile(r"(IN[0-9]{2})-?([0-9]{6,})")
# The mark itself proves nothing, whatever it is on.
_WORTHLESS = frozenset({Reason.REPLACED, Reason.OLD_COPY, Reason.VOID, Reason.SPOILED, Reason.LABEL_LOST, Reason.BLANK})


@dataclass(frozen=True, slots=True)
class Said:
    """A verdict for the big field: a few words, a sentence, and how grave it is (ok, attention, stop)."""

    tone: str
    title: StrOrPromise
    text: StrOrPromise = ""


@dataclass(frozen=True, slots=True)
class Scan:
    """What was read: an item, a batch, a box, a shelf, or `refused` with the reason. `text` is how to show it again:
    the number of an item, and the mark it was read from.

    `is_foreign` is true for a well-formed code that nothing in the registry has.
    """

    text: str
    item: Derivative | None = None
    batch: Intake | None = None
    box: Box | None = None
    shelf: Shelf | None = None
    refused: Said | None = None
    is_foreign: bool = False


def read_scan(text: str, *, person: User, own_hosts: Collection[str]) -> Scan:
    """Understand what was typed; at most three queries, one for a misread code.

    Whoever asks for codes that do not exist is searching, here as on the public page: then nothing more is told of
    codes for a while.
    """
    typed = text.strip()
    if not typed:
        return Scan("", refused=Said("attention", _("Nothing read"), _("Scan a label, or type what stands on it.")))
    tidy = "".join(typed.upper().split()).translate(_LATIN)
    if match := _ITEM.fullmatch(tidy):
        return _read_number(f"{match[1]}-{match[2]}")
    if match := _BATCH.fullmatch(tidy):
        number = f"{match[1]}-{match[2]}"
        batch = Intake.objects.filter(number=number, state=Intake.State.REGISTERED).first()
        refused = Said("stop", _("Not in the registry"), _("There is no registered reception with this number."))
        return Scan(number, batch=batch, refused=None if batch else refused)
    if match := _SHELF.fullmatch(tidy):
        shelf = Shelf.objects.select_related("account").filter(pk=int(match[1])).first()
        refused = Said("stop", _("No such shelf"), _("No store has a shelf with this label."))
        return Scan(tidy, shelf=shelf, refused=None if shelf else refused)
    with suppress(SsccError):
        return _read_box(parse_sscc(typed))
    return _read_mark(typed, person, own_hosts)


def find_items(texts: Sequence[str], *, person: User) -> list[int]:
    """Keys of the items that these numbers (KZ26-0012345), active mark codes and boxes name, in their order.

    A box stands for everything in it. Raises BadInput that names the texts that are nothing of the registry, and
    TooManyChecks.
    """
    found = _find(texts, person)
    return list(dict.fromkeys(key for text in texts for key in found[text]))


def find_each(texts: Sequence[str], *, person: User, field: str = "items") -> list[int]:
    """The key of the one item that each of these names, in their order.

    Raises BadInput that names the texts that are nothing of the registry, boxes, or an item named before; and
    TooManyChecks.
    """
    found = _find(texts, person)
    seen: set[int] = set()
    wrong = []
    for text in texts:
        if len(found[text]) != 1 or found[text][0] in seen or _is_box(text):
            wrong.append(text)
        seen.update(found[text])
    if wrong:
        words = _("Each item is named once, and boxes are not: %(items)s")
        raise BadInput(fields={field: words % {"items": ", ".join(wrong[:20])}})
    return [found[text][0] for text in texts]


def _is_box(text: str) -> bool:
    if _ITEM.fullmatch("".join(text.upper().split()).translate(_LATIN)):
        return False
    try:
        parse_sscc(text)
    except SsccError:
        return False
    return True


def _find(texts: Sequence[str], person: User) -> dict[str, list[int]]:
    numbers, codes_of, boxes = {}, {}, {}
    for text in texts:
        tidy = "".join(text.upper().split()).translate(_LATIN)
        if match := _ITEM.fullmatch(tidy):
            numbers[text] = f"{match[1]}-{match[2]}"
            continue
        with suppress(SsccError):
            boxes[text] = parse_sscc(text)
            continue
        with suppress(CodeError):
            codes_of[text] = parse(text)
    by_number = dict(Derivative.objects.filter(number__in=set(numbers.values())).values_list("number", "pk"))
    by_code = dict(Mark.objects.active().filter(pk__in=set(codes_of.values())).values_list("pk", "derivative_id"))
    found = {text: [by_number[number]] for text, number in numbers.items() if number in by_number}
    found |= {text: [by_code[code]] for text, code in codes_of.items() if by_code.get(code) is not None}
    found |= _content_of(boxes)
    found |= {text: [key] for text, key in carriers_of([text for text in texts if text not in found]).items()}
    unknown = [text for text in texts if text not in found]
    if codes_of:
        spend_on_unknown(len({codes_of[text] for text in unknown if text in codes_of}), person=person)
    if unknown:
        raise BadInput(fields={"items": _("Not in the registry: %(items)s") % {"items": ", ".join(unknown[:20])}})
    return found


def _content_of(boxes: Mapping[str, str]) -> dict[str, list[int]]:
    """The items in each of these boxes; nothing for a box that is not there or empty."""
    if not boxes:
        return {}
    known = dict(Box.objects.filter(sscc__in=set(boxes.values())).values_list("sscc", "pk"))
    content = items_in_boxes(known.values())
    return {text: content[known[sscc]] for text, sscc in boxes.items() if sscc in known and known[sscc] in content}


def _read_box(sscc: str) -> Scan:
    box = Box.objects.select_related("account").filter(sscc=sscc).first()
    if box is None:
        said = Said("stop", _("Not in the registry"), _("No box or pallet has this number."))
        return Scan(show_sscc(sscc), refused=said, is_foreign=True)
    return Scan(show_sscc(sscc), box=box)


def _read_number(number: str) -> Scan:
    item = Derivative.objects.filter(number=number).first()
    if item is None:
        said = Said("stop", _("Not in the registry"), _("No item has this number."))
        return Scan(number, refused=said, is_foreign=True)
    return Scan(number, item=item)


def _read_mark(text: str, person: User, own_hosts: Collection[str]) -> Scan:
    answer = check_by_person(text, person=person, own_hosts=own_hosts)
    if answer is None:
        return Scan("", refused=Said(SLOW_DOWN.tone, SLOW_DOWN.title, SLOW_DOWN.text))
    shown = group(answer.code) if answer.code else text[:60]
    if not answer.is_genuine:
        # Not our mark: perhaps what the item carries beside it.
        if (carrier := item_of_carrier(text)) is not None:
            return Scan(f"{carrier.derivative.number} · {carrier.shown}", item=carrier.derivative)
        said = say(answer)
        return Scan(shown, refused=Said(said.tone, said.title, said.text), is_foreign=bool(answer.code))
    if _WORTHLESS.intersection(answer.reasons):
        said = say(answer)
        return Scan(shown, refused=Said("stop", said.title, said.text))
    item = Derivative.objects.get(marks=answer.code)
    return Scan(f"{item.number} · {shown}", item=item)
