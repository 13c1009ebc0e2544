"""The act by which goods go back to their owner, on paper, in the language of the reader."""

from collections.abc import Sequence

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from core.base.clock import ALMATY
from core.base.templatetags.fmt import count, day, short_day
from core.documents.acts import Act, Column, Fact, Language, Party, Rows, Signatory, draw_act
from ledger.models import Holding
from registry.models import Case, Derivative, ReturnAct

LANGUAGES: tuple[Language, Language] = ("kk", "ru")


def draw_return_act(
    act: ReturnAct, case: Case, items: Sequence[int], picture: bytes | None, language: Language
) -> bytes:
    """The act as it is signed: who gives, who receives by which document and decision, and every item."""
    with translation.override(language):
        goods = Derivative.objects.in_bulk(items)
        masses = dict(Holding.objects.filter(item__in=items, pieces__gt=0).values_list("item_id", "grams"))
        decision = act.decision
        owner = act.owner.full_name if act.owner else decision.returned_to
        place = Holding.objects.filter(item=items[0], pieces__gt=0).select_related("account__custodian").get().account
        giver, signed = place.custodian, act.handed_at.astimezone(ALMATY).strftime("%d.%m.%Y %H:%M")
        paper = Act(
            title=_("Act of return to the owner"),
            number=act.number,
            dated=str(day(act.handed_at)),
            place=place.name,
            issuer=giver.name if giver else "",
            parties=(
                Party(
                    _("Gives"),
                    giver.name if giver else "",
                    tuple(person.full_name for person in (act.handed_by, act.second) if person),
                ),
                Party(
                    _("Receives"),
                    act.receiver_name,
                    tuple(
                        line
                        for line in (
                            act.receiver_document,
                            _("IIN %(iin)s") % {"iin": act.receiver_iin} if act.receiver_iin else "",
                            _("For %(owner)s by power of attorney %(paper)s") % {"owner": owner, "paper": act.on_behalf}
                            if act.on_behalf
                            else "",
                        )
                        if line
                    ),
                ),
            ),
            facts=(
                Fact(_("Case"), case.name),
                Fact(_("Court decision"), f"{decision.court}, № {decision.number}, {short_day(decision.decided_on)}"),
                Fact(_("In legal force on"), str(short_day(decision.in_force_on))),
            ),
            intro=(_("By the decision of the court the goods listed below are given back to their owner."),),
            tables=(
                Rows(
                    columns=(
                        Column("№", 1, flush_right=True),
                        Column(_("Number"), 3),
                        Column(_("Term"), 3),
                        Column(_("Mass, g"), 2, flush_right=True),
                    ),
                    rows=[
                        (str(line), goods[item].number, str(goods[item].get_term_display()), count(masses.get(item, 0)))
                        for line, item in enumerate(items, 1)
                    ],
                    totals=("", _("In all: %(count)d") % {"count": len(items)}, "", count(sum(masses.values()))),
                ),
            ),
            text=(_("I have received the goods in full and have no claims."),),
            signatories=(
                Signatory(role=_("Gave"), name=act.handed_by.full_name, signed=signed),
                Signatory(role=_("Second person"), name=act.second.full_name if act.second else "", signed=signed),
                Signatory(
                    role=pgettext("signature", "Received"),
                    name=act.receiver_name,
                    signed=signed if picture else "",
                    picture=picture,
                ),
            ),
            link=f"https://{settings.PUBLIC_HOST}/cases/{case.pk}/",
        )
        return draw_act(paper, language)
