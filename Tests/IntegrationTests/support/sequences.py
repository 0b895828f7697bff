"""Random sequences of events against a specification; one that fails is made as short as it can.

As `checkRandomSequences` does for the unit tests: LOOPBRIDGE_SEED makes a sequence again, LOOPBRIDGE_SEQUENCES says how many.
"""

from support.settings import SEED, SEQUENCES


def seeds(count):
    """The seeds of so many sequences; the first one is printed, and each sequence has the next number."""
    count = SEQUENCES or count
    print(f"random sequences: {count} from LOOPBRIDGE_SEED={SEED} on")
    return range(SEED, SEED + count)


def shrink(events, fault_of, fault, tries=60):
    """Leaves out ever smaller parts of a sequence that fails, as long as it fails without them.

    fault_of: what is wrong after these events, None for nothing. An event must make sense without the others.
    """
    size = max(len(events) // 2, 1)
    while True:
        has_shrunk, position = False, 0
        while position < len(events) and tries > 0:
            fewer = events[:position] + events[position + size:]
            tries -= 1
            found = fault_of(fewer) if fewer else None
            if found:
                events, fault, has_shrunk = fewer, found, True
            else:
                position += size
        if tries <= 0 or (size == 1 and not has_shrunk):
            return events, fault
        size = max(size // 2, 1)
