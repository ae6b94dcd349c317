"""Ports: services beyond files and the pool that tasks may ask for by `run.use`. Protocols, implemented in service/."""
