"""Webhooks: owners' addresses that are told how jobs end."""
