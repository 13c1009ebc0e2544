from custody.urls_processing import urlpatterns as processing_pages

app_name = "custody"
urlpatterns = [
    *processing_pages,
]
