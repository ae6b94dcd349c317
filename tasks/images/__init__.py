"""Pictures made smaller. Everything here is pure and runs in a child of the CPU pool.

`source` opens a file and refuses what would take too much, `shrink` brings it near its final size, `colour` makes it
sRGB on white, `pdf` draws a first page instead; `thumbnails` and `photo` are the two whole jobs.
"""
