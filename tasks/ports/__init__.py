"""What tasks may ask for beyond files and the pool: protocols, implemented in service/ and handed out by `run.use`."""
