"""Actions on many jobs: what is selected, said in words first, then followed to its end."""
