"""Personal data in files of jobs: which of them the right to see personal data is needed for."""

from service.engine.store import Job
from tasks.csv_export import csv_export
from tasks.email_batch import email_batch
from tasks.exports.datasets import DATASETS

REPORT = "report.json"
"""A campaign's report, a row per recipient."""


def personal_columns(job: Job) -> frozenset[str]:
    """Columns of an export that hold personal data."""
    dataset = DATASETS.get(str(job.payload.get("dataset", ""))) if job.type == csv_export.name else None
    return frozenset(column.name for column in dataset.columns if column.personal) if dataset else frozenset()


def exports_personal(job: Job) -> bool:
    """True for an export with a personal column, and for one whose payload has not been read."""
    if job.payload_file and job.type == csv_export.name:
        return True
    chosen = job.payload.get("columns")
    return bool(personal_columns(job) & set(chosen) if isinstance(chosen, list) else personal_columns(job))


def is_personal(job: Job) -> bool:
    """True for a job whose files tell of recipients: a key with the scope personal issues a link to it, and no other."""
    return job.type == email_batch.name or exports_personal(job)


def of_recipients(job: Job, name: str) -> bool:
    """True for a file that tells an owner of the recipients: people of the installation, and not only of the owner."""
    return exports_personal(job) or name == REPORT
