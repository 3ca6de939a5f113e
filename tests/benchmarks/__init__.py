"""Benchmarks: one file for each row or family of rows, each with a function `rows()`."""
