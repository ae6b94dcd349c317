"""Workflows: the jobs of one, drawn in the order in which they may begin."""
