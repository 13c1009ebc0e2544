from django.urls import path

from core.notices import views

app_name = "notices"
urlpatterns = [
    path("", views.inbox, name="inbox"),
    path("assign/", views.assign_many, name="assign-many"),
    path("kinds/", views.codes, name="codes"),
    path("<int:pk>/", views.notice, name="notice"),
    path("<int:pk>/explain/", views.explain, name="explain"),
    path("<int:pk>/return/", views.give_back, name="return"),
    path("<int:pk>/comment/", views.comment, name="comment"),
    path("<int:pk>/assign/", views.assign, name="assign"),
]
