"""PDF reports: rows of datasets over a range, counted in bounded memory, and set as pages."""
