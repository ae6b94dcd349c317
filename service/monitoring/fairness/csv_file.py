"""The ledger as CSV (RFC 4180)."""

import csv
import io
from collections.abc import Mapping

from service.monitoring.fairness.totals import Totals
from tasks.exports.csv_injection import for_csv

COLUMNS = ("queue", "waiter", "holder", "job_type", "reason", "seconds")
"""`holder` and `job_type` where slots ran jobs of an owner, `reason` where no owner answers. Without a waiter: owners that are not
listed by name, with `others` or `itself` as the reason of what is for owners."""


def fairness_csv(by_queue: Mapping[str, Totals]) -> str:
    """A header and a line for each amount, the largest first."""
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    for queue, totals in by_queue.items():
        for charge, us in sorted(totals.amounts.items(), key=lambda one: -one[1]):
            if charge.what in ("seen", "unread"):
                continue
            job_type = charge.what if charge.holder else ""
            reason = "" if charge.holder else charge.what
            words = [for_csv(one or "") for one in (charge.waiter, charge.holder, job_type, reason)]
            writer.writerow([queue, *words, f"{us / 1_000_000:.3f}"])
    return file.getvalue()
