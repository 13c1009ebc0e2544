"""The same acts for programs."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
