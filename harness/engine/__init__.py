"""Execution: jobs, workers, artifacts, and the driver that orders them."""
