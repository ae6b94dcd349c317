"""Translation of the dashboard's templates when they are compiled: a page in German costs no more than one in English."""
