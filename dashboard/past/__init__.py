"""The dashboard of then: queues at a moment of the last month, from what was counted and measured."""
