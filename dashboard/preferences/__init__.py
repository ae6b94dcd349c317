"""Language and time zone of a user: on the user's row, or in cookies for users without one."""
