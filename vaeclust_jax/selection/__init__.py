"""What is chosen without labels: the number of clusters, views, settings."""
