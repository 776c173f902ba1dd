# The public names, once: what `import srlens` gives, type checkers read, and srlens/__init__.py imports on first use.

from . import errors as errors
from .attribution.attribute import attribute as attribute, field as field, field_method as field_method
from .attribution.attention import attention as attention
from .attribution.attention_maps import AttentionMaps as AttentionMaps, LayerAttention as LayerAttention
from .attribution.baseline import BASELINES as BASELINES, Baseline as Baseline
from .attribution.detector import DETECTORS as DETECTORS, Detector as Detector
from .attribution.explainer import Explainer as Explainer
from .attribution.field import Field as Field, FieldPoint as FieldPoint
from .attribution.method import METHODS as METHODS, Method as Method
from .attribution.path import (
    CURVES as CURVES,
    LinearFromBlack as LinearFromBlack,
    LinearFromBlur as LinearFromBlur,
    Path as Path,
    ProgressiveBlur as ProgressiveBlur,
)
from .attribution.result import Attribution as Attribution
from .attribution.sampler_report import SamplerReport as SamplerReport, sampler_report as sampler_report
from .attribution.seeds import SeedMaps as SeedMaps, attribute_seeds as attribute_seeds
from .attribution.scene import Algorithm as Algorithm, Explanation as Explanation, Scene as Scene
from .cli.progress import progress_bars as progress_bars
from .comparison.compare import Comparison as Comparison, compare as compare
from .comparison.compare_methods import MethodComparison as MethodComparison, compare_methods as compare_methods
from .comparison.explained import Explained as Explained, Measurable as Measurable
from .comparison.field_of_view import FieldOfView as FieldOfView, fields_of_view as fields_of_view
from .comparison.interest import Interest as Interest, area_of_interest as area_of_interest
from .comparison.measures import MEASURES as MEASURES, Measure as Measure, add_measure as add_measure
from .comparison.sanity import Sanity as Sanity, check_against_reference as check_against_reference
from .comparison.seeds import SeedComparison as SeedComparison, compare_seeds as compare_seeds
from .comparison.subject import Subject as Subject, read_subject as read_subject
from .comparison.sweep import Sweep as Sweep, sweep as sweep
from .comparison.table import write_tables as write_tables
from .diagnosis import Diagnosis as Diagnosis, doctor as doctor
from .errors import (
    AmbiguousNameWarning as AmbiguousNameWarning,
    BelowReferenceWarning as BelowReferenceWarning,
    CatalogError as CatalogError,
    ChannelError as ChannelError,
    CheckpointError as CheckpointError,
    ImageError as ImageError,
    ImageTooSmallError as ImageTooSmallError,
    IncomparableWarning as IncomparableWarning,
    IncompleteWarning as IncompleteWarning,
    InputError as InputError,
    MissingExtraError as MissingExtraError,
    ModuleError as ModuleError,
    NetworkOutputError as NetworkOutputError,
    NoAttentionError as NoAttentionError,
    NoEffectError as NoEffectError,
    NotDifferentiableError as NotDifferentiableError,
    NotFiniteError as NotFiniteError,
    OutOfMemoryError as OutOfMemoryError,
    OutsideRangeWarning as OutsideRangeWarning,
    PluginError as PluginError,
    SettingError as SettingError,
    SrlensError as SrlensError,
    SrlensWarning as SrlensWarning,
    StudyError as StudyError,
    ToleranceWarning as ToleranceWarning,
    UnsteadyNetworkWarning as UnsteadyNetworkWarning,
    UnlikeInputWarning as UnlikeInputWarning,
    UnknownArchitectureError as UnknownArchitectureError,
    UnsafeCheckpointError as UnsafeCheckpointError,
    WindowError as WindowError,
    ZeroMapError as ZeroMapError,
)
from .figures.of import figure_of as figure_of
from .figures.parts import parts_figure as parts_figure
from .imaging.degradation import Degradation as Degradation
from .imaging.degrade import (
    DEGRADATIONS as DEGRADATIONS,
    add_degradation as add_degradation,
    degrade as degrade,
    make_lr as make_lr,
)
from .imaging.clip import read_clip as read_clip
from .imaging.files import read_image as read_image, write_image as write_image
from .imaging.open import open_image as open_image
from .imaging.window import Window as Window
from .measures.concentration import (
    diffusion_index as diffusion_index,
    effective_pixels as effective_pixels,
    gini as gini,
)
from .networks.inspect import inspect_network as inspect_network
from .networks.listing import (
    listed_families as listed_families,
    listed_published as listed_published,
    listed_shipped as listed_shipped,
)
from .networks.load import load_network as load_network
from .networks.network import Network as Network
from .networks.open import load_default as load_default, open_network as open_network
from .networks.pipeline_folder import open_pipeline as open_pipeline
from .networks.plug_and_play import plug_and_play as plug_and_play
from .networks.receptive_field import ReceptiveField as ReceptiveField, Stage as Stage
from .networks.sampled import last_steps as last_steps
from .networks.sampler import Noise as Noise, Sampler as Sampler
from .networks.zoo.family import Family as Family
from .networks.zoo.registry import add_family as add_family
from .plugins import load_plugins as load_plugins
from .records.archive import load as load
from .records.field_run import run_field as run_field
from .records.output import (
    write_comparison as write_comparison,
    write_fields_of_view as write_fields_of_view,
    write_method_comparison as write_method_comparison,
    write_sweep as write_sweep,
    write_verification as write_verification,
)
from .study.mine import mine as mine
from .study.report.build import build_report as build_report
from .study.run import run_study as run_study
from .study.schema import read_study as read_study
from .study.window_list import read_window_list as read_window_list, write_window_list as write_window_list
from .trust.fills import FILLS as FILLS, Fill as Fill
from .trust.intervention import Effects as Effects, Interventions as Interventions
from .trust.reach import reach as reach
from .trust.numbers import NUMBERS as NUMBERS
from .trust.reach_result import Reach as Reach, ReachCurve as ReachCurve, ReachPoint as ReachPoint
from .trust.verification import Verification as Verification
from .trust.verify import verify as verify
from .web.server import serving as serving

__version__: str
