"""``srlens verify``: tests of the map of one window."""

from typing import Annotated

from cyclopts import Parameter

from srlens.cli.options import WindowVerb
from srlens.cli.parsing import writable


def verify(
    network: str,
    image: str,
    *,
    budget: str = "default",
    fills: Annotated[tuple[str, ...], Parameter(consume_multiple=True, negative=())] = (),
    methods: Annotated[tuple[str, ...], Parameter(consume_multiple=True, negative=())] = (),
    chosen: WindowVerb = WindowVerb(),
) -> None:
    """Test the map of one window by interventions, against orders that know no map, and against random networks.

    Writes the trust card (figure), verification.json and everything that was found (safetensors) into the output
    folder.

    Parameters
    ----------
    network
        A checkpoint file, a shipped network (plain, channel, nonlocal) or a published one (srlens networks list).
    image
        The LR image; with --hr the HR image, from which the LR is made. Names of packaged photographs do as well.
    budget
        quick (about 5 times the map itself), default (about 25 times), or a number of forward passes.
    fills
        What replaces pixels in deletion and insertion: blur, mean, patches, linear; blur and patches by default.
    methods
        Whose maps are compared with that of --method; as the budget has it by default.
    """
    from srlens.cli.progress import progress_bars
    from srlens.cli.report import print_verification
    from srlens.comparison.hard_window import hardest_window
    from srlens.comparison.sanity import check_against_reference
    from srlens.records.output import write_verification
    from srlens.trust.verify import DELETION_FILLS
    from srlens.trust.verify import verify as run

    where, keywords, out = chosen.parsed(), chosen.keywords(), writable(chosen.out)
    (opened,) = chosen.open(network)
    subject = chosen.read(image, [opened], keywords.get("preset"))
    rendered = opened.render(subject.lr)
    if subject.hr is not None:
        check_against_reference(opened, subject.lr, subject.hr, rendered, subject.degradation)
    window = where if where is not None else hardest_window([rendered.clamp(0, 1)], subject, size=chosen.size).window
    with progress_bars() as bars:
        found = run(
            opened,
            subject.lr,
            window,
            subject.hr,
            fills=fills or DELETION_FILLS,
            methods=methods or None,
            budget=budget,
            progress=lambda test: bars.step(test, unit="steps"),
            **keywords,
        )
    print_verification(found, write_verification(found, subject, out, formats=chosen.formats))
