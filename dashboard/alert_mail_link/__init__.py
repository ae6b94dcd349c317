"""/alert-mails: pages behind the links in messages to alert addresses."""
