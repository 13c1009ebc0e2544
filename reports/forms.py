"""What a person fills in to ask for a statement."""

from datetime import date
from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from core.accounts.models import User
from core.base.forms import DayField
from ledger.filters import StoreChoice
from ledger.models import CustodyAccount
from reports.models import Statement, statement_accounts


class StatementForm(forms.Form):
    """A store, a period with both days included, and the language of the paper."""

    account = StoreChoice(label=_("Store"), queryset=CustodyAccount.objects.none(), empty_label=_("Choose a store"))
    starts_on = DayField(label=_("First day"))
    ends_on = DayField(label=_("Last day"), help_text=_("Both days are included."))
    language = forms.ChoiceField(label=_("Language of the statement"), choices=settings.LANGUAGES)

    def __init__(self, *args: Any, asker: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["account"]
        field.queryset = statement_accounts(asker).filter(is_active=True)


def first_guess(asker: User, *, today: date, language: str) -> dict[str, object]:
    """What the form begins with: the store asked for last, and this month so far."""
    last = Statement.objects.filter(asked_by=asker).order_by("-pk").values_list("account", flat=True).first()
    return {"account": last, "starts_on": today.replace(day=1), "ends_on": today, "language": language}
