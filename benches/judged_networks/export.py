"""Exports networks that nobody of this project made to ONNX files, to judge predictions by: definitions of torchvision, timm and
transformers, with random weights, at batch size 1.

    python benches/judged_networks/export.py FOLDER [NAME ...]

It wants `torch`, `torchvision`, `timm`, `transformers`, `onnx` and `onnxscript`; a CPU is enough. What lies in FOLDER already is left as
it is, so that a run that was cut off goes on where it was. `networks.json` in FOLDER tells of each file what it is, and which versions of
the packages wrote it.
"""

import gc
import importlib.metadata
import json
import logging
import pathlib
import sys
import time
import warnings

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

SEED = 1
OPSET = 17
PACKAGES = ("torch", "torchvision", "timm", "transformers", "onnx", "onnxscript")

# Package, side of the image, modules; those marked with `*` are exported by the newer exporter, too.
IMAGES = """
torchvision 224 alexnet vgg11 vgg16 vgg16_bn resnet18* resnet34 resnet50 resnet101 resnext50_32x4d wide_resnet50_2
torchvision 224 densenet121 densenet169 googlenet squeezenet1_0 squeezenet1_1 mobilenet_v2* mobilenet_v3_small
torchvision 224 mobilenet_v3_large* mnasnet0_5 mnasnet1_0 shufflenet_v2_x0_5 shufflenet_v2_x1_0* shufflenet_v2_x1_5
torchvision 224 efficientnet_b0* efficientnet_b1 efficientnet_v2_s regnet_x_400mf regnet_y_400mf regnet_y_1_6gf
torchvision 224 convnext_tiny* vit_b_32* vit_b_16 swin_t* swin_v2_t maxvit_t
torchvision 299 inception_v3
torchvision 320 segmentation.lraspp_mobilenet_v3_large
torchvision 256 segmentation.deeplabv3_mobilenet_v3_large segmentation.fcn_resnet50
timm 224 mobilenetv3_large_100 mobilenetv4_conv_small efficientnet_lite0 ghostnet_100 hrnet_w18_small repvgg_a0
timm 224 res2net50_26w_4s seresnet50 skresnet18 dpn68 cspresnet50 darknet53 dla34 fbnetc_100 mixnet_s tinynet_a
timm 224 rexnet_100 eca_nfnet_l0* convnextv2_atto deit_tiny_patch16_224* vit_small_patch16_224 levit_128 mobilevit_s
timm 224 mobileone_s0 poolformer_s12 pit_ti_224 mixer_s32_224 mixer_b32_224 edgenext_x_small efficientformer_l1*
timm 224 xcit_nano_12_p16_224 cait_xxs24_224 selecsls42b resnest14d coatnet_nano_rw_224 visformer_tiny gernet_s
timm 224 ese_vovnet19b_dw hardcorenas_a fastvit_t8 repvit_m1 tf_efficientnetv2_b0 gmlp_s16_224 resmlp_12_224
timm 224 twins_pcpvt_small focalnet_tiny_srf pvt_v2_b0 efficientvit_b0 inception_next_tiny hgnetv2_b0 tiny_vit_5m_224
timm 224 lcnet_100 starnet_s1 regnetz_005 convmixer_768_32 beit_base_patch16_224
timm 240 crossvit_tiny_240
timm 299 inception_v4 xception41
"""

# What a constructor is told beside that it shall load no weights.
OPTIONS = {
    "googlenet": {"aux_logits": False, "init_weights": True},
    "inception_v3": {"aux_logits": False, "init_weights": True},
    "segmentation.deeplabv3_mobilenet_v3_large": {"weights_backbone": None},
    "segmentation.fcn_resnet50": {"weights_backbone": None},
    "segmentation.lraspp_mobilenet_v3_large": {"weights_backbone": None},
}

# Configurations of transformers: the model's class, that of its configuration, what differs from its defaults, the shape of the input.
TEXTS = {
    "bert_mini": ("BertModel", "BertConfig", dict(num_hidden_layers=4, hidden_size=256, num_attention_heads=4, intermediate_size=1024)),
    "distilbert": ("DistilBertModel", "DistilBertConfig", {}),
    "segformer_b0": ("SegformerForSemanticSegmentation", "SegformerConfig", {}),
}


class First(torch.nn.Module):
    """The one tensor that is wanted of a model that answers in a structure."""

    def __init__(self, model, name):
        super().__init__()
        self.model, self.name = model, name

    def forward(self, x):
        return self.model(x)[self.name]


def networks():
    """Name, package, module, input's shape and exporter of each."""
    found = []
    for line in filter(None, IMAGES.splitlines()):
        package, side, *modules = line.split()
        for module in modules:
            module, both = module.rstrip("*"), module.endswith("*")
            shape = [1, 3, int(side), int(side)]
            found.append((module.split(".")[-1], package, module, shape, "torchscript"))
            if both:
                found.append((f"{module}_dynamo", package, module, shape, "dynamo"))
    for module in TEXTS:
        shape = [1, 3, 256, 256] if module == "segformer_b0" else [1, 128]
        found.append((module, "transformers", module, shape, "torchscript"))
    found.append(("distilbert_dynamo", "transformers", "distilbert", [1, 128], "dynamo"))
    return found


def model_of(package, module):
    if package == "timm":
        import timm

        return timm.create_model(module, pretrained=False, exportable=True)
    if package == "transformers":
        import transformers

        model, config, options = TEXTS[module]
        # A text without padding, so that its mask is all ones.
        model = getattr(transformers, model)(getattr(transformers, config)(**options))
        return First(model, "logits" if "Segmentation" in type(model).__name__ else "last_hidden_state")
    import torchvision

    place = torchvision.models
    *rooms, name = module.split(".")
    for room in rooms:
        place = getattr(place, room)
    model = getattr(place, name)(weights=None, **OPTIONS.get(module, {}))
    return First(model, "out") if rooms else model


def export(path, package, module, shape, exporter):
    torch.manual_seed(SEED)
    model = model_of(package, module).eval().requires_grad_(False)
    x = torch.randint(1, 1000, shape) if len(shape) == 2 else torch.rand(shape)
    # Attention in one call is counted as nothing.
    with torch.no_grad(), sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        output = model(x)
    part = path.with_suffix(".part")
    if exporter == "dynamo":
        torch.onnx.export(model, (x,), part, dynamo=True, external_data=False, verbose=False)
    else:
        torch.onnx.export(model, (x,), part, dynamo=False, opset_version=OPSET)
    part.rename(path)
    return {
        "input": shape,
        # Those of convolutions and products of matrices, as PyTorch counts them itself.
        "macs": counter.get_total_flops() // 2,
        "parameters": sum(weights.numel() for weights in model.parameters()),
        # Random weights may let values grow or vanish, which would change what a run takes.
        "largest_output": float(output.abs().max()),
        "bytes": path.stat().st_size,
    }


def main(folder, wanted):
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    index = folder / "networks.json"
    known = json.loads(index.read_text()) if index.exists() else {"seed": SEED, "networks": {}, "refused": {}}
    known["packages"] = {package: importlib.metadata.version(package) for package in PACKAGES}
    todo = [network for network in networks() if not wanted or network[0] in wanted]
    for place, (name, package, module, shape, exporter) in enumerate(todo, 1):
        path = folder / f"{name}.onnx"
        if path.exists() and name in known["networks"]:
            continue
        begin = time.monotonic()
        told = {"package": package, "module": module, "exporter": exporter}
        known["refused"].pop(name, None)
        try:
            told.update(export(path, package, module, shape, exporter))
            known["networks"][name] = told
            line = f"{told['macs'] / 1e6:9.1f} M MACs {told['bytes'] / 1e6:7.1f} MB"
        except Exception as error:
            known["refused"][name] = told | {"error": f"{type(error).__name__}: {error}"[:500]}
            line = f"not exported: {type(error).__name__} {str(error)[:100]}"
        written = index.with_suffix(".part")
        written.write_text(json.dumps(known, indent=1) + "\n")
        written.rename(index)
        took = time.monotonic() - begin
        print(f"{place:3}/{len(todo)} {name:32} {package:12} {exporter:11} {line} {took:5.1f} s", flush=True)
        gc.collect()
    print(f"{len(known['networks'])} networks in {folder}; {len(known['refused'])} were not exported")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    # More threads wait for each other where the machine has other work, and exports took ten times as long.
    torch.set_num_threads(1)
    torch.backends.mha.set_fastpath_enabled(False)
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    main(sys.argv[1], sys.argv[2:])
