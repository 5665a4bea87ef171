"""Pictures of what the explorer itself keeps: its jobs, worked SQL statements, and the rows of an answer in SQL."""
