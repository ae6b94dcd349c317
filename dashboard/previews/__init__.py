"""What a job has made, shown on its page: pages beside their text, pictures, first rows, recipients."""
