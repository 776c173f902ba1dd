"""How far could it look, how far does it?
=======================================

The theoretical receptive field, the support of the gradient that is measured, the effective receptive field (mean
gradient over many places), and the reach of the attribution map at one hard window, on one scale.
"""

import srlens

networks = [srlens.load_default(name) for name in ("plain", "nonlocal")]
subjects = [srlens.read_subject(name, 4, is_hr=True) for name in ("pagoda", "hopper")]
fields = srlens.fields_of_view(networks, subjects, places=6)
srlens.figure_of(fields)
