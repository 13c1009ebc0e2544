"""How programs name a store: by its code, wherever they name one."""

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise
from rest_framework import serializers

from ledger.models import CustodyAccount


def no_such_store(code: str) -> StrOrPromise:
    """What is said where a code names no store that the person may name there."""
    return StoreField.default_error_messages["does_not_exist"].format(value=code)


class StoreField(serializers.SlugRelatedField[CustodyAccount]):
    """A place that the person may know, by its code ("RP-27-1"); what is written is read by the same code."""

    default_error_messages = {"does_not_exist": _("No store that you know has the code “{value}”.")}

    def __init__(self, **kwargs: Any) -> None:
        queryset = None if kwargs.get("read_only") else CustodyAccount.objects.physical()
        super().__init__(slug_field="code", queryset=queryset, **kwargs)

    def get_queryset(self) -> QuerySet[CustodyAccount]:
        return CustodyAccount.objects.physical().visible_to(self.context["request"].user)
