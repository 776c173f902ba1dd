"""Every error and warning that srlens raises by name.

The tree::

    SrlensError
    ├── InputError (also ValueError): the caller can mend it; the message says value, accepted range, remedy
    │   ├── WindowError            a window that is empty or lies outside the SR image
    │   ├── SettingError           steps < 1, σ ≤ 0, σ too large for the kernel, unknown names, …
    │   ├── ImageError             a file that is missing, truncated or not an image; a wrong shape
    │   │   ├── ImageTooSmallError smaller than the network (or the blur kernel) can take
    │   │   └── ChannelError       a channel count that the network does not take
    │   ├── CheckpointError        a file that is missing, truncated or not a checkpoint
    │   │   ├── UnsafeCheckpointError       loading it would execute code
    │   │   └── UnknownArchitectureError    readable, but of no known network family
    │   ├── CatalogError           a published checkpoint that is unknown, unreachable or not what was published
    │   ├── StudyError             a study file or a stored result that cannot be used
    │   └── PluginError            the user's own code beside srlens cannot be loaded
    ├── NetworkOutputError         the module returned something that is no SR image of the promised scale
    │   └── ModuleError (also RuntimeError)     the module itself raised; the message has its words
    ├── NoAttentionError           no cross-attention of the network reads places of the input picture
    ├── NotDifferentiableError     no gradient reaches the network's input
    ├── NotFiniteError             NaN or infinity in image, weights, output or gradient; says where
    ├── ZeroMapError               the map is zero everywhere, so no ratio can be drawn from it
    ├── NoEffectError              replacing the whole picture does not change the window: the input is ignored
    ├── OutOfMemoryError           says which setting to lower
    └── MissingExtraError (also ImportError): a library is not installed; says which extra of srlens brings it

    SrlensWarning (UserWarning)
    ├── BelowReferenceWarning      the network scores below "doing nothing" (bicubic, the noisy picture): wrong range,
    │                              weights or scale; BelowBicubicWarning is its former name
    ├── OutsideRangeWarning        the network's SR image lies far outside [0, 1]: it diverges on this picture
    ├── UnlikeInputWarning         what the network makes, brought down to the size of its input, is not that picture
    ├── ToleranceWarning           the step limit was reached before the tolerance
    ├── UnsteadyNetworkWarning     the network gives other values at a second call: random numbers, or a state
    ├── IncompleteWarning          the map is far from the detector's change: it explains something else
    ├── IncomparableWarning        numbers are put side by side that depend on different conditions
    └── AmbiguousNameWarning       a name that srlens knows is also that of a file, which is left aside
"""


class SrlensError(Exception):
    """Base of every error that srlens raises on purpose."""


class InputError(SrlensError, ValueError):
    """Something given by the caller cannot be used; the message says what would be."""


class WindowError(InputError):
    """A window is empty or does not lie inside the SR image."""


class SettingError(InputError):
    """A setting is outside its accepted range or has an unknown name."""


class ImageError(InputError):
    """An image file or array cannot be used."""


class ImageTooSmallError(ImageError):
    """The LR image is smaller than the network or the blur kernel can take."""


class ChannelError(ImageError):
    """The image has a channel count that the network does not take."""


class CheckpointError(InputError):
    """A network file is missing, truncated or not a checkpoint."""


class UnsafeCheckpointError(CheckpointError):
    """Loading the file would execute code from it."""


class UnknownArchitectureError(CheckpointError):
    """The file is a checkpoint, but of no known network family."""


class CatalogError(InputError):
    """A published checkpoint has no such name, cannot be fetched, or is not what was published."""


class StudyError(InputError):
    """A study file, or a stored result of a study, cannot be used."""


class PluginError(InputError):
    """A plug-in is not there, or raised while it was imported."""


class NetworkOutputError(SrlensError):
    """The module returned something that is no SR image of the promised scale."""


class ModuleError(NetworkOutputError, RuntimeError):
    """The module itself raised; the message has its words, and what may be said of it to srlens."""


class NoAttentionError(SrlensError):
    """The network has no cross-attention whose keys are places of the input picture."""


class NotDifferentiableError(SrlensError):
    """No gradient reaches the network's input."""


class NotFiniteError(SrlensError):
    """NaN or infinity appeared; the message says in what, how many and where first."""


class ZeroMapError(SrlensError):
    """The attribution map is zero everywhere, so nothing can be normalised by it."""


class NoEffectError(SrlensError):
    """No intervention on the picture changes the window: the network ignores its input."""


class OutOfMemoryError(SrlensError):
    """The device ran out of memory; the message says which setting to lower."""


class MissingExtraError(SrlensError, ImportError):
    """A library that this needs is not installed; the message says which extra of srlens brings it."""


class SrlensWarning(UserWarning):
    """Base of every warning that srlens gives on purpose."""


class BelowReferenceWarning(SrlensWarning):
    """The network scores below "doing nothing" (bicubic enlargement, the noisy picture) where the truth is known."""


BelowBicubicWarning = BelowReferenceWarning


class OutsideRangeWarning(SrlensWarning):
    """The SR image lies far outside [0, 1]: the network diverges on this picture."""


class UnlikeInputWarning(SrlensWarning):
    """What a network makes of a picture, brought down again, is another picture: wrong architecture or value range."""


class ToleranceWarning(SrlensWarning):
    """The limit of gradient evaluations was reached before the tolerance."""


class UnsteadyNetworkWarning(SrlensWarning):
    """A network that gives other values at a second call: it draws random numbers, or keeps a state."""


class IncompleteWarning(SrlensWarning):
    """The completeness gap is so large that the map does not explain the detector's change."""


class IncomparableWarning(SrlensWarning):
    """Numbers that depend on different conditions are put side by side."""


class AmbiguousNameWarning(SrlensWarning):
    """A name that srlens knows is also the name of a file in the current folder."""
