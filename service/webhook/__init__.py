"""Deliveries of forges, from bytes and headers to events; nothing here reads or writes."""
