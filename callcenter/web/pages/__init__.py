"""One file a room: handlers that read, and hand what they read to a template."""
