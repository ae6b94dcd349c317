"""The scripts against a model of them, and in every order that two workers can call them."""
