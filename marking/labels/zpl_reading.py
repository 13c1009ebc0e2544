"""Draws the ZPL that this registry writes, so that what it says can be read back before it is released.

It knows the commands of `marking.labels.zpl` and no others, and is no printer: symbols that the printer draws itself
are drawn here by zxing-cpp from the same text at the same place and size, pictures are shown bit by bit, texts in the
printer's own font are left out. Anything else in a file is refused.
"""

import base64
import binascii
import re
import zlib
from collections.abc import Callable, Iterator
from typing import Any, cast

import zxingcpp
from PIL import Image

from marking.labels.drawing import draw_symbol

_COMMAND = re.compile(r"([\^~])([A-Z]0|[A-Z][A-Z0-9])([^\^~]*)")
_GRAPHIC = re.compile(r"A,(\d+),(\d+),(\d+),:Z64:([A-Za-z0-9+/=]+):([0-9A-F]{4})")


class ZplError(ValueError):
    """The file has something that this registry does not write, or that is damaged."""


def split_formats(zpl: bytes) -> list[str]:
    """The formats of a file, each from ^XA to ^XZ."""
    formats = [part.strip() + "^XZ" for part in zpl.decode().split("^XZ")[:-1]]
    if not all(one.startswith("^XA") for one in formats):
        raise ZplError("something stands between the formats")
    return formats


def draw_format(zpl: str) -> Image.Image:
    """One format as a grey picture, a pixel a dot. Raises ZplError."""
    width = length = x = y = 0
    pending: tuple[str, str] | None = None
    picture: Image.Image | None = None
    bar = 1
    for command, given in _commands(zpl):
        if command == "PW":
            width = int(given)
        elif command == "LL":
            length = int(given)
            picture = Image.new("L", (width, length), 255)
        elif command == "FO":
            x, y = (int(number) for number in given.split(","))
        elif command == "BY":
            bar = int(given)
        elif command in ("BQ", "BX", "BC", "A0"):
            pending = (command, given)
        elif command in ("GB", "GF") and picture is not None:
            _paste(picture, _GRAPHICS[command](given), x, y)
        elif command == "FD" and picture is not None and pending is not None:
            if pending[0] != "A0":
                _paste(picture, _symbol(pending, given, bar), x, y)
            pending = None
        elif command not in ("XA", "XZ", "CI", "LH", "LS", "LT", "PQ", "FS"):
            raise ZplError(command)
    if picture is None:
        raise ZplError("no size")
    return picture


def _commands(zpl: str) -> Iterator[tuple[str, str]]:
    at = 0
    while at < len(zpl):
        if zpl[at] in "\r\n":
            at += 1
            continue
        found = _COMMAND.match(zpl, at)
        if found is None:
            raise ZplError(zpl[at : at + 20])
        yield found[2], found[3].rstrip("\r\n")
        at = found.end()


def _symbol(pending: tuple[str, str], data: str, bar: int) -> Image.Image:
    command, given = pending
    options = given.split(",")
    if command == "BQ":
        level, _, text = data.partition(",")
        symbol = draw_symbol(text, "qr", level[0])
        picture = Image.frombytes("1", (symbol.width, symbol.height), symbol.packed).convert("L")
        dots = int(options[2])
        return picture.resize((symbol.width * dots, symbol.height * dots), Image.Resampling.NEAREST)
    if command == "BX":
        barcode = zxingcpp.create_barcode(data, zxingcpp.BarcodeFormat.DataMatrix, force_square=True)
        return _scaled(barcode, int(options[1]), 0)
    if not data.startswith(">;>8"):
        raise ZplError(data)
    text = f"({data[4:6]}){data[6:]}"
    return _scaled(zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.Code128, gs1=True), bar, int(options[1]))


def _scaled(barcode: Any, dots: int, height: int) -> Image.Image:
    image = barcode.to_image(scale=1, add_quiet_zones=False)
    high, wide = image.shape
    picture = Image.frombytes("L", (wide, high), bytes(cast("memoryview", image)))
    return picture.resize((wide * dots, height or high * dots), Image.Resampling.NEAREST)


def _unpack(given: str) -> Image.Image:
    found = _GRAPHIC.fullmatch(given)
    if found is None:
        raise ZplError(given[:20])
    total, _, row, coded, sum_ = found.groups()
    if binascii.crc_hqx(coded.encode(), 0) != int(sum_, 16):
        raise ZplError("a picture is damaged")
    bits = zlib.decompress(base64.b64decode(coded))
    if len(bits) != int(total) or len(bits) % int(row):
        raise ZplError("a picture has another size than it says")
    dark = Image.frombytes("1", (int(row) * 8, len(bits) // int(row)), bits)
    return dark.point(lambda bit: 255 - bit, "L")


def _box(given: str) -> Image.Image:
    """A line or a full box: width, height, thickness."""
    wide, high, _thick = (int(number) for number in given.split(","))
    return Image.new("L", (wide, high), 0)


_GRAPHICS: dict[str, Callable[[str], Image.Image]] = {"GB": _box, "GF": _unpack}


def _paste(page: Image.Image, picture: Image.Image, x: int, y: int) -> None:
    """Dark dots only: paper is transparent."""
    page.paste(0, (x, y), picture.point(lambda level: 255 * (level < 128), "L"))
