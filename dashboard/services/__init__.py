"""External services and their bounds."""
