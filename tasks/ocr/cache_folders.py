"""Folders that OCR libraries write to: below the data folder, for a container's own home cannot be written."""

import os
from pathlib import Path

VARIABLES = {
    "EASYOCR_MODULE_PATH": "easyocr",
    "TORCH_HOME": "torch",
    "HF_HOME": "huggingface",
    "XDG_CACHE_HOME": "",
    "MPLCONFIGDIR": "matplotlib",
    "NUMBA_CACHE_DIR": "numba",
}
"""Environment variables by which libraries are told a folder, and its name below the cache."""


def use_data_folder(data_dir: Path) -> None:
    """Point every library of this process and its children below `data_dir`, unless an operator has set it otherwise."""
    for variable, name in VARIABLES.items():
        os.environ.setdefault(variable, str(cache_folder(data_dir) / name))


def cache_folder(data_dir: Path) -> Path:
    """Folders that libraries may write to; nothing there is needed again."""
    return data_dir / "cache"
