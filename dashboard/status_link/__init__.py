"""/j/{ticket}: one job's bar and results for the person who waits for them, without a login."""
