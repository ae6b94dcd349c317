"""Erasure of an owner, or of a person, over every store; with a signed list of what went."""
