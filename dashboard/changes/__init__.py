"""Changes of the installation on pages: deploy marks, and lists of what changed before an alert began."""
