"""The fairness ledger, and weights tried out before they are set."""
