"""What other points, lines and quotas do to a registry."""
