"""Names under which users of Offload import what is theirs: `offload.testing`."""
