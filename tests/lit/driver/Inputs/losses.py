"""Two metrics files: the train loss falls in each, and both agree to 1e-5."""
import json
import sys

runs = [[entry["loss"] for entry in map(json.loads, open(path)) if entry["set"] == "train"] for path in sys.argv[1:]]
for losses in runs:
    assert len(losses) == 3 and losses[-1] < losses[0], losses
for first, second in zip(*runs):
    assert abs(first - second) <= 1e-5 * abs(first), (first, second)
