"""Jobs: the list with its filter, one job's page, and what may be done to a job."""
