"""The pages and endpoints, one module for each concern."""
