"""The fairness ledger: which owner waited while the slots of a queue ran jobs of which other owner."""

from service.monitoring.fairness.ledger import Fairness
from service.monitoring.fairness.moment import Charge, Moment, Reason, charges
from service.monitoring.fairness.totals import Totals

__all__ = ["Charge", "Fairness", "Moment", "Reason", "Totals", "charges"]
