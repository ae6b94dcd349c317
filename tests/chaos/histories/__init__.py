"""Histories of a fleet under blows, and the offline checker that judges them.

A history is a file of one JSON object per line: requests with their answers, reads of a job's status, cancels and retries,
as clients saw them; beginnings, effects and ends of attempts, as tasks saw them; blows, as the attacker struck them. The
checker reads nothing else: no server, no record.
"""
