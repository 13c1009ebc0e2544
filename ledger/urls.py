from django.urls import path

from ledger import views

app_name = "ledger"
urlpatterns = [
    path("stores/manage/", views.stores, name="stores"),
    path("stores/new/", views.add_store, name="add-store"),
    path("stores/<int:pk>/settings/", views.store, name="store"),
    path("stores/<int:pk>/switch/", views.switch_store, name="switch-store"),
]
