"""Looking after what is left over."""

from service.upkeep.leftovers import LeftoverFiles

__all__ = ["LeftoverFiles"]
