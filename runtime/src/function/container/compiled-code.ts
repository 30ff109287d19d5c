/** V8's code of the parts of an artifact. */
export interface CompiledCode {
  /** Null when another artifact with the same packages has it, and when there are none. */
  readonly packages: Uint8Array | null
  readonly own: Uint8Array
}

const lengthBytes = 4

/** Length of the packages' code (32 bits, little endian), that code, the own code. */
export function encodeCode({ packages, own }: CompiledCode): Uint8Array {
  const length = Buffer.alloc(lengthBytes)
  length.writeUInt32LE(packages?.byteLength ?? 0)
  return Buffer.concat([length, packages ?? Buffer.alloc(0), own])
}

/** What `encodeCode` was given; of damaged bytes, code that V8 does not take. */
export function decodeCode(bytes: Uint8Array): CompiledCode {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (buffer.byteLength < lengthBytes) return { packages: null, own: buffer }
  const end = lengthBytes + buffer.readUInt32LE()
  const packages = buffer.subarray(lengthBytes, end)
  return { packages: packages.byteLength === 0 ? null : packages, own: buffer.subarray(end) }
}
