"""`python -m dashboard.translation`: bring the catalogues of the pages up to their templates, and name what is missing."""

import sys

from dashboard.translation.catalogue import catalogue, catalogue_file
from dashboard.translation.extraction import updated
from service.lib.languages import ENGLISH, LANGUAGES


def main() -> int:
    """Returns 1 while a message has no translation."""
    missing = 0
    for language in LANGUAGES:
        if language == ENGLISH:
            continue
        content = updated(language)
        path = catalogue_file(language)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        catalogue.cache_clear()
        empty = [message.id for message in catalogue(language) if message.id and not message.string]
        missing += len(empty)
        print(f"{path}: {len(catalogue(language))} messages, {len(empty)} without a translation")
        for text in empty:
            print(f"  {text}")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
