"""Templates of mail: read, tried on a recipient, written and removed."""
