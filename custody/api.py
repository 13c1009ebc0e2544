"""The same acts for programs."""

from custody.api_processing import urlpatterns as processing_addresses

urlpatterns = [
    *processing_addresses,
]
