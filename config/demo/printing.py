"""The printers of the demo register: a label printer of the inspection, calibrated, and a label of its own."""

from datetime import datetime
from decimal import Decimal

from config.demo.cast import Cast
from marking.services.printers import Measured, PrinterShape, add_printer, calibrate_printer
from marking.services.stocks import StockShape, add_stock


def set_up_printers(cast: Cast, at: datetime) -> None:
    """A ZPL printer that prints half a millimetre too far to the right, and a tag for horns."""
    inspector = cast.people["inspector"]
    office = inspector.appointments_in_force[0].organisation
    shape = PrinterShape("Zebra ZT411, қабылдау пункті", language="zpl", dpi=300)
    printer = add_printer(actor=inspector, at=at, organisation=office, shape=shape)
    measured = Measured(
        left=Decimal("5.5"), top=Decimal(5), ruler_x=Decimal(50), ruler_y=Decimal(30),
        due_left=Decimal(5), due_top=Decimal(5), due_x=Decimal(50), due_y=Decimal(30),
    )  # fmt: skip
    calibrate_printer(actor=inspector, at=at, printer=printer, measured=measured)
    side, high = Decimal(60), Decimal(25)
    tag = StockShape("Мүйіз белгісі 60 × 25", side, high, side, high, symbol=Decimal(20))
    add_stock(actor=inspector, at=at, organisation=office, shape=tag)
