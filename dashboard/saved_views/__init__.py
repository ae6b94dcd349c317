"""Saved views of the jobs page: named filters, each an address of its own."""
