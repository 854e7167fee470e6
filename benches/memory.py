"""Memory of a process. Imports neither Polars nor nser_pmt, whose memory would count."""

from __future__ import annotations

import resource


def peak_bytes() -> int:
    """Largest resident memory of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024  # Linux counts in KiB
