"""Runs a plugin that is a Python program: the other side of lglp's processes (docs/isolation.md).

It is handed to the interpreter as a text, with what the process is started with as the first argument, and the number of the system
call to give up before the plugin runs as the second, 0 where it is not in the sandbox. The socket to lglp is standard input.
"""

import json
import mmap
import os
import socket
import struct
import sys
import types

OK, FAILED, INVALID_PARAMETERS, UNSUPPORTED_STATE, CANCELLED, NOT_OFFERED = 0, 1, 4, 5, 7, 8
KINDS = ("encoder", "feature-extractor", "regressor")
# Characters of a message for people: lglp shows as many, and takes no long answer.
MESSAGE = 2000
# What lglp asks only of those that have it, and the method that tells.
OFFERS = {
    "encode_operators": "encode_operators",
    "predict_spread": "predict_spread",
    "leave_one_out": "leave_one_out",
    "contributions": "contributions",
    "difference_spreads": "difference_spreads",
}
# One operator of a network, as in the C header.
OPERATOR = [(name, "<u4") for name in (
    "kind", "kernel", "stride", "groups", "channels_in", "channels_out", "side_in", "side_out", "activation", "block", "layer", "launches",
)] + [(name, "<u8") for name in ("macs", "activation_bytes", "weight_bytes")]


class Refused(Exception):
    """A status other than OK, with a message for people."""

    def __init__(self, status, message):
        super().__init__(message)
        self.status = status


class Host:
    """lglp, at the other end of the socket."""

    def __init__(self, connection):
        self.connection = connection

    def tell(self, message, data=b""):
        head = json.dumps(message, allow_nan=False).encode()
        self.connection.sendall(struct.pack("<I", len(head)) + head + data)

    def read(self, length):
        data = bytearray()
        while len(data) < length:
            part = self.connection.recv(length - len(data))
            if not part:
                # lglp is gone, and with it all reason to be here.
                os._exit(0)
            data += part
        return bytes(data)

    def next(self):
        (length,) = struct.unpack("<I", self.read(4))
        return json.loads(self.read(length))


class FitData(types.SimpleNamespace):
    """What a component is fitted on: train, train_targets, validation, validation_targets, seed, and progress."""


def finite(value):
    return float(value) if value is not None and np.isfinite(value) else None


class Plugin:
    """The components of a plugin, and the instances that lglp has made of them."""

    def __init__(self, described, memory, host):
        self.components = {}
        for one in described["components"]:
            if one.kind not in KINDS:
                raise ValueError(f"{one.__name__}.kind is {one.kind!r}, none of {', '.join(KINDS)}")
            self.components[(one.kind, one.name)] = one
        self.memory, self.host, self.instances = memory, host, {}

    def array(self, place, dtype, shape=None):
        offset, length = place
        values = np.frombuffer(self.memory, np.uint8, length, offset).view(dtype)
        return values if shape is None else values.reshape(shape)

    def inputs(self, place, of):
        values = self.array(place, np.float32, (of["rows"], of["steps"], of["width"]))
        values.flags.writeable = False
        return values

    def text(self, place):
        value = json.loads(bytes(self.memory[place[0]:place[0] + place[1]]))
        if not isinstance(value, dict):
            raise Refused(INVALID_PARAMETERS, "parameters are an object")
        return value

    def put(self, place, dtype, values, what, shape=None):
        out = self.array(place, dtype)
        values = np.asarray(values)
        shape = (out.size,) if shape is None else shape
        if values.shape != shape:
            raise Refused(FAILED, f"{what} gave an array of the shape {values.shape}, not {shape}")
        out[:] = values.astype(dtype, casting="same_kind" if values.dtype.kind == "f" else "unsafe").reshape(-1)

    def answer(self, asked):
        for number in asked.get("dropped", ()):
            self.instances.pop(number, None)
        call, component, number = asked["call"], asked.get("component"), asked.get("instance")
        if component is not None and number is not None:
            self.instances[number] = self.make(self.components[tuple(component)], call, asked["inputs"])
            return {}, b""
        if component is not None:
            raise Refused(NOT_OFFERED, "")
        return self.asked(self.instances[number], call, asked["inputs"], asked["outputs"])

    def make(self, component, call, places):
        if call["name"] == "create":
            space = {**self.text(places[0]), "row_len": call["row_len"]}
            return guarded(INVALID_PARAMETERS, component, space, self.text(places[1]))
        if call["name"] == "load":
            state = bytes(self.memory[places[0][0]:places[0][0] + places[0][1]])
            return guarded(UNSUPPORTED_STATE, component.load, call["state_version"], state)
        if call["name"] != "fit":
            raise Refused(NOT_OFFERED, "")
        cancelled = []

        def progress(done, total, train_mse=None, validation_mse=None):
            """Tells lglp how the fit goes; where it is False, the fit is to end."""
            self.host.tell({
                "told": "progress", "done": int(done), "total": int(total),
                "train_mse": finite(train_mse), "validation_mse": finite(validation_mse),
            })
            go_on = self.host.next()["go_on"]
            if not go_on:
                cancelled.append(True)
            return go_on

        data = FitData(
            train=self.inputs(places[1], call["train"]).copy(),
            train_targets=self.array(places[2], np.float64).copy(),
            validation=self.inputs(places[3], call["validation"]).copy(),
            validation_targets=self.array(places[4], np.float64).copy(),
            seed=call["seed"],
            progress=progress,
        )
        fitted = guarded(INVALID_PARAMETERS, component.fit, self.text(places[0]), data)
        if cancelled:
            raise Refused(CANCELLED, "")
        return fitted

    def asked(self, instance, call, places, out):
        name = call["name"]
        if name == "shape":
            operators = call["operators"]
            steps, width = instance.shape() if operators is None else instance.shape(operators)
            return {"numbers": [int(steps), int(width)]}, b""
        if name == "encode":
            rows = self.array(places[0], np.uint8, (call["rows"], call["row_len"]))
            self.put_rows(out[0], instance.encode(rows), call["rows"], "encode")
        elif name == "encode_operators":
            operators, ends = self.array(places[0], np.dtype(OPERATOR)), self.array(places[1], np.uint64)
            networks = np.split(operators, ends[:-1].astype(int)) if len(ends) else []
            self.put_rows(out[0], instance.encode_operators(networks, call["most"]), len(networks), name)
        elif name == "save":
            return {}, bytes(instance.save())
        elif name == "outputs":
            return {"numbers": [int(instance.outputs()) if hasattr(instance, "outputs") else 1]}, b""
        elif name in ("sums_len", "spread_sums_len"):
            return {"numbers": [0]}, b""
        elif name == "extract":
            self.put_rows(out[0], instance.extract(self.inputs(places[0], call["of"])), call["of"]["rows"], name)
        elif name in ("predict", "difference_spreads"):
            values = getattr(instance, name)(self.inputs(places[0], call["of"]))
            self.put(out[0], np.float64, values, name)
        elif name == "predict_spread":
            predicted, spreads = instance.predict_spread(self.inputs(places[0], call["of"]))
            self.put(out[0], np.float64, predicted, name)
            self.put(out[1], np.float64, spreads, name)
        elif name == "contributions":
            of = call["of"]
            values = instance.contributions(self.inputs(places[0], of))
            self.put(out[0], np.float64, values, name, (of["rows"], of["steps"] + 1))
        elif name == "leave_one_out":
            predicted, spreads = instance.leave_one_out()
            return {}, np.stack([predicted, spreads], axis=1).astype(np.float64).tobytes()
        else:
            raise Refused(NOT_OFFERED, "")
        return {}, b""

    def put_rows(self, place, values, rows, what):
        """Rows of whatever steps and widths, as many numbers as there is room for."""
        values = np.asarray(values)
        if len(values) != rows:
            raise Refused(FAILED, f"{what} gave {len(values)} rows of {rows}")
        self.put(place, np.float32, values.reshape(-1), what)


def guarded(status, call, *arguments):
    """What parameters or a state are refused by is a ValueError."""
    try:
        return call(*arguments)
    except ValueError as error:
        raise Refused(status, str(error)) from error


def give_up(call):
    """Has this process, and whatever it does, be refused a system call (EPERM), by a seccomp filter of four instructions: load the
    number of the call, compare, refuse, let through. The filters that lglp has set hold beside it."""
    import ctypes

    PR_SET_SECCOMP, SECCOMP_MODE_FILTER, EPERM = 22, 2, 1
    program = b"".join(struct.pack("=HBBI", *instruction) for instruction in (
        (0x20, 0, 0, 0), (0x15, 0, 1, call), (0x06, 0, 0, 0x00050000 | EPERM), (0x06, 0, 0, 0x7FFF0000),
    ))
    instructions = ctypes.create_string_buffer(program, len(program))

    class Filter(ctypes.Structure):
        _fields_ = [("length", ctypes.c_ushort), ("instructions", ctypes.c_void_p)]

    of_all = Filter(len(program) // 8, ctypes.addressof(instructions))
    if ctypes.CDLL(None).prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(of_all), 0, 0) != 0:
        raise OSError("the kernel lets no filter be added")


def described(plugin):
    components, offers = [], []
    for one in plugin["components"]:
        components.append({
            "kind": one.kind,
            "name": one.name,
            "summary": (one.__doc__ or "").strip().split("\n")[0],
            "state_version": getattr(one, "state_version", 0 if one.kind == "encoder" else 1),
            "parameters": getattr(one, "parameters", {"type": "object", "additionalProperties": False}),
        })
        offers.append([offer for offer, method in OFFERS.items() if hasattr(one, method)])
    return {
        "told": "described",
        "description": {
            "name": plugin["name"],
            # What it computes with is a part of what it is.
            "version": f"{plugin['version']} (Python {sys.version.split()[0]}, NumPy {np.__version__})",
            "summary": plugin.get("summary", ""),
            "components": components,
        },
        "offers": offers,
    }


def where(error, file):
    """The line of the plugin's file that an error came from."""
    lines, trace = [], error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == file:
            lines.append(trace.tb_lineno)
        trace = trace.tb_next
    return f" (line {lines[-1]})" if lines else ""


def main():
    global np
    start, given_up = json.loads(sys.argv[1]), int(sys.argv[2])
    connection = socket.socket(fileno=os.dup(0))
    connection.setblocking(True)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    # What is printed lglp has in its log.
    os.dup2(2, 1)
    sys.stdout.reconfigure(line_buffering=True)
    host, file = Host(connection), start["plugin"]["shown"]
    try:
        import numpy as np

        if given_up:
            give_up(given_up)
        with open(start["plugin"]["descriptor"], "rb", closefd=False) as opened:
            source = os.pread(opened.fileno(), os.fstat(opened.fileno()).st_size, 0)
        module = types.ModuleType("lglp_plugin")
        module.__file__ = file
        # Classes look their module up, and so does pickle.
        sys.modules["lglp_plugin"] = module
        exec(compile(source, file, "exec"), module.__dict__)
        said = described(module.PLUGIN)
        memory = mmap.mmap(start["arena"], start["arena_len"])
        plugin = Plugin(module.PLUGIN, memory, host)
    except BaseException as error:
        reason = f"{type(error).__name__}: {error}{where(error, file)}; the interpreter is {sys.executable}"
        return host.tell({"told": "refused", "reason": reason})
    host.tell(said)
    while True:
        asked = host.next()
        number = asked["number"]
        try:
            told, data = plugin.answer(asked)
            host.tell({"told": "answer", "number": number, "status": OK, "bytes": len(data), **told}, data)
        except Refused as refused:
            host.tell({"told": "answer", "number": number, "status": refused.status, "message": str(refused)[:MESSAGE]})
        # A SystemExit, too, is of one call.
        except BaseException as error:
            message = f"{type(error).__name__}: {str(error)[:MESSAGE]}{where(error, file)}"
            host.tell({"told": "answer", "number": number, "status": FAILED, "message": message})


main()
