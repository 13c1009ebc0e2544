"""Movements, their corrections, closed periods."""

from django.urls import path

from custody.views import corrections

urlpatterns = [
    path("corrections/", corrections.corrections, name="corrections"),
    path("movements/<int:pk>/", corrections.movement, name="movement"),
    path("movements/<int:pk>/correct/", corrections.ask, name="ask-correction"),
    path("movements/<int:pk>/corrections/<int:correction>/", corrections.confirm, name="confirm-correction"),
    path("movements/<int:pk>/corrections/<int:correction>/refuse/", corrections.refuse, name="refuse-correction"),
    path("periods/", corrections.periods, name="periods"),
]
