"""What is weighed, measured and written of each kind of derivative: one table for pages, files, programs and samples.

Pure: knows no Django. A field is a column of the weighing table and of the derivative; `FIELDS` says which of them a
term has, in the order in which one works. Masses are kept in whole grams, lengths in whole millimetres.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum, auto

HORN, PIECE, CARVING, MEAT, HIDE, HIDE_PIECE = "HOR", "HOP", "HOC", "MEA", "SKI", "SKP"
TROPHY, POWDER, MEDICINE = "TRO", "POW", "MED"

MAX_MASS_G = 99_999
MAX_LENGTH_MM = 9_999
MAX_NOTE = 200
MAX_ROWS = 200_000  # rows of one intake, and of one file
# Three bytes of a mark's statement.
MAX_PACKAGE_G = 16_777_215


class Kind(StrEnum):
    """How a field is read."""

    CHOICE = auto()
    MASS = auto()
    LENGTH = auto()
    COUNT = auto()
    DAY = auto()
    TEXT = auto()
    PAIR = auto()


@dataclass(frozen=True, slots=True)
class Choice:
    """One word of a list: its names in Kazakh, Russian and English, and other words that mean it."""

    names: tuple[str, str, str]
    others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Field:
    """A column. `key` names its cell on pages and in problems, `column` its place in the database."""

    key: str
    column: str
    kind: Kind
    names: tuple[str, str, str]
    unit: str = ""
    most: int = 0
    required: bool = False
    choices: Mapping[str, Choice] | None = None
    default: str = ""
    headings: tuple[str, ...] = ()
    # Shown only when asked for: measures that not every reception takes.
    is_extra: bool = False

    def name(self, language: str) -> str:
        """What people of this language call it."""
        return self.names[{"kk": 0, "ru": 1}.get(language[:2], 2)]

    def heading(self, language: str) -> str:
        """Its name with the unit, as a table is headed."""
        unit = UNITS.get(self.unit, (self.unit,) * 3)[{"kk": 0, "ru": 1}.get(language[:2], 2)]
        return f"{self.name(language)}, {unit}" if unit else self.name(language)

    def choice_name(self, code: str, language: str) -> str:
        """The word for a code of its list."""
        choice = (self.choices or {}).get(code)
        return choice.names[{"kk": 0, "ru": 1}.get(language[:2], 2)] if choice else code

    @property
    def empty(self) -> str | None:
        """What stands in the database where nothing is written."""
        return self.default if self.kind in (Kind.CHOICE, Kind.TEXT, Kind.PAIR) else None


UNITS = {"g": ("г", "г", "g"), "kg": ("кг", "кг", "kg"), "mm": ("мм", "мм", "mm"), "mg": ("мг", "мг", "mg")}

SIDES = {
    "L": Choice(("сол", "левый", "left"), ("l", "с", "c", "л", "лев", "левая", "сол жақ")),
    "R": Choice(("оң", "правый", "right"), ("r", "о", "o", "п", "прав", "правая", "оң жақ")),
    "U": Choice(
        ("анықталмаған", "не установлено", "unknown"),
        ("u", "?", "-", "—", "б", "белгісіз", "н", "неизвестно", "неизвестен", "не определена"),
    ),
}
CONDITIONS = {
    "whole": Choice(("бүтін", "целый", "whole"), ("intact", "целая", "целое", "целые")),
    "cracked": Choice(
        ("жарылған", "треснувший", "cracked"), ("жарықшақ", "треснут", "с трещиной", "трещина", "поврежден")
    ),
    "broken": Choice(("сынған", "сломанный", "broken"), ("сломан", "обломан", "обломанный")),
    "decayed": Choice(("шіріген", "разрушенный", "decayed"), ("бүлінген", "гнилой", "разрушен", "испорчен", "spoiled")),
}
PACKAGES = {
    "bag": Choice(("қап", "мешок", "bag"), ("sack", "қапшық", "мешки")),
    "packet": Choice(("пакет", "пакет", "packet"), ("пакеттер", "пакеты", "pouch")),
    "box": Choice(("жәшік", "ящик", "box"), ("қорап", "коробка", "crate")),
    "jar": Choice(("банка", "банка", "jar"), ("құты",)),
    "drum": Choice(("барабан", "барабан", "drum"), ("бөшке", "бочка", "barrel")),
    "other": Choice(("басқа", "иная", "other"), ("другая", "прочая")),
}
CUTS = {
    "carcass": Choice(("бүтін ұша", "целая туша", "whole carcass"), ("ұша", "туша", "туши", "carcass", "carcasses")),
    "half": Choice(("жарты ұша", "полутуша", "half carcass"), ("полутуши", "half")),
    "quarter": Choice(("ширек ұша", "четвертина", "quarter"), ("четверть", "четвертины")),
    "boneless": Choice(("сүйексіз ет", "мясо без костей", "boneless"), ("бескостное", "обваленное", "жилованное")),
    "bone_in": Choice(("сүйекті ет", "мясо на кости", "bone-in"), ("на кости", "bone in")),
    "minced": Choice(("тартылған ет", "фарш", "minced"), ()),
    "offal": Choice(("ішек-қарын", "субпродукты", "offal"), ("субпродукт",)),
}
MEAT_STATES = {
    "fresh": Choice(("балғын", "парное", "fresh"), ("парная", "свежее")),
    "chilled": Choice(("салқындатылған", "охлажденное", "chilled"), ("охлажденная", "охлаждённое")),
    "frozen": Choice(("мұздатылған", "замороженное", "frozen"), ("мороженое", "замороженная")),
    "salted": Choice(("тұздалған", "соленое", "salted"), ("солёное",)),
    "dried": Choice(("кептірілген", "сушеное", "dried"), ("сушёное", "вяленое")),
}
HIDE_STATES = {
    "raw": Choice(("шикі", "сырая", "raw"), ("парная", "green")),
    "salted": Choice(("тұздалған", "соленая", "salted"), ("солёная", "мокросоленая", "сухосоленая")),
    "dried": Choice(("кептірілген", "сухая", "dried"), ("пресно-сухая", "сушеная")),
    "dressed": Choice(("иленген", "выделанная", "dressed"), ("tanned",)),
}

_MASS = Field(
    "mass",
    "mass_g",
    Kind.MASS,
    ("Массасы", "Масса", "Mass"),
    unit="g",
    most=MAX_MASS_G,
    required=True,
    headings=("weight", "массасы", "масса", "салмағы", "салмақ", "вес", "net mass", "нетто", "масса нетто", "net"),
)
_NET = replace(_MASS, names=("Таза массасы", "Масса нетто", "Net mass"), most=MAX_PACKAGE_G)
_GROSS = Field(
    "gross",
    "gross_g",
    Kind.MASS,
    ("Брутто массасы", "Масса брутто", "Gross mass"),
    unit="g",
    most=MAX_PACKAGE_G,
    headings=("gross", "брутто"),
)
_SIDE = Field(
    "side",
    "side",
    Kind.CHOICE,
    ("Жағы", "Сторона", "Side"),
    choices=SIDES,
    default="U",
    headings=("horn side", "жақ", "мүйіз жағы", "рог"),
)
_LENGTH = Field(
    "length",
    "length_mm",
    Kind.LENGTH,
    ("Сыртқы ұзындығы", "Наружная длина", "Outer length"),
    unit="mm",
    most=MAX_LENGTH_MM,
    headings=("length", "ұзындығы", "ұзындық", "длина", "длина наружная", "длина по наружной стороне"),
)
_STRAIGHT = Field(
    "straight",
    "straight_mm",
    Kind.LENGTH,
    ("Түзу ұзындығы", "Прямая длина", "Straight length"),
    unit="mm",
    most=MAX_LENGTH_MM,
    headings=("straight", "длина прямая", "длина по прямой", "түзу ұзындық"),
    is_extra=True,
)
_BASE = Field(
    "base",
    "base_mm",
    Kind.LENGTH,
    ("Түбінің шеңбері", "Обхват основания", "Base circumference"),
    unit="mm",
    most=MAX_LENGTH_MM,
    headings=("base", "обхват", "окружность основания", "түп шеңбері", "circumference"),
    is_extra=True,
)
_RINGS = Field(
    "rings",
    "rings",
    Kind.COUNT,
    ("Сақиналары", "Кольца", "Rings"),
    most=60,
    headings=("сақина саны", "сақина", "число колец", "количество колец"),
    is_extra=True,
)
_PAIR = Field(
    "pair",
    "pair",
    Kind.PAIR,
    ("Жұбы", "Пара", "Paired horn"),
    headings=("pair", "жұп мүйіз", "парный рог", "pair of"),
    is_extra=True,
)
_CONDITION = Field(
    "condition",
    "condition",
    Kind.CHOICE,
    ("Жай-күйі", "Состояние", "Condition"),
    choices=CONDITIONS,
    default="whole",
    headings=("күйі", "жай күйі", "жағдайы"),
)
_NOTE = Field(
    "note",
    "note",
    Kind.TEXT,
    ("Ескертпе", "Примечание", "Note"),
    most=MAX_NOTE,
    headings=("notes", "remark", "comment", "ескерту", "комментарий"),
)
_PACKAGE = Field(
    "package",
    "package",
    Kind.CHOICE,
    ("Қаптамасы", "Упаковка", "Package"),
    choices=PACKAGES,
    required=True,
    headings=("kind of package", "қаптама", "вид упаковки", "тара"),
)
_COUNT = Field(
    "count",
    "count",
    Kind.COUNT,
    ("Ішіндегі саны", "Штук внутри", "Pieces inside"),
    most=1_000_000,
    headings=("pieces", "count", "саны", "дана", "количество", "штук", "число штук", "pieces inside"),
)
_STATE = Field(
    "treatment",
    "treatment",
    Kind.CHOICE,
    ("Өңделуі", "Обработка", "Treatment"),
    choices=HIDE_STATES,
    headings=("өңдеу", "выделка", "термическое состояние"),
)
_CUT = Field(
    "cut", "cut", Kind.CHOICE, ("Мүшелеу", "Разделка", "Cut"), choices=CUTS, required=True, headings=("вид мяса",)
)
_MADE = Field(
    "made",
    "made_on",
    Kind.DAY,
    ("Сойылған күні", "Дата убоя", "Slaughtered on"),
    headings=("date of slaughter", "slaughter date", "күні", "дата"),
)
_USE_BY = Field(
    "use_by",
    "use_by",
    Kind.DAY,
    ("Жарамдылық мерзімі", "Годен до", "Use by"),
    headings=("best before", "expiry", "expires", "срок годности", "жарамды"),
)
_PRODUCT = Field(
    "product",
    "product",
    Kind.TEXT,
    ("Дәрінің атауы", "Название препарата", "Product"),
    most=100,
    required=True,
    headings=("product name", "атауы", "название", "наименование", "name"),
)
_LOT = Field(
    "lot",
    "lot",
    Kind.TEXT,
    ("Серия нөмірі", "Серия", "Lot"),
    most=40,
    headings=("batch", "серия", "партия", "lot number"),
)
_DOSE = Field(
    "dose",
    "dose_mg",
    Kind.COUNT,
    ("Бір қаптамадағы мүйіз", "Рога в упаковке", "Horn in a pack"),
    unit="mg",
    most=10_000_000,
    headings=("horn in a pack", "мүйіз", "dose", "доза"),
)

FIELDS: dict[str, tuple[Field, ...]] = {
    HORN: (_SIDE, _MASS, _LENGTH, _STRAIGHT, _BASE, _RINGS, _PAIR, _CONDITION, _NOTE),
    PIECE: (_PACKAGE, _NET, _GROSS, _COUNT, _CONDITION, _NOTE),
    CARVING: (_PACKAGE, _NET, _GROSS, _COUNT, _CONDITION, _NOTE),
    POWDER: (
        _PACKAGE,
        _NET,
        _GROSS,
        replace(_COUNT, names=("Ішіндегі қаптама", "Упаковок внутри", "Packets inside")),
        _NOTE,
    ),
    MEAT: (
        _CUT,
        replace(_NET, unit="kg"),
        replace(
            _COUNT,
            names=("Ұша саны", "Туш", "Carcasses"),
            required=True,
            headings=("carcass count", "ұша", "число туш"),
        ),
        replace(_STATE, choices=MEAT_STATES),
        _MADE,
        replace(_USE_BY, required=True),
        replace(_PACKAGE, required=False),
        replace(_GROSS, unit="kg"),
        _NOTE,
    ),
    HIDE: (
        replace(_NET, names=_MASS.names),
        replace(_COUNT, names=("Тері саны", "Шкур", "Hides"), headings=("hides", "тері", "число шкур")),
        replace(_LENGTH, names=("Ұзындығы", "Длина", "Length")),
        Field(
            "width",
            "width_mm",
            Kind.LENGTH,
            ("Ені", "Ширина", "Width"),
            unit="mm",
            most=MAX_LENGTH_MM,
            headings=("ені",),
        ),
        _STATE,
        _CONDITION,
        _NOTE,
    ),
    HIDE_PIECE: (_PACKAGE, _NET, _GROSS, _COUNT, _STATE, _CONDITION, _NOTE),
    TROPHY: (
        replace(_MASS, most=MAX_PACKAGE_G),
        replace(
            _LENGTH, names=("Сол мүйіз ұзындығы", "Длина левого рога", "Left horn length"), headings=("left length",)
        ),
        Field(
            "right_length",
            "right_length_mm",
            Kind.LENGTH,
            ("Оң мүйіз ұзындығы", "Длина правого рога", "Right horn length"),
            unit="mm",
            most=MAX_LENGTH_MM,
            headings=("right length",),
        ),
        replace(_BASE, names=("Сол түп шеңбері", "Обхват левого рога", "Left base"), headings=(), is_extra=False),
        Field(
            "right_base",
            "right_base_mm",
            Kind.LENGTH,
            ("Оң түп шеңбері", "Обхват правого рога", "Right base"),
            unit="mm",
            most=MAX_LENGTH_MM,
        ),
        Field(
            "spread",
            "spread_mm",
            Kind.LENGTH,
            ("Ұштарының арасы", "Размах концов", "Spread of the tips"),
            unit="mm",
            most=MAX_LENGTH_MM,
            headings=("spread", "размах"),
        ),
        _CONDITION,
        _NOTE,
    ),
    MEDICINE: (
        _PRODUCT,
        _LOT,
        replace(
            _COUNT,
            names=("Қаптама саны", "Упаковок", "Packs"),
            required=True,
            headings=("packs", "қаптама", "packages"),
        ),
        _NET,
        _GROSS,
        _DOSE,
        replace(_USE_BY, required=False),
        replace(_PACKAGE, required=False),
        _NOTE,
    ),
}
# Every column beside the mass, once, in the order of the database, with what stands there when nothing is said.
EMPTY: dict[str, str | None] = {}
for _fields in FIELDS.values():
    for _field in _fields:
        if _field.column != "mass_g":
            EMPTY.setdefault(_field.column, _field.empty)
COLUMNS = ("mass_g", *EMPTY)
"""All columns that a row can say something in."""


def field_of(term: str, key: str) -> Field | None:
    """The column of a term with this key, if it has one."""
    return next((field for field in FIELDS[term] if field.key == key), None)


def required_columns(term: str) -> list[str]:
    """Columns that cannot be left empty."""
    return [field.column for field in FIELDS[term] if field.required]


def foreign_columns(term: str) -> list[str]:
    """Columns in which a derivative of this term says nothing."""
    own = {field.column for field in FIELDS[term]}
    return [column for column in EMPTY if column not in own]
