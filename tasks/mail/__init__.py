"""Writing messages: addresses, templates and the bytes that go over the wire. Pure functions, run in the process pool."""
