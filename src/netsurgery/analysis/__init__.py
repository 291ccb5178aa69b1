"""Analysis of finished and running searches: runs, progress, timelines, simulation."""
