"""Run a conformance vector file through the component, from Python.

The component of wasm/component is the same Rust core as the library's WebAssembly module, behind the contract of
wasm/wit/oap.wit. Any host of components can use it; this one is Python with wasmtime.

    scripts/build_wasm.sh --component
    python3 -m venv .venv && .venv/bin/pip install wasmtime==50.0.1
    .venv/bin/python examples/python/run_vectors.py guard
    .venv/bin/python examples/python/run_vectors.py decode

Exit code 0 when every result is the expected one, 1 on a mismatch, 2 when something is missing. Python hands lists
over element by element, so cases of more than --max-bytes (64 KiB) are left out, and counted.
"""

import argparse
import hashlib
import json
import sys
from pathlib import Path
from types import SimpleNamespace

try:
    from wasmtime import Engine, Store
    from wasmtime.component import Component, Linker
except ImportError:
    print("wasmtime is missing: pip install wasmtime==50.0.1", file=sys.stderr)
    sys.exit(2)

ROOT = Path(__file__).resolve().parents[2]
COMPONENT = ROOT / "wasm/pkg/component/oap.component.wasm"
FRAME_BYTES = 1_048_576
HEADER_BYTES = 38


class Oap:
    """The component's functions, each looked up once."""

    def __init__(self, path: Path):
        engine = Engine()
        self.store = Store(engine)
        self.instance = Linker(engine).instantiate(self.store, Component.from_file(engine, str(path)))
        self.functions = {}

    def call(self, interface: str, name: str, *args):
        """Calls a function of an interface. A result is a plain value, or a variant: see `error_tag`."""
        function = self.functions.get((interface, name)) or self._look_up(interface, name)
        return function(self.store, *args)

    def _look_up(self, interface: str, name: str):
        scope = self.instance.get_export_index(self.store, f"ron:transport/{interface}@0.1.0")
        function = self.instance.get_func(self.store, self.instance.get_export_index(self.store, name, scope))
        self.functions[interface, name] = function
        return function


def error_tag(result):
    """The tag of a refused call: wasmtime gives a bare variant, or one inside a tagged result."""
    if getattr(result, "tag", None) == "err":
        result = result.payload
    return getattr(result, "tag", result)


# ------------------------------------------------------------------------------------------------ vectors


def generate(source) -> bytes:
    """Bytes as the vectors write them; see test/vectors/README.md."""
    if source is None:
        return b""
    if "hex" in source:
        return bytes.fromhex(source["hex"])
    if "gen" in source:
        return generate(source["gen"])
    if "repeat" in source:
        return bytes.fromhex(source["repeat"][0]) * source["repeat"][1]
    if "prng" in source:
        return xorshift(*source["prng"])
    if "concat" in source:
        return b"".join(map(generate, source["concat"]))
    if "take" in source:
        return generate(source["take"][0])[: source["take"][1]]
    raise ValueError(f"unknown generator {source}")


def xorshift(x: int, n: int) -> bytes:
    out = bytearray(n)
    for i in range(n):
        x ^= x << 13 & 0xFFFFFFFF
        x ^= x >> 17
        x ^= x << 5 & 0xFFFFFFFF
        out[i] = x & 255
    return bytes(out)


def same(expected, actual: bytes) -> bool:
    if expected is None:
        return actual == b""
    if isinstance(expected, str):
        return actual.hex() == expected
    return len(actual) == expected["len"] and hashlib.sha256(actual).hexdigest() == expected["sha256"]


# ------------------------------------------------------------------------------------------------ the two files


def run_guard(oap: Oap, case: dict, data: bytes) -> str | None:
    """None, or what came instead of the expected result."""
    limit = min(case.get("maxOutputBytes", FRAME_BYTES), case.get("maxRatio", 8) * len(data), FRAME_BYTES)
    result = oap.call("guard", "inflate", case["codec"], data, limit)
    output = getattr(result, "payload", None) if getattr(result, "tag", None) == "ok" else result
    for wanted in case["expect"].get("anyOf", [case["expect"]]):
        if isinstance(output, bytes):
            if "ok" in wanted and same(wanted["ok"], output):
                return None
        elif wanted.get("error") == str(error_tag(result)).replace("-", "_"):
            return None
    return f"{len(output)} bytes" if isinstance(output, bytes) else str(error_tag(result))


def run_decode(oap: Oap, case: dict, data: bytes) -> str | None:
    opened = oap.call("codec", "[static]decoder.open", case.get("maxFrameBytes", FRAME_BYTES), case.get("codec", True))
    decoder = opened.payload if getattr(opened, "tag", None) == "ok" else opened
    try:
        batch = oap.call("codec", "[method]decoder.push", decoder, data)
    finally:
        decoder.drop(oap.store)
    expect = case["expect"]
    fault = getattr(batch.fault, "payload", batch.fault)
    name = None if fault is None else "".join(part.capitalize() for part in fault.split("-"))
    if name != expect.get("error", {}).get("name"):
        return f"fault {name}"
    if len(batch.frames) != len(expect["frames"]) or (batch.pending > 0) != ("needMore" in expect):
        return f"{len(batch.frames)} frames, {batch.pending} bytes pending"
    for frame, wanted in zip(batch.frames, expect["frames"]):
        fields = view(frame)
        for field, value in fields.__dict__.items():
            if isinstance(value, bytes) and not same(wanted[field], value):
                return f"another {field}"
            if not isinstance(value, bytes) and wanted[field] != value:
                return f"{field} {value}"
    return None


def view(frame) -> SimpleNamespace:
    """A frame of the component with the vectors' names and types."""
    capability, payload = bytes(frame.capability), bytes(frame.payload)
    high, low = getattr(frame, "tenant-id")
    return SimpleNamespace(
        len=HEADER_BYTES + len(capability) + len(payload),
        flags=frame.flags,
        code=frame.code,
        appProtoId=getattr(frame, "app-proto-id"),
        tenantId=f"{high:016x}{low:016x}",
        corrId=str(getattr(frame, "corr-id")),
        capability=capability,
        payload=payload,
    )


RUNNERS = {"guard": run_guard, "decode": run_decode}


def main() -> int:
    parser = argparse.ArgumentParser(description="Run a conformance vector file through the component.")
    parser.add_argument("file", nargs="?", choices=RUNNERS, default="guard")
    parser.add_argument("--max-bytes", type=int, default=65_536, help="leave out longer inputs (default 65536)")
    parser.add_argument("--component", type=Path, default=COMPONENT)
    parser.add_argument("--vectors", type=Path, default=ROOT / "test/vectors")
    args = parser.parse_args()
    if not args.component.exists():
        print(f"{args.component} is missing: scripts/build_wasm.sh --component", file=sys.stderr)
        return 2
    oap = Oap(args.component)
    ran = left_out = wrong = 0
    for line in (args.vectors / f"{args.file}.jsonl").read_text().splitlines():
        case = json.loads(line)
        data = generate(case)
        if len(data) > args.max_bytes:
            left_out += 1
            continue
        ran += 1
        mismatch = RUNNERS[args.file](oap, case, data)
        if mismatch is not None:
            wrong += 1
            print(f"{case['name']}: {mismatch}, expected {json.dumps(case['expect'])[:200]}", file=sys.stderr)
    print(f"{args.file}: {ran} vectors, {wrong} wrong, {left_out} longer than {args.max_bytes} bytes left out")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
