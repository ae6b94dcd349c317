"""Scans that the program makes itself: the sample of `make run`, pages to calibrate networks on, pages to measure with.

`prose` writes text, `typeset` sets it as a PDF, `scan` turns pages into what a scanner makes of them. All of it follows
from its seed, needs no font files (PDFium carries the standard 14) and gives the truth along with the picture.
"""
