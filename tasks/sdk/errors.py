"""What may befall a function handed to `run.cpu`, apart from its own errors and the built-in TimeoutError."""


class ChildDied(Exception):
    """The process that ran the function ended under it (killed, crashed); a second try may well succeed."""


class MemoryCeiling(Exception):
    """The process that ran the function grew past its memory ceiling and was killed."""
