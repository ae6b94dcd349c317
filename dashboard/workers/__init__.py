"""The workers: who is there, since when, and what each is doing."""
