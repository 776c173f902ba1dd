"""``srlens doctor``: what is installed here, and whether a map comes out as it should."""


def doctor() -> int:
    """Say what is installed and compute a tiny map on every device; paste the output into a report of a fault.

    The exit code is 1 where a map does not come out as it should.
    """
    from srlens.cli.console import say
    from srlens.diagnosis import doctor as diagnose

    diagnosis = diagnose()
    say(diagnosis, style=None if diagnosis.sound else "red")
    return 0 if diagnosis.sound else 1
