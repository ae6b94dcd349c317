"""Parts of the installation that do not answer, as a sentence for the terminal in the place of a traceback."""

from redis.exceptions import RedisError

from service.database.start import start_sentence
from service.lib.outages import outage_of


def away_sentence(error: BaseException) -> str | None:
    """The sentence, without its full stop; None for an error of another kind."""
    # First what names its part: under a driver of the database a refused connection is an OSError too.
    if (refused := start_sentence(error)) is not None:
        return refused.removesuffix(".")
    if (outage := outage_of(error)) is not None:
        return outage.sentence
    if isinstance(error, RedisError | ConnectionError | TimeoutError):
        return f"The queue server does not answer: {error}"
    return None
