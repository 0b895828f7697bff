"""Apps and clients that play a part which a test needs: the child under `run`, a crowd, a browser that behaves, an admin port made up."""
