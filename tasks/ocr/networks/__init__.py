"""EasyOCR's networks on OpenVINO: converted once from the installed weights, kept on a shelf, then made smaller (int8).

The first reading converts (some ten seconds, once) and computes in what the processor does natively (bf16 where it has
it). `prepare` then calibrates int8 networks, at low priority and during other work; readers take them up when they are done.
"""
