"""Campaigns: their rows, the connections to the mail server, and the rule by which a message is sent once."""
