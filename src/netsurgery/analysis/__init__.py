"""What finished and running searches show: runs, progress, timelines, simulated schedules."""
