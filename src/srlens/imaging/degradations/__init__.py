"""The degradations that srlens has, one kind a file."""
