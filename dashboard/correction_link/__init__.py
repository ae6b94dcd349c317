"""The page behind a correction link: one document's doubtful pages, for a person without a login."""
