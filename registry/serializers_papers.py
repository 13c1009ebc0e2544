"""How programs name a removal permit: by its number, in whatever letters it was typed."""

from typing import Any

from rest_framework import serializers

from registry.models import RemovalPermit
from registry.numbers import alike


class PermitNumberField(serializers.SlugRelatedField[RemovalPermit]):
    """A removal permit by its number; Cyrillic letters are read as the Latin ones they look like."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(slug_field="number", queryset=RemovalPermit.objects.select_related("season"), **kwargs)

    def to_internal_value(self, data: Any) -> RemovalPermit:
        said = str(data)
        # Of earlier versions two may look alike: then the letters decide.
        known = list(RemovalPermit.objects.select_related("season").filter(number_alike=alike(said))[:2])
        return known[0] if len(known) == 1 else super().to_internal_value(data)
