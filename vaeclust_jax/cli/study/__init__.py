"""`vaeclust study`: methods on data sets, each pair a run of its own."""
