"""Commands that set up or look at what gen-env works with: repository, machine, cluster."""
