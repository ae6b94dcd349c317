"""Owners' own alerts: mail addresses that are told what goes wrong with an owner's jobs, each after it was confirmed."""

from service.monitoring.owner_alerts.owner_alerts import AlertConflict, OwnerAlerts
from service.monitoring.owner_alerts.rows import NoSuchAlertAddress, TooManyAlertAddresses, Wish

__all__ = ["AlertConflict", "NoSuchAlertAddress", "OwnerAlerts", "TooManyAlertAddresses", "Wish"]
