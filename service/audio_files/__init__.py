"""Recorded audio on disk: what is in a file, whatever its header says, read by blocks."""
