"""Background workers.

What must not be lost is a row in PostgreSQL first (core.jobs); the broker only rings the bell.
"""

import os

from celery import Celery

from core.base.health import watch_worker

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("registry")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
watch_worker()
