"""What agents report about tasks: claims, starts, results and signs of life."""
