"""What a service refused, shown where the person can mend it."""

from django import forms

from core.base.errors import DomainError


def add_refusal(form: forms.BaseForm, refusal: DomainError) -> None:
    """Put the refusal beside the fields it names, or above the form when it names none of them."""
    named = {name: text for name, text in refusal.fields.items() if name in form.fields}
    for name, text in named.items():
        form.add_error(name, str(text))
    if not named:
        form.add_error(None, str(refusal))
