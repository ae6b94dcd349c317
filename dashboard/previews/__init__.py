"""Previews of a job's results on its page: pages beside their text, pictures, first rows, recipients."""
