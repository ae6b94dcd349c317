"""Exports: what can be exported, what of it was asked for, and the child process that writes the file."""
