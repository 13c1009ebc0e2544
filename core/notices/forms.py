"""Deciding, explaining, judging, commenting, assigning."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from core.accounts.models import User
from core.base.forms import DayField
from core.notices.models import Notice
from core.notices.texts import outcomes_of


class DecisionForm(forms.Form):
    """What came of it, in the words that fit the notice, and why."""

    outcome = forms.ChoiceField(label=_("What came of it"), choices=[], widget=forms.RadioSelect)
    decision = forms.CharField(
        label=_("Decision"), max_length=200, help_text=_("In one sentence: what was found, what is done.")
    )
    reason = forms.CharField(
        label=_("Reason"),
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("How it is known: the act, the protocol, who was heard. It cannot be changed afterwards."),
    )

    def __init__(self, *args: Any, code: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        ends = outcomes_of(code)
        self.fields["outcome"].choices = [  # type: ignore[attr-defined]
            (value, label) for value, label in Notice.Outcome.choices if value in ends
        ]


class ExplanationForm(forms.Form):
    explanation = forms.CharField(
        label=_("Explanation"),
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("How it came about, and by what it is proved. The authority accepts it or returns it."),
    )


class ReturnForm(forms.Form):
    reason = forms.CharField(
        label=_("Why the explanation is not enough"), max_length=4000, widget=forms.Textarea(attrs={"rows": 3})
    )
    due_on = DayField(label=_("New day"), required=False)


class CommentForm(forms.Form):
    text = forms.CharField(label=_("Comment"), max_length=4000, widget=forms.Textarea(attrs={"rows": 2}))


class AssignForm(forms.Form):
    """To whom: somebody who may act, or nobody in particular."""

    person = forms.ChoiceField(label=_("Who acts"), required=False)

    def __init__(self, *args: Any, people: Sequence[User], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._people = {str(person.pk): person for person in people}
        choices = [("", _("Nobody in particular")), *((pk, person.full_name) for pk, person in self._people.items())]
        self.fields["person"].choices = choices  # type: ignore[attr-defined]

    @property
    def chosen(self) -> User | None:
        """Who was chosen; only after is_valid()."""
        return self._people.get(self.cleaned_data["person"])
