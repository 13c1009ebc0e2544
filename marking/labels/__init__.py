"""Labels: stock as data, drawing to PDF, and the check that what was drawn can be read. No Django in here."""

from marking.labels.drawing import Drawn, Fonts, Label, LabelError, draw_labels
from marking.labels.geometry import PROFILES, Line, Profile
from marking.labels.reading import check_sample, render_page

__all__ = [
    "PROFILES",
    "Drawn",
    "Fonts",
    "Label",
    "LabelError",
    "Line",
    "Profile",
    "check_sample",
    "draw_labels",
    "render_page",
]
