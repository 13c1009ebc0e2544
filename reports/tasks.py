"""Background work of the reports room."""

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.jobs.models import Job
from core.jobs.runners import runner
from core.jobs.services import Progress
from reports.models import Statement
from reports.services import JOB_KIND, make_statement


@runner(JOB_KIND, _("Stock statement"))
def make_stock_statement(job: Job, progress: Progress) -> dict[str, Any]:
    statements = Statement.objects.select_related("account__custodian", "account__region", "asked_by")
    statement = make_statement(statement=statements.get(job=job), at=timezone.now(), progress=progress)
    documents = (statement.pdf, statement.xlsx, statement.csv, statement.movements_csv)
    return {
        "statement": statement.pk,
        "documents": [{"id": str(paper.pk), "name": paper.name} for paper in documents if paper is not None],
    }
