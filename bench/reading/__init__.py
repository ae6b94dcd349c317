"""What the OCR benches share: pages with their truth, whoever reads them, and the measure of how."""
