"""What is wrong, what has been, and what is not told for a while."""
