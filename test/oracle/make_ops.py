"""Reference values and gradients of single operations, by PyTorch in float64 (stored rounded to float32).

Writes ops.json: a list of {op, name, attributes, inputs, outputs, upstream, gradients}. A tensor is {shape, data}
(data flattened, row-major) and, for integers and booleans, a `dtype`. `upstream` is the gradient that flows into the
output; `gradients` are those of the inputs, null where the input is not differentiable. Ties: reduceMax shares the gradient
evenly between equal maxima (torch.amax); relu's slope at zero is zero.
"""
import torch
import torch.nn.functional as F

import common

generator = torch.Generator().manual_seed(5)
cases = []


def normal(*shape, scale=1.0):
    return (scale * torch.randn(shape, generator=generator)).double()


def positive(*shape):
    return (0.2 + 2 * torch.rand(shape, generator=generator)).double()


def tensor_json(value):
    if value is None:
        return None
    result = {"shape": list(value.shape), "data": value.detach().flatten().tolist()}
    if value.dtype == torch.bool:
        result.update(dtype="bool", data=[int(x) for x in result["data"]])
    elif value.dtype == torch.int64:
        result["dtype"] = "int64"
    else:
        result["data"] = [float(f"{x:.9g}") for x in result["data"]]
    return result


def case(op, name, inputs, function, **attributes):
    """Runs `function` on the inputs, rounded to float32 first so that both sides start from the same numbers."""
    inputs = [x.float().double().requires_grad_() if x.is_floating_point() else x for x in inputs]
    output = function(*inputs)
    upstream = normal(*output.shape).float().double()
    trained = [x for x in inputs if x.requires_grad]
    found = iter(torch.autograd.grad(output, trained, upstream, allow_unused=True))
    gradients = [next(found) if x.requires_grad else None for x in inputs]
    cases.append({"op": op, "name": name, "attributes": attributes, "inputs": [tensor_json(x) for x in inputs], "outputs": [tensor_json(output)],
                  "upstream": tensor_json(upstream), "gradients": [tensor_json(x) for x in gradients]})


def binary():
    shapes = {"same shape": ((2, 3), (2, 3)), "row": ((2, 3), (3,)), "column": ((2, 3), (2, 1)), "both sides": ((4, 1, 3), (2, 1)), "scalar": ((2, 3), ())}
    for op, function in {"add": torch.add, "sub": torch.sub, "mul": torch.mul, "div": torch.div}.items():
        for name, (a, b) in shapes.items():
            case(op, name, [normal(*a), positive(*b) * (1 if name != "row" else -1) if op == "div" else normal(*b)], function)


def unary():
    edges = torch.tensor([-6.0, -2.0, -0.5, 0.0, 0.5, 2.0, 6.0]).double()
    for op, function in {
        "neg": torch.neg, "exp": torch.exp, "tanh": torch.tanh, "erf": torch.erf, "sigmoid": torch.sigmoid,
        "relu": torch.relu, "gelu": F.gelu, "geluTanh": lambda x: F.gelu(x, approximate="tanh"), "silu": F.silu,
    }.items():
        case(op, "edges, zero included", [edges], function)
        case(op, "matrix", [normal(3, 4)], function)
    for op, function in {"sqrt": torch.sqrt, "log": torch.log, "reciprocal": torch.reciprocal}.items():
        case(op, "positive", [positive(3, 4)], function)


def normalized():
    for op, function in {"softmax": F.softmax, "logSoftmax": F.log_softmax}.items():
        case(op, "last axis", [normal(2, 3, 5)], lambda x, f=function: f(x, -1), axis=-1)
        case(op, "masked scores", [normal(2, 4) + torch.tensor([0.0, 0, -1e4, -1e4]).double()], lambda x, f=function: f(x, -1), axis=-1)
        case(op, "equal scores", [torch.zeros(1, 4).double()], lambda x, f=function: f(x, -1), axis=-1)
    for epsilon in (1e-12, 1e-5):
        case("layerNorm", f"epsilon {epsilon}", [normal(2, 3, 8), 1 + normal(8, scale=0.2), normal(8, scale=0.1)],
             lambda x, w, b, e=epsilon: F.layer_norm(x, (8,), w, b, e), axis=-1, epsilon=epsilon)


def products():
    case("matmul", "2d", [normal(3, 4), normal(4, 2)], torch.matmul)
    case("matmul", "transposed left", [normal(4, 3), normal(4, 2)], lambda a, b: a.mT @ b, transA=True)
    case("matmul", "transposed right", [normal(3, 4), normal(2, 4)], lambda a, b: a @ b.mT, transB=True)
    case("matmul", "both transposed", [normal(4, 3), normal(2, 4)], lambda a, b: a.mT @ b.mT, transA=True, transB=True)
    case("matmul", "scaled", [normal(3, 4), normal(4, 2)], lambda a, b: 0.25 * (a @ b), alpha=0.25)
    case("matmul", "batched", [normal(2, 2, 3, 4), normal(2, 2, 4, 2)], torch.matmul)
    case("matmul", "batched, transposed right", [normal(2, 2, 3, 4), normal(2, 2, 3, 4)], lambda a, b: a @ b.mT, transB=True)
    case("matmul", "batch by matrix", [normal(2, 3, 4), normal(4, 2)], torch.matmul)
    case("matmul", "broadcast batch", [normal(2, 1, 3, 4), normal(5, 4, 2)], torch.matmul)


def reductions():
    for op, function in {"reduceSum": torch.sum, "reduceMean": torch.mean, "reduceMax": torch.amax}.items():
        case(op, "last axis kept", [normal(2, 3, 4)], lambda x, f=function: f(x, dim=(-1,), keepdim=True), axes=[-1], keepDims=True)
        case(op, "two axes dropped", [normal(2, 3, 4)], lambda x, f=function: f(x, dim=(0, 2)), axes=[0, 2], keepDims=False)
        case(op, "all axes", [normal(2, 3)], lambda x, f=function: f(x, dim=(0, 1)), axes=[0, 1], keepDims=False)
    ties = torch.tensor([[1.0, 3.0, 3.0, 2.0], [5.0, 5.0, 5.0, 5.0]]).double()
    case("reduceMax", "ties", [ties], lambda x: torch.amax(x, dim=1), axes=[1], keepDims=False)


def movement():
    repeated = torch.tensor([[2, 0, 2], [2, 3, 0]])
    case("gather", "rows, repeated", [normal(5, 3), repeated], lambda x, i: F.embedding(i, x), axis=0)
    case("gather", "axis 1", [normal(2, 4, 3), torch.tensor([3, 1, 1])], lambda x, i: x.index_select(1, i), axis=1)
    case("gather", "first position", [normal(2, 4, 3), torch.tensor(0)], lambda x, i: x[:, 0], axis=1)
    labels = torch.tensor([[2], [0], [1]])
    case("gatherElements", "class scores", [normal(3, 4), labels], lambda x, i: x.gather(1, i), axis=1)
    case("gatherElements", "repeated", [normal(2, 4), torch.tensor([[1, 1, 3], [0, 0, 0]])], lambda x, i: x.gather(1, i), axis=1)
    case("slice", "middle of an axis", [normal(3, 5, 2)], lambda x: x[:, 1:4], axes=[1], starts=[1], ends=[4])
    case("slice", "two axes, from the end", [normal(3, 5)], lambda x: x[1:, -2:], axes=[0, 1], starts=[1, -2], ends=[3, 5])
    case("concat", "three on axis 1", [normal(2, 1), normal(2, 3), normal(2, 2)], lambda *x: torch.cat(x, 1), axis=1)
    case("where", "broadcast", [torch.tensor([[True], [False]]), normal(2, 3), normal(3)], lambda c, a, b: torch.where(c, a, b))
    case("transpose", "heads", [normal(2, 3, 4, 5)], lambda x: x.permute(0, 2, 1, 3), permutation=[0, 2, 1, 3])
    case("reshape", "split the last axis", [normal(2, 3, 4)], lambda x: x.reshape(2, 3, 2, 2), shape=[2, 3, 2, 2])
    case("expand", "new and stretched axes", [normal(3, 1)], lambda x: x.expand(2, 3, 4), shape=[2, 3, 4])


def losses():
    labels = torch.tensor([2, 0, 1, -100])
    weights = torch.tensor([0.5, 2.0, 1.0]).double()
    case("crossEntropy", "mean, one row without label", [normal(4, 3), labels], lambda x, y: F.cross_entropy(x, y), ignoreIndex=-100)
    case("crossEntropy", "class weights", [normal(4, 3), labels], lambda x, y: F.cross_entropy(x, y, weights), ignoreIndex=-100, classWeights=weights.tolist())


def decoding():
    """What decoders need; last, so that the numbers of the others stay."""
    edges = torch.tensor([-6.0, -2.0, -0.5, 0.0, 0.5, 2.0, 6.0]).double()
    for op, function in {"cos": torch.cos, "sin": torch.sin}.items():
        case(op, "edges, zero included", [edges], function)
    case("rmsNorm", "epsilon 1e-06", [normal(2, 3, 8), 1 + normal(8, scale=0.2)], lambda x, w: F.rms_norm(x, (8,), w, 1e-6), axis=-1, epsilon=1e-6)
    case("rmsNorm", "a row of zeros", [torch.zeros(1, 4).double(), 1 + normal(4, scale=0.2)], lambda x, w: F.rms_norm(x, (4,), w, 1e-5), axis=-1, epsilon=1e-5)
    case("swiglu", "edges, zero included", [edges, normal(7)], lambda a, b: F.silu(a) * b)
    case("swiglu", "matrix", [normal(3, 4), normal(3, 4)], lambda a, b: F.silu(a) * b)
    turns = normal(5, 3, scale=2)
    case("rotate", "two heads", [normal(5, 12), turns.cos().detach(), turns.sin().detach()], rotated, heads=2)
    labels, weights = torch.tensor([2, 0, 6, 1, 2]), positive(5)
    total = lambda x, w, y, s: (F.cross_entropy(x @ w.mT, y, reduction="none") * s).sum()
    for chunk in (2, 5, 8):
        case("tokenLoss", f"chunks of {chunk}", [normal(5, 4), normal(7, 4), labels, weights], total, chunk=chunk)
    case("tokenLoss", "a label without hope", [20 * normal(2, 4), 20 * normal(3, 4), torch.tensor([0, 2]), torch.ones(2).double()], total, chunk=2)


def rotated(x, cos, sin):
    """transformers' apply_rotary_pos_emb on rows of two heads."""
    heads = x.reshape(len(x), 2, -1)
    first, second = heads.chunk(2, -1)
    full = lambda turn: torch.cat((turn, turn), -1)[:, None].detach()
    return (heads * full(cos) + torch.cat((-second, first), -1) * full(sin)).reshape(x.shape)


if __name__ == "__main__":
    for group in (binary, unary, normalized, products, reductions, movement, losses, decoding):
        group()
    common.write_json(common.output_folder() / "ops.json", {"versions": common.versions(), "cases": cases})
    print(len(cases), "cases of", len({c["op"] for c in cases}), "operations")
