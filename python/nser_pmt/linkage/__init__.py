"""Records of one person: plans, weights, links, clusters, verification, look-ups."""
