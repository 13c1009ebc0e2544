"""The only place that knows the whole system."""

from config.celery import app as celery_app

__all__ = ["celery_app"]
