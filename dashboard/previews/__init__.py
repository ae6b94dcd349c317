"""Previews of a job's results on its page: pages next to their text, pictures, first rows, recipients."""
