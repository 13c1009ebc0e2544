"""The same acts for programs."""

from custody.api_boxes import urlpatterns as box_addresses
from custody.api_corrections import urlpatterns as correction_addresses
from custody.api_loss import urlpatterns as loss_addresses
from custody.api_processing import urlpatterns as processing_addresses
from custody.api_stock import urlpatterns as stock_addresses

urlpatterns = [
    *box_addresses,
    *correction_addresses,
    *loss_addresses,
    *processing_addresses,
    *stock_addresses,
]
