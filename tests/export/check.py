"""check.py BY FOLDER SITE: compares each network of FOLDER with what Fovea makes of it, as its cases.json says: by "onnx",
ONNX Runtime and onnx.checker; by "openvino"; by "numpy" and "torch", samples/python. Packages that this Python has not
are in SITE. Exits 1 with the findings."""
import json
import pathlib
import sys

import numpy as np

sys.path.append(sys.argv[3])
from safetensors.numpy import load_file  # noqa: E402

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "samples" / "python"))
# Relative to the largest value of a tensor, where that is above 1. numpy and PyTorch compute in double precision here, so
# that the second is the rounding of Fovea's own sums: in some of the 24 it is 1.6e-6.
RUNTIME, REBUILT = 1e-5, {"sample": 1e-6, "all": 2e-6}


def difference(value, expected):
    if value.size != expected.size or value.shape[0] != expected.shape[0]:
        return f"shape {value.shape}, expected {expected.shape}"
    worst = np.abs(value.reshape(expected.shape).astype(float) - expected).max()
    return worst / max(1, np.abs(expected).max())


def findings(what, values, expected, most):
    for name in expected:
        found = difference(np.asarray(values[name]), expected[name]) if name in values else "it is not there"
        if isinstance(found, str) or not found <= most:
            yield f"{what}: {name}: {found}"


def by_onnxruntime(path):
    import onnxruntime
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    inputs, names = [i.name for i in session.get_inputs()], [o.name for o in session.get_outputs()]
    return lambda x: dict(zip(names, session.run(None, {inputs[0]: x})))


def by_openvino(path):
    import openvino
    compiled = openvino.Core().compile_model(path, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return lambda x: {name: value for key, value in compiled(x).items() for name in key.get_names()}


def check_outputs(what, reader, case, values):
    """Any batch; the reader is a program's that takes it."""
    import onnx
    graph = onnx.load(case["onnx"]).graph
    source = values[graph.input[0].name]
    for x in (source, source[:1]):
        expected = {o.name: values[o.name][:len(x)] for o in graph.output}
        yield from findings(f"{case['onnx']} by {what}", reader(case["onnx"])(x), expected, RUNTIME)


def check_onnx(case):
    import onnx
    model = onnx.load(case["onnx"])
    onnx.checker.check_model(model, full_check=True)
    onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True)
    made = {name for node in model.graph.node for name in node.output}
    bare = onnx.load(case["onnx"])
    del bare.graph.value_info[:]
    inferred = onnx.shape_inference.infer_shapes(bare, strict_mode=True, data_prop=True).graph
    shapes = {v.name: v.type.tensor_type.shape.dim for v in [*inferred.value_info, *inferred.output]}
    for name in made:
        if name not in shapes or not all(d.HasField("dim_value") for d in shapes[name][1:]):
            yield f"{case['onnx']}: the shape of {name} cannot be inferred"
    metadata = {p.key: p.value for p in model.metadata_props}
    for key in case["metadata"]:
        if key not in metadata:
            yield f"{case['onnx']}: no {key} in the metadata"
    if model.producer_name != "fovea" or model.opset_import[0].version != case["opset"]:
        yield f"{case['onnx']}: made by {model.producer_name} for {model.opset_import[0].version}"


def rebuilt(by, path, images, given):
    if by == "numpy":
        from load_numpy import load, run
        nodes = load(path)
        return nodes, run(nodes, images, given)
    import torch
    from load_torch import Network
    network = Network(path).double()
    with torch.no_grad():
        values = network(torch.from_numpy(images).double(), {k: torch.from_numpy(v).double() for k, v in given.items()})
    return network.nodes, [value.numpy() for value in values]


def check_rebuilt(by, case, values, most):
    nodes, made = rebuilt(by, case["network"], values["images"], {})
    last = len(nodes) - 1
    names = {node["name"] or f"{node['op']}_{i}": i for i, node in enumerate(nodes)}
    names[case["last"]] = last
    code = [i for i, node in enumerate(nodes) if node["op"] == "reparameterize"]
    if code:
        names["mu"], names["logvar"] = nodes[code[0]]["inputs"]
    names["images"] = 0
    expected = {name: value for name, value in values.items() if name != "z"}
    results = {name: made[names[name]] for name in expected}
    yield from findings(f"{case['network']} by {by}", results, expected, most)
    if code and "z" in values:
        z = np.zeros_like(made[code[0]]) + values["z"][:, :, None, None]
        decoded = rebuilt(by, case["network"], np.zeros_like(values["images"]), {code[0]: z})[1]
        yield from findings(f"{case['network']} decoded by {by}", {"reconstructions": decoded[last]},
                            {"reconstructions": values["reconstructions"]}, most)


def check(by, case, values, most):
    if by == "onnx":
        return [*check_onnx(case), *check_outputs("ONNX Runtime", by_onnxruntime, case, values)]
    if by == "openvino":
        return check_outputs("OpenVINO", by_openvino, case, values)
    return check_rebuilt(by, case, values, most)


def main(by, folder):
    most = REBUILT[pathlib.Path(folder).name]
    cases = json.loads((pathlib.Path(folder) / "cases.json").read_text())
    found = []
    for case in cases if by in ("onnx", "openvino") else {case["network"]: case for case in cases}.values():
        values = load_file(case["values"])
        if "originals" in values:  # of fovea reconstruct
            values["images"] = values.pop("originals")
        found += check(by, case, values, most)
    print("\n".join(found))
    print(f"{len(cases)} ONNX files, {len({case['network'] for case in cases})} networks by {by}: {len(found)} findings")
    return 1 if found or not cases else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
