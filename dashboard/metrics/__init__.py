"""How long jobs wait and run, and how many get done, over an hour, a day, a week and a month."""
