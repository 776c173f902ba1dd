"""Many networks, images and windows: plan, execute, store, report."""
