"""Keys of webhooks in Redis, and when they are removed. finish_job.lua builds the first two."""

from service.engine.store.keys import PREFIX

OWNERS = PREFIX + "webhooks:owners"
"""Hash: owner to the states that its webhooks want to be told of, with blanks between. An entry goes with the last webhook."""

ENDED = PREFIX + "webhooks:ended"
"""List: ends of jobs that are still to be queued, oldest first. An entry goes once its deliveries are queued."""

DISABLED = PREFIX + "webhooks:disabled"
"""Hash: id of a webhook that was disabled to a sentence. An entry goes with the webhook."""

OUTCOMES = PREFIX + "webhooks:outcomes"
"""Hash: outcome of a try (delivered, later, failed) to how many there were. Of a fixed size, and never removed."""
