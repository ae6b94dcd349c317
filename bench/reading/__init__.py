"""Parts that the OCR benches share: pages with their truth, readers, and measures of quality."""
