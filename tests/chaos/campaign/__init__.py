"""A campaign: clients, a web process, workers and two queue servers under blows that a seed draws, recorded as a history."""
