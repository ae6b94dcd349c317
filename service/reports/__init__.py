"""Reports: the figures behind them, and how the operators are reached."""

from service.reports.operators import OperatorMail
from service.reports.reports import ReportFigures

__all__ = ["OperatorMail", "ReportFigures"]
