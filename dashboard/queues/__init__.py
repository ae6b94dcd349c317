"""The first page: are the queues well, what waits, what runs, and a form to start a job."""
