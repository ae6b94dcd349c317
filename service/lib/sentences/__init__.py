"""Sentences that code makes, shown in a reader's language: found in the code, recognised in what it made, translated."""
