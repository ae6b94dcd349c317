"""Outages, deploys and clocks on real production parts. Run with `pytest -m production -n 0`; docs/operating.md."""
