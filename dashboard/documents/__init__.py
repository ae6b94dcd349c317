"""Documents: the list with a picture of each, one document's page, and what may be done with a document."""
