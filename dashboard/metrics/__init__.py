"""Metrics: waits, runs and throughput of jobs over an hour, a day, a week and a month."""
