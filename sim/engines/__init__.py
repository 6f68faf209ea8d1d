"""Engines: ways to run the race over many replications."""
