"""Makes a failing script short."""


def shrink(steps, fails, tries=300):
    """The shortest script found, within so many tries, for which fails(steps) holds."""
    left = tries

    def check(candidate):
        nonlocal left
        left -= 1
        return left >= 0 and fails(candidate)

    size = max(1, len(steps) // 2)
    while size >= 1 and left > 0:
        at, changed = 0, False
        while at < len(steps) and left > 0:
            candidate = steps[:at] + steps[at + size :]
            if candidate and check(candidate):
                steps, changed = candidate, True
            else:
                at += size
        if size == 1 and not changed:
            break
        size = size // 2 or (1 if changed else 0)
    return steps
