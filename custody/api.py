"""The same acts for programs."""

from custody.api_processing import urlpatterns as processing_addresses
from custody.api_stock import urlpatterns as stock_addresses

urlpatterns = [
    *processing_addresses,
    *stock_addresses,
]
