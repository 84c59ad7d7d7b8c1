"""What `gen-env diff` predicts of random changes, against what a real API server does with them."""
