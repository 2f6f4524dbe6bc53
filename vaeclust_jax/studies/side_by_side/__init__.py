"""Runs side by side: scores, tests of every pair, ranks over data sets."""
