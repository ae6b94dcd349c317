"""The images built and run as compose.yml says. Run with `pytest -m container -n 0`; docs/deploying.md."""
