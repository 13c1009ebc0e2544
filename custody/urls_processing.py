"""Addresses of processing."""

from django.urls import path

from custody.views import processing

urlpatterns = [
    path("processing/", processing.processings, name="processings"),
    path("processing/new/", processing.open_run, name="processing-open"),
    path("processing/<int:pk>/", processing.processing, name="processing"),
    path("processing/<int:pk>/scan/", processing.scan_input, name="processing-scan"),
    path("processing/<int:pk>/choose/", processing.choose, name="processing-choose"),
    path("processing/<int:pk>/add/", processing.add_inputs, name="processing-add"),
    path("processing/<int:pk>/drop/", processing.drop, name="processing-drop"),
    path("processing/<int:pk>/outputs/", processing.outputs, name="processing-outputs"),
    path("processing/<int:pk>/register/", processing.register, name="processing-register"),
    path("processing/<int:pk>/approve/", processing.approve, name="processing-approve"),
    path("processing/<int:pk>/return/", processing.give_back, name="processing-return"),
    path("processing/<int:pk>/cancel/", processing.cancel, name="processing-cancel"),
]
