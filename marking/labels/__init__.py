"""Labels: stock as data, drawing to PDF, ZPL and PNG, and the check that what was drawn can be read. No Django here."""

from marking.labels.drawing import Drawn, Fonts, Label, LabelError, Print, draw_labels
from marking.labels.geometry import CHOOSABLE, PROFILES, Line, Profile, find_faults, lay_out, suits_horns, with_flap
from marking.labels.raster import draw_png
from marking.labels.reading import check_sample, find_unreadable, render_page
from marking.labels.specimens import as_specimen, render_specimens
from marking.labels.zpl import draw_zpl

__all__ = [
    "CHOOSABLE",
    "PROFILES",
    "Drawn",
    "Fonts",
    "Label",
    "LabelError",
    "Line",
    "Print",
    "Profile",
    "as_specimen",
    "check_sample",
    "draw_labels",
    "draw_png",
    "draw_zpl",
    "find_faults",
    "find_unreadable",
    "lay_out",
    "render_page",
    "render_specimens",
    "suits_horns",
    "with_flap",
]
