"""Where the sandbox and LocalStack answer differently, each with the reason.

Why: a difference that is not written down is a mistake of one of them; one that
is written down and no longer there is a stale excuse. Both fail the contract.
Not here: the questions (contract_*.py) and the comparing (probes.py).
"""

# "PROBE STEP FIELD": (LocalStack's value, the sandbox's value, who is right and why)
DEVIATIONS = {
}
