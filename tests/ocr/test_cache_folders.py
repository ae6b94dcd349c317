"""Reading works where the home folder cannot be written, as in a container with a read-only root."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

READS = """
import sys
from pathlib import Path
from tasks.ocr.cache_folders import use_data_folder
data = Path(sys.argv[1])
use_data_folder(data)
from tasks.ocr.self_check import read_sample
read_sample(data / "models", "rapidocr")
from tasks.ocr.networks.convert import _reader
from tasks.ocr.weights import weights_folder
_reader(weights_folder(data / "models"), ("en",), detector=False)
from tasks.ocr.engines import easyocr_torch
print(len(easyocr_torch.load(("en",), data / "models")._reader.character))
"""


@pytest.mark.slow
def test_every_engine_starts_with_a_home_that_cannot_be_written(tmp_path: Path) -> None:
    # Below a file no folder can be made, not even by root.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("XDG_")}
    environment |= {"HOME": "/dev/null/home", "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(
        [sys.executable, "-c", READS, str(tmp_path)], env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 90
