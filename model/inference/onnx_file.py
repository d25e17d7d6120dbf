"""What an ONNX file of somebody's promises: its input, its outputs, and that it is only a network.

A file is refused that is more than weights and operators of ONNX itself, or whose work for an image
would depend on what the image shows: then one trial says what all images take. See docs/adr/0022.

Source: onnx.proto (the numbers of fields and types), onnx.ai/onnx/operators.
"""

from __future__ import annotations

from typing import NamedTuple

from model.errors import NetworkError
from model.inference.protobuf import Message, Reader

LARGEST_FILE = 256 * 2**20
DOMAINS = ("", "ai.onnx")
"""Both are names of ONNX's own operators."""
FLOAT = 1

_NAMES = """
Abs Acos Acosh Add And ArgMax ArgMin Asin Asinh Atan Atanh Attention AveragePool
BatchNormalization Cast CastLike Ceil Celu Clip Concat Constant ConstantOfShape Conv
ConvTranspose Cos Cosh CumSum DepthToSpace DequantizeLinear Div Dropout Einsum Elu Equal Erf Exp
Expand EyeLike Flatten Floor GRU Gather GatherElements GatherND Gelu Gemm GlobalAveragePool
GlobalLpPool GlobalMaxPool Greater GreaterOrEqual GridSample GroupNormalization HardSigmoid
HardSwish Hardmax Identity InstanceNormalization IsInf IsNaN LRN LSTM LayerNormalization
LeakyRelu Less LessOrEqual Log LogSoftmax LpNormalization LpPool MatMul Max MaxPool Mean
MeanVarianceNormalization Min Mish Mod Mul Neg Not OneHot Or PRelu Pad Pow QuantizeLinear
RMSNormalization RNN Range Reciprocal ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax
ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare Relu Reshape Resize Round
ScatterElements ScatterND Selu Shape Shrink Sigmoid Sign Sin Sinh Size Slice Softmax Softplus
Softsign SpaceToDepth Split Sqrt Squeeze Sub Sum Swish Tan Tanh ThresholdedRelu Tile TopK
Transpose Trilu Unsqueeze Upsample Where Xor
"""
OPERATORS = frozenset(_NAMES.split())
DRAWING = frozenset(
    (
        *("Bernoulli", "Multinomial", "RandomNormal", "RandomNormalLike"),
        *("RandomUniform", "RandomUniformLike"),
    )
)
"""Operators that draw random numbers."""
CONTROL = frozenset(("If", "Loop", "Scan", "SequenceMap"))
"""Operators that hold graphs, and run them as often as numbers say."""
SIZING = {
    "ConstantOfShape": (0,),
    "Expand": (1,),
    "Dropout": (2,),
    "OneHot": (1,),
    "Pad": (1,),
    "Range": (0, 1, 2),
    "Reshape": (1,),
    "Resize": (1, 2, 3),
    "Slice": (1, 2, 3, 4),
    "Split": (1,),
    "Tile": (1,),
    "TopK": (1,),
    "Upsample": (1,),
}
"""Inputs that determine the size of an output, or whether an operator draws random numbers."""


class Model:
    """Numbers of the fields of ModelProto."""

    GRAPH, FUNCTIONS = 7, 25


class Graph:
    """Numbers of the fields of GraphProto."""

    NODE, INITIALIZER, INPUT, OUTPUT, SPARSE = 1, 5, 11, 12, 15


class Node:
    """Numbers of the fields of NodeProto."""

    INPUT, OUTPUT, OPERATOR, ATTRIBUTE, DOMAIN = 1, 2, 4, 5, 7


class Attribute:
    """Numbers of the fields of AttributeProto."""

    TENSOR, TENSORS = 5, 10
    GRAPHS = (6, 11)
    SPARSE = (22, 23)


class Tensor:
    """Numbers of the fields of TensorProto."""

    NAME, EXTERNAL, LOCATION = 8, 13, 14


class Signature(NamedTuple):
    """What a network takes and gives."""

    input: str
    sizes: tuple[int, ...]
    """Of the input, after the free number of rows."""
    outputs: tuple[str, ...]


def inspect(content: bytes, name: str) -> Signature:
    """Return the signature of a network, if it is one that may be run.

    Args:
        content: An ONNX file.
        name: What errors call it.

    Raises:
        NetworkError: The file is too large, is no ONNX file, or holds something else than weights
            and operators of ONNX; it draws random numbers; or it has not one input of float32 whose
            first axis alone is free, and outputs of float32.
    """
    if len(content) > LARGEST_FILE:
        raise NetworkError(
            f"{name} has {len(content):,} bytes; a network may have {LARGEST_FILE:,}. "
            "Make it smaller."
        )
    try:
        return _Inspection(name).signature(memoryview(content))
    except ValueError as error:
        raise NetworkError(f"{name} is no ONNX file: {error}. Export it again.") from error


class _Inspection:
    def __init__(self, name: str) -> None:
        self._name = name
        self._reader = Reader()

    def signature(self, content: memoryview) -> Signature:
        model = self._reader.fields(content)
        graph = model.one(Model.GRAPH)
        if graph is None:
            raise ValueError("it has no graph")
        if Model.FUNCTIONS in model:
            raise self._refused("functions of its own", "Export it with its functions inlined.")
        parts = self._reader.fields(graph)
        if Graph.SPARSE in parts:
            raise self._refused("sparse weights", "Export them as dense ones.")
        weights = {self._weight(tensor) for tensor in parts.every(Graph.INITIALIZER)}
        inputs = [
            port
            for port in map(self._reader.fields, parts.every(Graph.INPUT))
            if port.text(1) not in weights
        ]
        names = {port.text(1) for port in inputs}
        self._look_at_nodes(parts, {"", *weights, *names}, names)
        outputs = [self._reader.fields(port) for port in parts.every(Graph.OUTPUT)]
        if len(inputs) != 1:
            told = ", ".join(port.text(1) for port in inputs) or "none"
            raise NetworkError(f"{self._name} has the inputs {told}; it must have one.")
        for port in outputs:
            self._axes(port)
        sizes = self._free_rows(inputs[0])
        return Signature(inputs[0].text(1), sizes, tuple(port.text(1) for port in outputs))

    def _look_at_nodes(self, graph: Message, known: set[str], read: set[str]) -> None:
        """Go through the nodes in order and refuse what may not be run.

        Args:
            graph: It has the nodes.
            known: Names of the tensors that are there before the first; "" stands for none.
            read: Those of them that depend on what an image shows.
        """
        for content in graph.every(Graph.NODE):
            node = self._reader.fields(content)
            operator, domain = node.text(Node.OPERATOR), node.text(Node.DOMAIN)
            if domain not in DOMAINS:
                raise self._refused(
                    f"the operator {operator} of {domain}, which is not ONNX's own",
                    "Export it with ONNX's operators alone.",
                )
            if operator in DRAWING:
                raise self._refused(
                    f"the operator {operator}, which draws random numbers",
                    "Export the mean and the spread of the posterior, not a sample of it.",
                )
            if operator in CONTROL:
                raise self._refused(
                    f"the operator {operator}, whose work depends on numbers",
                    "Export it without conditions and loops.",
                )
            if operator not in OPERATORS:
                raise self._refused(
                    f"the operator {operator}, which is not among those that networks are made of",
                    "docs/own-model.md lists them.",
                )
            for attribute in node.every(Node.ATTRIBUTE):
                self._look_at_attribute(self._reader.fields(attribute))
            inputs, outputs = node.texts(Node.INPUT), node.texts(Node.OUTPUT)
            if unknown := set(inputs) - known:
                raise ValueError(f"its operator {operator} comes before its input {min(unknown)}")
            for place in SIZING.get(operator, ()):
                if inputs[place : place + 1] and inputs[place] in read:
                    raise self._refused(
                        f"the operator {operator} with a size that depends on what an image shows",
                        "Export it with sizes that are the same for all images.",
                    )
            if operator not in ("Shape", "Size") and not read.isdisjoint(inputs):
                read.update(outputs)
            known.update(outputs)

    def _look_at_attribute(self, attribute: Message) -> None:
        if any(number in attribute for number in Attribute.GRAPHS):
            raise self._refused("an operator that holds a graph", "Export it without.")
        if any(number in attribute for number in Attribute.SPARSE):
            raise self._refused("sparse constants", "Export them as dense ones.")
        if tensor := attribute.one(Attribute.TENSOR):
            self._weight(tensor)
        for tensor in attribute.every(Attribute.TENSORS):
            self._weight(tensor)

    def _weight(self, content: memoryview) -> str:
        """Return the name of a tensor whose numbers are in the file."""
        tensor = self._reader.fields(content)
        name = tensor.text(Tensor.NAME)
        if Tensor.EXTERNAL in tensor or tensor.number(Tensor.LOCATION):
            raise self._refused(
                f"external data: the numbers of {name} are in another file",
                "Export it with all weights inside; torch.onnx.export does by external_data=False.",
            )
        return name

    def _free_rows(self, port: Message) -> tuple[int, ...]:
        """Return the sizes of an input after its first axis, which must be free; it alone."""
        rows, *others = self._axes(port) or [0]
        name = port.text(1)
        if rows is not None:
            raise NetworkError(
                f"{self._name} takes {rows} rows of {name}, no more and no less; leave their "
                f'number free: torch.onnx.export does by dynamic_axes={{"{name}": {{0: "N"}}}}.'
            )
        sizes = tuple(size for size in others if size)
        if len(sizes) < len(others):
            raise NetworkError(
                f"{self._name} leaves other sizes of {name} free than the number of its rows; "
                "export it with all others fixed."
            )
        return sizes

    def _axes(self, port: Message) -> list[int | None]:
        """Return the sizes of a tensor of float32, None for one that is free."""
        name = port.text(1)
        kind = self._reader.fields(self._within(port, 2, name))
        tensor = self._reader.fields(self._within(kind, 1, name))
        if tensor.number(1) != FLOAT:
            raise NetworkError(f"{self._name}: {name} is not of float32; export it in float32.")
        if 2 not in tensor:
            return []
        shape = self._reader.fields(self._within(tensor, 2, name))
        return [self._reader.fields(size).number(1) for size in shape.every(1)]

    def _within(self, message: Message, number: int, name: str) -> memoryview:
        found = message.one(number)
        if found is None:
            raise NetworkError(f"{self._name}: {name} is no tensor; it must be one of float32.")
        return found

    def _refused(self, holds: str, remedy: str) -> NetworkError:
        return NetworkError(f"{self._name} has {holds}. {remedy}")
