"""The registry as it changes: updates, look-ups, sources, shocks."""
