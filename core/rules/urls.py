from django.urls import path

from core.rules import views

app_name = "rules"
urlpatterns = [
    path("", views.rules, name="rules"),
    path("<int:pk>/", views.rule, name="rule"),
    path("<int:pk>/withdraw/", views.withdraw, name="withdraw"),
    path("draft/<str:code>/", views.draft, name="draft"),
    path("bases/new/", views.cite, name="cite"),
]
