"""Libraries of OCR report nothing of what is read here to anyone."""

import subprocess
import sys


def test_openvino_converts_without_its_telemetry() -> None:
    # In a process of its own: what is imported first decides.
    code = "import tasks.ocr.networks.convert; from openvino.tools.ovc import telemetry_utils; print(telemetry_utils.tm.__name__)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "openvino.tools.ovc.telemetry_stub"
