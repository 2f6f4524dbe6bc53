"""The most memory that a process of its own has held."""

PEAK = """
from pathlib import Path
def peak():
    line = next(one for one in Path("/proc/self/status").read_text().splitlines() if one.startswith("VmHWM"))
    return 1024 * int(line.split()[1])
"""
"""Code whose `peak()` gives bytes; `resource.getrusage` would count what the process that started it holds, too."""
