"""The form by which anybody tells what is wrong with a label."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from marking.models import Tip
from marking.services.tips import MAX_PHOTO_BYTES


class TipForm(forms.Form):
    """Everything but the kind of trouble may stay empty."""

    read = forms.CharField(label=_("Code of the mark"), required=False, max_length=500, strip=True)
    about = forms.ChoiceField(
        label=_("What is wrong?"), choices=Tip.About.choices, widget=forms.RadioSelect, initial=Tip.About.COPY
    )
    words = forms.CharField(
        label=_("In your words"), required=False, max_length=2000, widget=forms.Textarea(attrs={"rows": 4})
    )
    place = forms.CharField(label=_("Where you saw it"), required=False, max_length=200)
    photo = forms.FileField(
        label=_("Photo"),
        required=False,
        help_text=_("Place, time and camera are taken out of it before it is kept."),
        widget=forms.FileInput(attrs={"accept": "image/*", "capture": "environment"}),
    )
    contact = forms.CharField(
        label=_("How we can reach you"),
        required=False,
        max_length=200,
        help_text=_("Only if you want. Nothing else about you is kept."),
    )

    def clean_photo(self) -> Any:
        photo = self.cleaned_data["photo"]
        if photo and photo.size > MAX_PHOTO_BYTES:
            raise forms.ValidationError(_("The photo is larger than 20 MB."))
        return photo
