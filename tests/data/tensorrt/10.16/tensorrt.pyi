# Signatures of TensorRT's bindings, 10.16; written by read_bindings.py.
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, SupportsInt, overload

__version__: str

class BuilderFlag:
    __members__: ClassVar[dict[str, BuilderFlag]]
    name: str
    def __int__(self) -> int: ...
    FP16: ClassVar[BuilderFlag]
    BF16: ClassVar[BuilderFlag]
    INT8: ClassVar[BuilderFlag]
    DEBUG: ClassVar[BuilderFlag]
    GPU_FALLBACK: ClassVar[BuilderFlag]
    REFIT: ClassVar[BuilderFlag]
    DISABLE_TIMING_CACHE: ClassVar[BuilderFlag]
    EDITABLE_TIMING_CACHE: ClassVar[BuilderFlag]
    TF32: ClassVar[BuilderFlag]
    SPARSE_WEIGHTS: ClassVar[BuilderFlag]
    SAFETY_SCOPE: ClassVar[BuilderFlag]
    OBEY_PRECISION_CONSTRAINTS: ClassVar[BuilderFlag]
    PREFER_PRECISION_CONSTRAINTS: ClassVar[BuilderFlag]
    DIRECT_IO: ClassVar[BuilderFlag]
    REJECT_EMPTY_ALGORITHMS: ClassVar[BuilderFlag]
    VERSION_COMPATIBLE: ClassVar[BuilderFlag]
    EXCLUDE_LEAN_RUNTIME: ClassVar[BuilderFlag]
    FP8: ClassVar[BuilderFlag]
    ERROR_ON_TIMING_CACHE_MISS: ClassVar[BuilderFlag]
    DISABLE_COMPILATION_CACHE: ClassVar[BuilderFlag]
    WEIGHTLESS: ClassVar[BuilderFlag]
    STRIP_PLAN: ClassVar[BuilderFlag]
    REFIT_IDENTICAL: ClassVar[BuilderFlag]
    WEIGHT_STREAMING: ClassVar[BuilderFlag]
    INT4: ClassVar[BuilderFlag]
    REFIT_INDIVIDUAL: ClassVar[BuilderFlag]
    STRICT_NANS: ClassVar[BuilderFlag]
    MONITOR_MEMORY: ClassVar[BuilderFlag]
    FP4: ClassVar[BuilderFlag]
    DISTRIBUTIVE_INDEPENDENCE: ClassVar[BuilderFlag]

class DataType:
    __members__: ClassVar[dict[str, DataType]]
    name: str
    def __int__(self) -> int: ...
    FLOAT: ClassVar[DataType]
    HALF: ClassVar[DataType]
    BF16: ClassVar[DataType]
    INT8: ClassVar[DataType]
    INT32: ClassVar[DataType]
    INT64: ClassVar[DataType]
    BOOL: ClassVar[DataType]
    UINT8: ClassVar[DataType]
    FP8: ClassVar[DataType]
    INT4: ClassVar[DataType]
    FP4: ClassVar[DataType]
    E8M0: ClassVar[DataType]

class ExecutionContextAllocationStrategy:
    __members__: ClassVar[dict[str, ExecutionContextAllocationStrategy]]
    name: str
    def __int__(self) -> int: ...
    STATIC: ClassVar[ExecutionContextAllocationStrategy]
    ON_PROFILE_CHANGE: ClassVar[ExecutionContextAllocationStrategy]
    USER_MANAGED: ClassVar[ExecutionContextAllocationStrategy]

class HardwareCompatibilityLevel:
    __members__: ClassVar[dict[str, HardwareCompatibilityLevel]]
    name: str
    def __int__(self) -> int: ...
    NONE: ClassVar[HardwareCompatibilityLevel]
    AMPERE_PLUS: ClassVar[HardwareCompatibilityLevel]
    SAME_COMPUTE_CAPABILITY: ClassVar[HardwareCompatibilityLevel]

class LayerInformationFormat:
    __members__: ClassVar[dict[str, LayerInformationFormat]]
    name: str
    def __int__(self) -> int: ...
    ONELINE: ClassVar[LayerInformationFormat]
    JSON: ClassVar[LayerInformationFormat]

class LayerType:
    __members__: ClassVar[dict[str, LayerType]]
    name: str
    def __int__(self) -> int: ...
    CONVOLUTION: ClassVar[LayerType]
    GRID_SAMPLE: ClassVar[LayerType]
    NMS: ClassVar[LayerType]
    ACTIVATION: ClassVar[LayerType]
    POOLING: ClassVar[LayerType]
    LRN: ClassVar[LayerType]
    SCALE: ClassVar[LayerType]
    SOFTMAX: ClassVar[LayerType]
    DECONVOLUTION: ClassVar[LayerType]
    CONCATENATION: ClassVar[LayerType]
    ELEMENTWISE: ClassVar[LayerType]
    PLUGIN: ClassVar[LayerType]
    UNARY: ClassVar[LayerType]
    PADDING: ClassVar[LayerType]
    SHUFFLE: ClassVar[LayerType]
    REDUCE: ClassVar[LayerType]
    TOPK: ClassVar[LayerType]
    GATHER: ClassVar[LayerType]
    MATRIX_MULTIPLY: ClassVar[LayerType]
    RAGGED_SOFTMAX: ClassVar[LayerType]
    CONSTANT: ClassVar[LayerType]
    IDENTITY: ClassVar[LayerType]
    CAST: ClassVar[LayerType]
    PLUGIN_V2: ClassVar[LayerType]
    SLICE: ClassVar[LayerType]
    SHAPE: ClassVar[LayerType]
    PARAMETRIC_RELU: ClassVar[LayerType]
    RESIZE: ClassVar[LayerType]
    TRIP_LIMIT: ClassVar[LayerType]
    RECURRENCE: ClassVar[LayerType]
    ITERATOR: ClassVar[LayerType]
    LOOP_OUTPUT: ClassVar[LayerType]
    SELECT: ClassVar[LayerType]
    ASSERTION: ClassVar[LayerType]
    FILL: ClassVar[LayerType]
    QUANTIZE: ClassVar[LayerType]
    DEQUANTIZE: ClassVar[LayerType]
    CONDITION: ClassVar[LayerType]
    CONDITIONAL_INPUT: ClassVar[LayerType]
    CONDITIONAL_OUTPUT: ClassVar[LayerType]
    SCATTER: ClassVar[LayerType]
    EINSUM: ClassVar[LayerType]
    ONE_HOT: ClassVar[LayerType]
    NON_ZERO: ClassVar[LayerType]
    REVERSE_SEQUENCE: ClassVar[LayerType]
    NORMALIZATION: ClassVar[LayerType]
    PLUGIN_V3: ClassVar[LayerType]
    SQUEEZE: ClassVar[LayerType]
    UNSQUEEZE: ClassVar[LayerType]
    CUMULATIVE: ClassVar[LayerType]
    DYNAMIC_QUANTIZE: ClassVar[LayerType]
    ATTENTION_INPUT: ClassVar[LayerType]
    ATTENTION_OUTPUT: ClassVar[LayerType]
    ROTARY_EMBEDDING: ClassVar[LayerType]
    KV_CACHE_UPDATE: ClassVar[LayerType]
    MOE: ClassVar[LayerType]
    DIST_COLLECTIVE: ClassVar[LayerType]

class MemoryPoolType:
    __members__: ClassVar[dict[str, MemoryPoolType]]
    name: str
    def __int__(self) -> int: ...
    WORKSPACE: ClassVar[MemoryPoolType]
    DLA_MANAGED_SRAM: ClassVar[MemoryPoolType]
    DLA_LOCAL_DRAM: ClassVar[MemoryPoolType]
    DLA_GLOBAL_DRAM: ClassVar[MemoryPoolType]
    TACTIC_DRAM: ClassVar[MemoryPoolType]
    TACTIC_SHARED_MEMORY: ClassVar[MemoryPoolType]

class NetworkDefinitionCreationFlag:
    __members__: ClassVar[dict[str, NetworkDefinitionCreationFlag]]
    name: str
    def __int__(self) -> int: ...
    EXPLICIT_BATCH: ClassVar[NetworkDefinitionCreationFlag]
    STRONGLY_TYPED: ClassVar[NetworkDefinitionCreationFlag]
    PREFER_AOT_PYTHON_PLUGINS: ClassVar[NetworkDefinitionCreationFlag]
    PREFER_JIT_PYTHON_PLUGINS: ClassVar[NetworkDefinitionCreationFlag]

class ProfilingVerbosity:
    __members__: ClassVar[dict[str, ProfilingVerbosity]]
    name: str
    def __int__(self) -> int: ...
    LAYER_NAMES_ONLY: ClassVar[ProfilingVerbosity]
    DETAILED: ClassVar[ProfilingVerbosity]
    NONE: ClassVar[ProfilingVerbosity]

class TensorIOMode:
    __members__: ClassVar[dict[str, TensorIOMode]]
    name: str
    def __int__(self) -> int: ...
    NONE: ClassVar[TensorIOMode]
    INPUT: ClassVar[TensorIOMode]
    OUTPUT: ClassVar[TensorIOMode]

class Builder:
    def __init__(self, logger: ILogger) -> None: ...
    @overload
    def build_serialized_network(self, network: INetworkDefinition, config: IBuilderConfig) -> IHostMemory: ...
    @overload
    def build_serialized_network(
        self, network: INetworkDefinition, config: IBuilderConfig, kernel_text: Any
    ) -> IHostMemory: ...
    def create_builder_config(self) -> IBuilderConfig: ...
    def create_network(self, flags: SupportsInt = ...) -> INetworkDefinition: ...
    def create_optimization_profile(self) -> IOptimizationProfile: ...

class Dims:
    def __iter__(self) -> Iterator[int]: ...
    def __getitem__(self, index: int, /) -> int: ...
    @overload
    def __init__(self) -> None: ...
    @overload
    def __init__(self, shape: Sequence[SupportsInt]) -> None: ...

class EngineInspector:
    def get_engine_information(self, format: LayerInformationFormat) -> str: ...

class IBuilderConfig:
    def add_optimization_profile(self, profile: IOptimizationProfile) -> int: ...
    def clear_flag(self, flag: BuilderFlag) -> None: ...
    def create_timing_cache(self, serialized_timing_cache: bytes) -> ITimingCache: ...
    def get_timing_cache(self) -> ITimingCache: ...
    hardware_compatibility_level: HardwareCompatibilityLevel
    profiling_verbosity: ProfilingVerbosity
    progress_monitor: IProgressMonitor
    def set_flag(self, flag: BuilderFlag) -> None: ...
    def set_memory_pool_limit(self, pool: MemoryPoolType, pool_size: SupportsInt) -> None: ...
    def set_timing_cache(self, cache: ITimingCache, ignore_mismatch: bool) -> bool: ...

class ICudaEngine:
    def __iter__(self) -> Iterator[int]: ...
    def __getitem__(self, index: int, /) -> int: ...
    def create_engine_inspector(self) -> EngineInspector: ...
    @overload
    def create_execution_context(self, strategy: ExecutionContextAllocationStrategy = ...) -> IExecutionContext: ...
    @overload
    def create_execution_context(self, runtime_config: Any = ...) -> IExecutionContext: ...
    def create_runtime_config(self) -> Any: ...
    @property
    def device_memory_size_v2(self) -> int: ...
    def get_tensor_dtype(self, name: str) -> DataType: ...
    def get_tensor_mode(self, name: str) -> TensorIOMode: ...
    def get_tensor_name(self, index: SupportsInt) -> str: ...
    def get_tensor_profile_shape(self, name: str, profile_index: SupportsInt) -> list[Dims]: ...
    def get_tensor_shape(self, name: str) -> Dims: ...
    @property
    def hardware_compatibility_level(self) -> Any: ...
    @property
    def name(self) -> str: ...
    @property
    def num_io_tensors(self) -> int: ...
    @property
    def num_layers(self) -> int: ...
    @property
    def profiling_verbosity(self) -> Any: ...
    def serialize(self) -> IHostMemory: ...

class IExecutionContext:
    @property
    def engine(self) -> Any: ...
    def execute_async_v3(self, stream_handle: SupportsInt) -> bool: ...
    def get_tensor_shape(self, name: str) -> Dims: ...
    name: str
    def set_device_memory(self, memory: SupportsInt, size: SupportsInt) -> None: ...
    @overload
    def set_input_shape(self, name: str, shape: tuple) -> bool: ...
    @overload
    def set_input_shape(self, name: str, shape: list) -> bool: ...
    @overload
    def set_input_shape(self, name: str, shape: Dims) -> bool: ...
    def set_tensor_address(self, name: str, memory: SupportsInt) -> bool: ...

class IHostMemory:
    def __buffer__(self, flags: int, /) -> memoryview: ...
    @property
    def dtype(self) -> DataType: ...
    @property
    def nbytes(self) -> int: ...

class ILayer:
    def get_input(self, index: SupportsInt) -> ITensor: ...
    def get_output(self, index: SupportsInt) -> ITensor: ...
    metadata: str
    name: str
    @property
    def num_inputs(self) -> int: ...
    @property
    def num_outputs(self) -> int: ...
    @property
    def type(self) -> LayerType: ...

class ILogger:
    class Severity:
        __members__: ClassVar[dict[str, ILogger.Severity]]
        name: str
        def __int__(self) -> int: ...
        INTERNAL_ERROR: ClassVar[ILogger.Severity]
        ERROR: ClassVar[ILogger.Severity]
        WARNING: ClassVar[ILogger.Severity]
        INFO: ClassVar[ILogger.Severity]
        VERBOSE: ClassVar[ILogger.Severity]

    def __init__(self) -> None: ...
    def log(self, severity: ILogger.Severity, msg: str) -> None: ...

class INetworkDefinition:
    def __iter__(self) -> Iterator[int]: ...
    def __getitem__(self, index: int, /) -> int: ...
    def get_input(self, index: SupportsInt) -> ITensor: ...
    def get_layer(self, index: SupportsInt) -> ILayer: ...
    def get_output(self, index: SupportsInt) -> ITensor: ...
    name: str
    @property
    def num_inputs(self) -> int: ...
    @property
    def num_layers(self) -> int: ...
    @property
    def num_outputs(self) -> int: ...

class IOptimizationProfile:
    def set_shape(self, input: str, min: Dims, opt: Dims, max: Dims) -> None: ...

class IProgressMonitor:
    def __init__(self) -> None: ...
    def phase_finish(self, phase_name: str) -> None: ...
    def phase_start(self, phase_name: str, parent_phase: str, num_steps: SupportsInt) -> None: ...
    def step_complete(self, phase_name: str, step: SupportsInt) -> bool: ...

class ITensor:
    dtype: DataType
    name: str
    shape: Dims

class ITimingCache:
    def serialize(self) -> IHostMemory: ...

class OnnxParser:
    def __init__(self, network: INetworkDefinition, logger: ILogger) -> None: ...
    def clear_flag(self, flag: Any) -> None: ...
    def get_error(self, index: SupportsInt) -> ParserError: ...
    @property
    def num_errors(self) -> int: ...
    def parse_from_file(self, model: str) -> bool: ...
    def set_flag(self, flag: Any) -> None: ...

class ParserError:
    def desc(self) -> str: ...
    def node(self) -> int: ...
    def node_name(self) -> str: ...
    def node_operator(self) -> str: ...

class Runtime:
    def __init__(self, logger: ILogger) -> None: ...
    @overload
    def deserialize_cuda_engine(self, serialized_engine: bytes) -> ICudaEngine: ...
    @overload
    def deserialize_cuda_engine(self, stream_reader: Any) -> ICudaEngine: ...
    @overload
    def deserialize_cuda_engine(self, stream_reader_v2: Any) -> ICudaEngine: ...
    engine_host_code_allowed: bool
