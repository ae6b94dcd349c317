"""EasyOCR's reading, around networks that run elsewhere: `craft` finds boxes, `pieces` joins them, `crops` cuts them out,
`ctc` turns what the recogniser says into words. Thresholds are EasyOCR's defaults (`Reader.readtext`)."""
