"""Numbers and names of papers as people copy them.

Cyrillic letters are read as the Latin ones they look like, without spaces and case.
"""

from django.db.models import CharField, Func, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Upper

CYRILLIC = "АаВвЕеЁёКкМмНнОоРрСсТтУуХхІіЅѕЈјҮүҺһ"
LATIN = "AABBEEEEKKMMHHOOPPCCTTYYXXIISSJJYYHH"


def alike(number: str | Combinable) -> Upper:
    """What a number looks like, computed by the database: `Р 26/м` is `P26/M`."""
    plain = Func(
        number if isinstance(number, Combinable) else Value(number),
        Value(r"\s+"),
        Value(""),
        Value("g"),
        function="regexp_replace",
        output_field=CharField(),
    )
    return Upper(Func(plain, Value(CYRILLIC), Value(LATIN), function="translate", output_field=CharField()))


def alike_sql(column: str) -> str:
    """The same in the words of a trigger."""
    return f"upper(translate(regexp_replace({column}, '\\s+', '', 'g'), '{CYRILLIC}', '{LATIN}'))"
