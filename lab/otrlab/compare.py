"""Finds where two logs of one script part."""


class Difference:
    def __init__(self, step, line, left, right):
        self.step, self.line, self.left, self.right = step, line, left, right

    def show(self, steps, left_name, right_name, context=2):
        out = ["step %d: %s" % (self.step, " ".join(steps[self.step]))]
        for line in self.left[max(0, self.line - context) : self.line]:
            out.append("      both  %s" % line)
        for name, lines in ((left_name, self.left), (right_name, self.right)):
            for line in lines[self.line : self.line + 3] or ["(nothing more)"]:
                out.append("%12s  %s" % (name, line))
        return "\n".join(out)


def first_difference(left, right, upto=None):
    """The first place where the logs differ, or None."""
    for step, (a, b) in enumerate(zip(left, right)):
        if upto is not None and step >= upto:
            return None
        if a != b:
            line = 0
            while line < len(a) and line < len(b) and a[line] == b[line]:
                line += 1
            return Difference(step, line, a, b)
    return None
