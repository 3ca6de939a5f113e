"""Evaluating the document: requests and results, what differs between two, what came from the cache."""
