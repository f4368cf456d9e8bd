"""Speed and memory, measured as ratios against a reference in the same run."""
