"""What is said on labels and to the public, in words anybody understands."""

from collections.abc import Mapping

from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from registry.models import Origin, Term

# On a label and as the answer to "what is it?".
THINGS: Mapping[str, StrOrPromise] = {
    Term.HORN: _("Saiga horn"),
    Term.HORN_PIECE: _("Piece of saiga horn"),
    Term.HORN_CARVING: _("Saiga horn carving"),
    Term.MEAT: _("Saiga meat"),
    Term.SKIN: _("Saiga hide"),
    Term.SKIN_PIECE: _("Piece of saiga hide"),
    Term.TROPHY: _("Saiga trophy"),
    Term.POWDER: _("Saiga horn powder"),
    Term.MEDICINE: _("Medicine with saiga horn"),
}

ORIGINS: Mapping[str, StrOrPromise] = {
    Origin.REMOVAL: _("Taken lawfully, under a permit of the State to remove animals"),
    Origin.FOUND: _("Found in the steppe after a natural death and handed in"),
    Origin.SEIZURE: _("Seized from an illegal holder; the court has not decided yet"),
    "decided": _("Seized from an illegal holder; a court has decided"),
    Origin.CONFISCATED: _("Confiscated by decision of a court"),
    Origin.OLD_STOCK: _("From stock older than the marking of saiga derivatives"),
    Origin.IMPORTED: _("Brought in from another country"),
    Origin.UNKNOWN: _("Origin not known"),
}

STOCK: Mapping[str, StrOrPromise] = {
    "roll-50x25": _("Roll, 50 × 25 mm"),
    "roll-58x40": _("Roll, 58 × 40 mm"),
    "roll-100x150": _("Roll, 100 × 150 mm"),
    "a4-65": _("A4 sheet of 65, 38.1 × 21.2 mm"),
    "a4-21": _("A4 sheet of 21, 63.5 × 38.1 mm"),
    "a4-14": _("A4 sheet of 14, 99.1 × 38.1 mm"),
    "a4-10": _("A4 sheet of 10, 99.1 × 57 mm"),
}

# What may be written beside the code.
FIELDS: Mapping[str, StrOrPromise] = {
    "caption": _("Name of the registry"),
    "term": _("What it is"),
    "number": _("Number"),
    "mass": _("Mass"),
    "dated": _("Date"),
}

# As they stand on Chinese maps, by the two digits of ISO 3166-2; elsewhere a region has its Latin name beside it.
REGIONS_IN_CHINESE: dict[str, str] = {
    "10": "阿拜州",
    "11": "阿克莫拉州",
    "15": "阿克托别州",
    "19": "阿拉木图州",
    "23": "阿特劳州",
    "27": "西哈萨克斯坦州",
    "31": "江布尔州",
    "33": "杰特苏州",
    "35": "卡拉干达州",
    "39": "科斯塔奈州",
    "43": "克孜勒奥尔达州",
    "47": "曼格斯套州",
    "55": "巴甫洛达尔州",
    "59": "北哈萨克斯坦州",
    "61": "突厥斯坦州",
    "62": "乌勒套州",
    "63": "东哈萨克斯坦州",
    "71": "阿斯塔纳",
    "75": "阿拉木图市",
    "79": "奇姆肯特",
}
