"""`gen-env image`: one module for what is read of an image, one for building it."""
