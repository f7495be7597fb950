"""Puts everything together; the only place that does."""
