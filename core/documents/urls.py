from django.urls import path

from core.documents import views

app_name = "documents"
urlpatterns = [
    path("<uuid:pk>/", views.file, name="file"),
    path("<uuid:pk>/small/", views.small, name="thumbnail"),
    path("<uuid:pk>/withdraw/", views.withdraw, name="withdraw"),
    path("of/<slug:kind>/<str:key>/", views.gallery, name="gallery"),
    path("of/<slug:kind>/<str:key>/add/", views.add, name="add"),
]
