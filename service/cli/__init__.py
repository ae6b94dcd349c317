"""The `offload` command: everything it does to jobs goes through the JSON API, like any other client."""
