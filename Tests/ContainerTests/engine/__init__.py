"""A Docker engine for the tests alone: its daemon, its images, its containers, a browser's view of them."""
