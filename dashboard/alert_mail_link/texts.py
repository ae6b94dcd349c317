"""Texts of the pages behind the links in messages to alert addresses. Their translations are in the catalogues."""

from collections.abc import Mapping

TEXTS: Mapping[str, str] = {
    "confirm": "Confirm alerts",
    "confirm_ask": "Alerts about the jobs of {owner} will be sent to {address}.",
    "confirm_button": "Confirm alerts",
    "confirmed": "Confirmed. Alerts about the jobs of {owner} are sent to {address} from now on.",
    "unsubscribe": "Stop alerts",
    "unsubscribe_ask": "No more alerts about the jobs of {owner} will be sent to {address}.",
    "unsubscribe_button": "Stop them",
    "unsubscribed": "No more alerts about the jobs of {owner} are sent to {address}.",
    "link": "Alerts by mail",
    "link_expired": "This link has expired. Ask for a new confirmation.",
    "link_altered": "This link is not valid. Check that it was copied whole.",
    "link_gone": "This address is not registered for alerts any more.",
    "away": "A part of the service is away at the moment. Nothing is lost: try again in a few seconds.",
    "broken": "Something went wrong on our side. It has been noted.",
    "other": "Auf Deutsch",
}
