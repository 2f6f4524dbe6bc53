"""Campaigns: great numbers of damaged files, edited folders, kills and odd words, each repeated by its seed.

`python -m tests.campaigns NAME --count N --seed S` runs N trials, of the seeds S, S + 1, ... Whatever the library does
with what it meets must end in one of a few ways: it works, or it says why not in one of its own errors. Its memory and
time are bounded. Anything else is a failure, which `--count 1` with its seed shows again.
"""
