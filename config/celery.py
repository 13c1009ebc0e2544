"""Background workers.

What must not be lost is a row in PostgreSQL first (core.jobs); the broker only rings the bell.
"""

import os

from celery import Celery
from django.conf import settings

from core.base.heartbeat import watch_celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("registry")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
watch_celery(lambda: settings.REDIS_URL)
