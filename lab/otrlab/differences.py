"""How the deliberate differences look in the logs of generated scripts.

Each rule has the name under which docs/differences.md tells what is different
and why.  explain(place) returns None (not mine), "stop" (explained, and from
here on the conversations are not the same any more), or how many lines of the
left and the right log to pass over.
"""

RULES = []
