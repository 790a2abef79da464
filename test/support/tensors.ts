import { float32Tensor, int8Tensor } from "../../src/protocol/tensors/values.ts";
import { writeSafetensors } from "../../src/protocol/tensors/write.ts";

/** A safetensors file as a stranger may write it: any header, then `dataBytes` zeros. */
export function fileOf(header: object | string | Uint8Array, dataBytes: number): Uint8Array<ArrayBuffer> {
  const text = typeof header === "string" ? header : JSON.stringify(header);
  const json = header instanceof Uint8Array ? header : new TextEncoder().encode(text);
  const file = new Uint8Array(8 + json.length + dataBytes);
  new DataView(file.buffer).setBigUint64(0, BigInt(json.length), true);
  file.set(json, 8);
  return file;
}

/** A file with tensors of several dtypes and shapes, and one entry of metadata. */
export function ofManyKinds(): Uint8Array {
  return writeSafetensors(
    [
      float32Tensor("layer.0/ü", [2, 3], Float32Array.of(0.5, -1, NaN, Infinity, 3e-45, 5)),
      int8Tensor("q", [4], Int8Array.of(-128, 127, 0, -1)),
      { name: "z", dtype: "F64", shape: [], data: new Uint8Array(Float64Array.of(Math.PI).buffer) },
      { name: "empty", dtype: "I64", shape: [0, 5], data: new Uint8Array() },
      { name: "mask", dtype: "BOOL", shape: [3], data: Uint8Array.of(1, 0, 1) },
    ],
    { format: "np" },
  );
}

/** Headers, each with no data after it, that are not of the format's form. */
export const malformedHeaders: readonly string[] = [
  "",
  "[]",
  " {}",
  "\ufeff{}",
  "{}\n",
  "{} {}",
  "{",
  '{"a"',
  '{"a',
  '{"a\\',
  '{"a":1}',
  '{"a":null}',
  '{"a":{}}',
  '{"a":[]}',
  "{,}",
  '{"__metadata__":{},}',
  '{"__metadata__":null}',
  '{"__metadata__":{"a":1}}',
  '{"__metadata__":{"a":{"b":"c"}}}',
  '{"__metadata__":{"a":"b","a":"b"}}',
  '{"__metadata__":{},"__metadata__":{}}',
  '{"\\ud800":{"dtype":"I8","shape":[0],"data_offsets":[0,0]}}',
  '{"\\x41":{"dtype":"I8","shape":[0],"data_offsets":[0,0]}}',
  '{"a\nb":{"dtype":"I8","shape":[0],"data_offsets":[0,0]}}',
  '{"a":{"dtype":"I8","shape":[0],"data_offsets":[0,0]},"\\u0061":{"dtype":"I8","shape":[0],"data_offsets":[0,0]}}',
  '{"a":{"dtype":"I8","dtype":"I8","data_offsets":[0,0]}}',
  '{"a":{"dtype":"I8","shape":[0],"offsets":[0,0]}}',
  '{"a":{"dtype":"I7","shape":[0],"data_offsets":[0,0]}}',
  '{"a":{"dtype":"toString","shape":[0],"data_offsets":[0,0]}}',
  '{"a":{"dtype":"I8","shape":[0],"data_offsets":[0]}}',
  ...["-0", "-1", "0.0", "1e0", "00", '"0"', "", "0,", "9007199254740992", "1".repeat(400)].map((size) =>
    `{"a":{"dtype":"I8","shape":[${size}],"data_offsets":[0,0]}}`.replace("[]", "[ x ]"),
  ),
];

const tensor = (shape: readonly number[], start: number, end: number, dtype = "F32") => ({
  dtype,
  shape,
  data_offsets: [start, end],
});

/** Headers whose offsets contradict their shapes, one another, or the bytes of data that follow. */
export const lyingHeaders: readonly (readonly [header: object, dataBytes: number])[] = [
  [{ a: tensor([2], 0, 8), b: tensor([2], 4, 12) }, 12],
  [{ a: tensor([2], 0, 8), b: tensor([2], 0, 8) }, 8],
  [{ a: tensor([2], 4, 12) }, 12],
  [{ a: tensor([1], 0, 4), b: tensor([1], 8, 12) }, 12],
  [{ a: tensor([0], 8, 0) }, 8],
  [{ a: tensor([2], 0, 4) }, 4],
  [{ a: tensor([3], 0, 1, "F4") }, 1],
  [{ a: tensor([1], 0, 4) }, 3],
  [{ a: tensor([1], 0, 4) }, 5],
  [{}, 1],
];
