"""Every operator that can be restricted to a box, by name."""

from srlens.windowed import (
    rule_convolution,
    rule_gather,
    rule_layout,
    rule_pointwise,
    rule_reduction,
    rule_resample,
)
from srlens.windowed.rule import Rule

RULES: dict[str, Rule] = {
    **rule_pointwise.RULES,
    **rule_convolution.RULES,
    **rule_gather.RULES,
    **rule_resample.RULES,
    **rule_layout.RULES,
    **rule_reduction.RULES,
}
