"""Recordings of calls that are over, through the same stages as live ones, into the same store."""
