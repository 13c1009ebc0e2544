"""One settings file. What differs between machines comes from the environment; see docs/operations.md."""

from pathlib import Path
from typing import Any

import environ
from celery.schedules import crontab
from django.utils.translation import gettext_lazy as _

ROOT = Path(__file__).resolve().parent.parent
env = environ.FileAwareEnv()  # NAME_FILE names a file that holds the value

VAR_DIR = Path(env.str("VAR_DIR", default=str(ROOT / "var")))
DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = env.str("SECRET_KEY").strip()
# Health checks come from the machine itself.
ALLOWED_HOSTS = [*env.list("ALLOWED_HOSTS", default=[]), "localhost", "127.0.0.1", "[::1]"]
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
TRUSTED_PROXY_COUNT = env.int("TRUSTED_PROXY_COUNT", default=0)

# Address printed in QR codes; upper case keeps the QR alphanumeric.
PUBLIC_HOST = env.str("PUBLIC_HOST", default="saiga.gov.kz")
# Hours. What a phone without network knows of marks and is older than this never says that all is in order.
FIELD_STALE_AFTER = env.int("FIELD_STALE_AFTER", default=24)
# Encrypts private signing keys at rest; 32 bytes, URL-safe base 64. Without it, derived from SECRET_KEY.
KEY_ENCRYPTION_KEY = env.str("KEY_ENCRYPTION_KEY", default="")
# Where new signing keys are made and kept: sealed (in the database), file, or token (PKCS#11). Older keys stay where
# they are.
KEY_STORAGE = env.str("KEY_STORAGE", default="sealed")
KEY_DIRECTORY = env.str("KEY_DIRECTORY", default=str(VAR_DIR / "keys"))
PKCS11_MODULE = env.str("PKCS11_MODULE", default="")
PKCS11_TOKEN = env.str("PKCS11_TOKEN", default="")
PKCS11_PIN = env.str("PKCS11_PIN", default="")

# Under this key the hidden codes of labels are made and recognised: whoever changes it makes all that are printed void.
# Without it, derived from SECRET_KEY.
ONCE_CODE_KEY = env.str("ONCE_CODE_KEY", default="").strip()
# Checks of marks are forgotten after so many days, unless an alert rests on them.
CHECKS_KEPT_DAYS = env.int("CHECKS_KEPT_DAYS", default=730)
# What the public scanned is told to everybody as a copy when so many visitors at least vouch for it.
COPY_STANDS_VISITORS = env.int("COPY_STANDS_VISITORS", default=2)
# How to reach somebody who told of a label, and the photo, are forgotten after so many days.
TIP_SENDERS_KEPT_DAYS = env.int("TIP_SENDERS_KEPT_DAYS", default=365)

INSTALLED_APPS = [
    "core.accounts.admin_apps.RegistryAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "django.forms",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "csp",
    "django_celery_beat",
    "django_filters",
    "django_htmx",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "pgtrigger",
    "rest_framework",
    "core.base",
    "core.audit",
    "core.accounts",
    "core.documents",
    "core.rules",
    "core.notices",
    "core.jobs",
    "ledger",
    "registry",
    "marking",
    "custody",
    "permits",
    "reports",
    "config",
]

MIDDLEWARE = [
    "core.base.proxies.ClientAddressMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "core.base.camera.allow_camera",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "core.base.language.KazakhFirstMiddleware",
    "django.middleware.common.CommonMiddleware",
    "core.base.uploads.LimitUploads",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "marking.phone_sessions.end_on_revoked_phones",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
FORM_RENDERER = "core.base.forms.RegistryRenderer"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ROOT / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.i18n",
                "django.template.context_processors.tz",
                "core.base.context.page",
                "config.navigation.shell",
            ],
        },
    },
]

# PostgreSQL is the only database: its constraints, triggers and row locks are part of the design.
# The role under which web, worker and commands work; read by `prepare` and `runtime_role`, which run as the owner.
RUNTIME_DATABASE_URL = env.str("RUNTIME_DATABASE_URL", default="").strip()
DATABASES = {"default": env.db_url_config(env.str("DATABASE_URL").strip())}
DATABASES["default"] |= {
    "CONN_MAX_AGE": env.int("CONN_MAX_AGE", default=600),
    "CONN_HEALTH_CHECKS": True,
    "OPTIONS": {"connect_timeout": 5} | DATABASES["default"].get("OPTIONS", {}),
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env.str("REDIS_URL", default="redis://127.0.0.1:6379/0")
CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}}
SESSION_ENGINE = "django.contrib.sessions.backends.db"

# A worker that dies gives its task back; the sweep is quick because people wait for it.
# Celery writes the address of a unix socket in a way of its own.
CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://").replace("?db=", "?virtual_host=")
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_CONCURRENCY = env.int("WORKER_PROCESSES", default=2)
CELERY_TASK_IGNORE_RESULT = True
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 6 * 3600,
    "unacked_restore_interval": 2,
    "unacked_restore_throttle": 1,
    # Nobody waits for a broker that is away: the job is a row already, and the sweep rings later.
    "connect_retries_timeout": 0.5,
    "socket_connect_timeout": 2,
}
# Seconds. A worker shows its life this often; after so long without it the job is another's; a job that still waits
# is rung for again.
JOB_HEARTBEAT = env.float("JOB_HEARTBEAT", default=5)
JOB_STALE_AFTER = env.float("JOB_STALE_AFTER", default=30)
JOB_RING_AGAIN_AFTER = env.float("JOB_RING_AGAIN_AFTER", default=15)
CELERY_TIMEZONE = "Asia/Almaty"
CELERY_BEAT_SCHEDULE = {
    "sweep-jobs": {"task": "core.jobs.tasks.sweep_jobs", "schedule": env.float("JOB_SWEEP_EVERY", default=10)},
    "forget-old-requests": {"task": "core.accounts.tasks.forget_old_requests", "schedule": 24 * 3600.0},
    # More often than daily, because a machine may be off at any hour; nothing is raised twice.
    "carry-out-decisions": {"task": "registry.tasks.carry_out_decisions", "schedule": 900.0},
    "check-days": {"task": "registry.tasks.check_days", "schedule": 3600.0},
    "tell-silent-stores": {"task": "ledger.tasks.tell_silent_stores", "schedule": 300.0},
    "tell-late-handovers": {"task": "permits.tasks.tell_late_handovers", "schedule": 300.0},
    "escalate-overdue-notices": {"task": "core.notices.tasks.escalate_notices", "schedule": 3600.0},
    "tell-terms-that-end": {"task": "core.notices.tasks.tell_terms_that_end", "schedule": crontab(hour=7, minute=0)},
    "write-letters": {"task": "core.notices.tasks.write_letters", "schedule": crontab(hour=8, minute=0)},
    "check-label-stock": {"task": "marking.tasks.check_label_stock", "schedule": crontab(hour=6, minute=30)},
    "tell-late-labels": {"task": "marking.tasks.tell_late_labels_of_shipments", "schedule": 3600.0},
    "settle-reprints": {"task": "marking.tasks.settle_orders_to_print_anew", "schedule": 3600.0},
    "make-snapshot": {"task": "marking.tasks.make_snapshot", "schedule": 3600.0},
    "look-for-copies": {"task": "marking.tasks.look_for_copies", "schedule": 30.0},
    "forget-checks": {"task": "marking.tasks.forget_checks", "schedule": 24 * 3600.0},
    "forget-tip-senders": {"task": "marking.tasks.forget_tip_senders", "schedule": 24 * 3600.0},
    "end-outlived-permits": {"task": "permits.tasks.end_outlived_permits", "schedule": 3600.0},
}
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"

# The register's own GS1 company prefix, 7 to 10 digits, under which boxes and pallets get their SSCC. The default is an
# example: have the prefix that GS1 Kazakhstan gave you.
GS1_COMPANY_PREFIX = env.str("GS1_COMPANY_PREFIX", default="487000000")

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "core.accounts.adapter.AccountAdapter"
ACCOUNT_FORMS = {"login": "core.accounts.sign_in.SignInForm"}
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "email", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "Saiga registry"

EMAIL_BACKEND = env.str("EMAIL_BACKEND", default="django.core.mail.backends.console.EmailBackend")
EMAIL_HOST = env.str("EMAIL_HOST", default="localhost")
EMAIL_PORT = env.int("EMAIL_PORT", default=25)
EMAIL_HOST_USER = env.str("EMAIL_HOST_USER", default="")
EMAIL_HOST_PASSWORD = env.str("EMAIL_HOST_PASSWORD", default="").strip()
EMAIL_USE_TLS = env.bool("EMAIL_USE_TLS", default=False)
EMAIL_TIMEOUT = 20  # seconds
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="registry@localhost")

LANGUAGE_CODE = "kk"
LANGUAGES = [("kk", _("Kazakh")), ("ru", _("Russian")), ("en", _("English"))]
LOCALE_PATHS = [ROOT / "locale"]
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600
TIME_ZONE = "Asia/Almaty"
USE_TZ = True
USE_THOUSAND_SEPARATOR = True
FORMAT_MODULE_PATH = ["config.formats"]

STATIC_URL = "static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [ROOT / "static"]
MEDIA_ROOT = VAR_DIR / "documents"
# Documents lie on this machine's disk, or, with S3_BUCKET, in an object store that speaks S3; never public, never
# overwritten, and handed out by ourselves alone.
S3_BUCKET = env.str("S3_BUCKET", default="")
DOCUMENT_STORE: dict[str, Any] = {"BACKEND": "django.core.files.storage.FileSystemStorage"}
if S3_BUCKET:
    DOCUMENT_STORE = {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "bucket_name": S3_BUCKET,
            "endpoint_url": env.str("S3_ENDPOINT", default="") or None,
            "region_name": env.str("S3_REGION", default="") or None,
            "access_key": env.str("S3_ACCESS_KEY", default="").strip() or None,
            "secret_key": env.str("S3_SECRET_KEY", default="").strip() or None,
            "addressing_style": env.str("S3_ADDRESSING", default="auto"),
            "location": env.str("S3_FOLDER", default=""),
            "default_acl": None,
            "querystring_auth": True,
            "file_overwrite": False,
        },
    }
STORAGES = {
    "default": DOCUMENT_STORE,
    "staticfiles": {"BACKEND": "core.base.static_files.ManifestStorage"},
}
DATA_UPLOAD_MAX_NUMBER_FIELDS = 20_000
DATA_UPLOAD_MAX_MEMORY_SIZE = 20 * 1024 * 1024

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "core.accounts.tokens.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser", "rest_framework.parsers.MultiPartParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "core.base.api.problem_details",
    "DEFAULT_PAGINATION_CLASS": "core.base.api.KeysetPagination",
    "DEFAULT_THROTTLE_CLASSES": ["core.base.api_filters.KnownFiltersOnly"],
    "PAGE_SIZE": 100,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Registry of saiga derivatives",
    "VERSION": "1",
    "DESCRIPTION": (
        "Speak with a key made at /tokens/: `Authorization: Bearer srt_…`. Errors are problem details (RFC 9457). "
        "Writes take an `Idempotency-Key`. Lists come in pages: follow `next`. `Accept-Language` is kk, ru or en. "
        "Masses are whole grams, lengths whole millimetres, days YYYY-MM-DD in Almaty."
    ),
    "SCHEMA_PATH_PREFIX": "/api/v1/",
    "SERVE_INCLUDE_SCHEMA": False,
    # Names of their own for choices whose fields are called alike in several rooms.
    "ENUM_NAME_OVERRIDES": {
        "Language": "django.conf.settings.LANGUAGES",
        "OrganisationKind": "core.accounts.models.Organisation.Kind",
        "RoleRequestState": "core.accounts.models.RoleRequest.State",
        "RuleCode": "core.rules.models.RuleCode",
        "NoticeKind": "core.notices.models.Notice.Kind",
        "NoticeDecides": "core.notices.models.Notice.Decides",
        "NoteKind": "core.notices.models.NoticeNote.Kind",
        "NoticeOutcome": "core.notices.models.Notice.Outcome",
        "NoticeState": "core.notices.models.Notice.State",
        "CarrierKind": "marking.models.Carrier.Kind",
        "KeyRequestKind": "marking.models.KeyRequest.Kind",
        "MarkRequestKind": "marking.models.MarkRequest.Kind",
        "PrinterLanguage": "marking.models.Printer.Language",
        "Resolution": "marking.models.printing.RESOLUTIONS",
        "JobState": "core.jobs.models.Job.State",
        "AccountKind": "ledger.models.AccountKind",
        "MovementKind": "ledger.models.MovementKind",
        "HandoverState": "ledger.models.Handover.State",
        "HandoverOutcome": "ledger.models.HandoverLine.Outcome",
        "DestructionState": "custody.models.DestructionOrder.State",
        "LossActState": "custody.models.LossAct.State",
        "LossOutcome": "custody.models.LossLine.Outcome",
        "DestructionOutcome": "custody.models.DestructionLine.Outcome",
        "IntakeState": "registry.models.Intake.State",
        "ProcessingState": "registry.models.Processing.State",
        "ProcessingRecipe": "registry.models.Recipe",
        "StockTakeState": "ledger.models.StockTake.State",
        "StockTakeKind": "ledger.models.StockTake.Kind",
        "StockTakeOutcome": "ledger.models.StockTakeLine.Outcome",
        "BoxKind": "ledger.models.Box.Kind",
        "LossKind": "custody.models.LossReport.Kind",
        "LossActKind": "custody.models.LossAct.Kind",
        "ScanTone": ["ok", "attention", "stop"],
        "CountedAs": "custody.serializers_stock.COUNT_VERDICTS",
        "WeighInVerdict": "ledger.models.WeighIn.Verdict",
        "MarkState": "marking.models.Mark.State",
        "ApplicationKind": "permits.models.Kind",
        "ApplicationState": "permits.machine.State",
        "DecisionOutcome": "permits.models.Decision.Outcome",
        "CourtOutcome": "registry.models.Outcome",
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "core.base.api.add_problem_details",
    ],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}

SESSION_COOKIE_AGE = 12 * 3600
SECURE_COOKIES = env.bool("SECURE_COOKIES", default=False)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = SECURE_COOKIES
SECURE_HSTS_SECONDS = 31_536_000 if SECURE_COOKIES else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if SECURE_COOKIES else None
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
        "form-action": ["'self'"],
    }
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "INFO"},
}
