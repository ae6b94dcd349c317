"""Reading with the PP-OCRv6 networks of RapidOCR's wheel, on OpenVINO.

`networks` opens them, `boxes` turns the detector's map into boxes, `crops` cuts lines out and puts them into batches,
`letters` turns classes into words, `alphabet` chooses the classes, `reader` reads a page.
"""
