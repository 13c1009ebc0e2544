from custody.urls_boxes import urlpatterns as box_pages
from custody.urls_corrections import urlpatterns as correction_pages
from custody.urls_loss import urlpatterns as loss_pages
from custody.urls_processing import urlpatterns as processing_pages
from custody.urls_stock import urlpatterns as stock_pages

app_name = "custody"
urlpatterns = [
    *box_pages,
    *correction_pages,
    *loss_pages,
    *processing_pages,
    *stock_pages,
]
