"""Pages of documents as they were read: looked at and corrected by people, one by one or from the queue of doubtful ones."""
