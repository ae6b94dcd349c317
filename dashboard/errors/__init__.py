"""Failed jobs by cause: each group with its life, and its jobs tried again together."""
