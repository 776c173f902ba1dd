"""Which input pixels a super-resolution or restoration network used.

Local attribution maps (Gu & Dong, CVPR 2021) for any network that makes a picture of one, with completeness gap and map
error::

    import srlens

    network = srlens.open_network("imdn-x4.pth")  # or srlens.Network.wrap(module, scale=4)
    image = srlens.open_image("lr.png")
    result = srlens.attribute(network, image, srlens.Window(top=110, left=150, height=16, width=16))
    result.map, result.diffusion_index, result.completeness_gap, result.map_error

What the verbs of the command line do is here as well:

=================  =====================================================================================
``explain``        :func:`attribute`, or :func:`compare` of one network; :func:`write_comparison`
``compare``        :func:`compare`, :func:`sweep`, :func:`area_of_interest`; :func:`write_comparison`,
                   :func:`write_tables`, :func:`write_sweep`; with ``--methods`` :func:`compare_methods`,
                   :func:`write_method_comparison`
``field``          :func:`field`; with a log that is resumed: :func:`run_field`
``field-of-view``  :func:`fields_of_view`; :func:`write_fields_of_view`
``verify``         :func:`verify`; :func:`write_verification`
``demo``           :func:`compare` of what :func:`load_default` gives
``mine``           :func:`mine`, :func:`write_window_list`
``study``          :func:`read_study`, :func:`run_study`, :func:`build_report`
``networks``       :func:`listed_families`, :func:`listed_shipped`, :func:`listed_published`,
                   :func:`inspect_network`
``app``            :func:`serving`
``doctor``         :func:`doctor`
=================  =====================================================================================

Names are imported when first used, so that ``import srlens`` stays light; ``__init__.pyi`` lists them.
"""

import lazy_loader

from srlens._version import __version__ as __version__

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
__all__ += ["__version__"]
