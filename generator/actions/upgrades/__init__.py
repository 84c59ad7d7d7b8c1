"""What `gen-env upgrade` is made of: one module for each way, and what they share."""
