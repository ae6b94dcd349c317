"""Access: failed credentials, dashboard users and their sessions."""
