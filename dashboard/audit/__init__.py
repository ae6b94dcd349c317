"""Who did what to which thing, and with what filter."""
