"""Storage usage: memory of the queue server by queue and kind, and files; and what keeping less would save."""
