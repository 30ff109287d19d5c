/** Handlers that never let go of the event loop, by what they do meanwhile. */
export const runawayLoops = {
  'synchronous code': '() => { for (;;) {} }',
  'code after an await':
    'async () => { await null; try { for (;;) {} } catch { return "caught" } finally { globalThis.x = 1 } }',
  'a queued microtask': '() => new Promise(() => { queueMicrotask(() => { for (;;) {} }) })',
  'the first pull of a stream':
    '() => new Response(new ReadableStream({ pull() { for (;;) {} } }))',
  'a stream read from a list of its own': `() => new Response(ReadableStream.from({
    [Symbol.asyncIterator]: () => ({ next() { for (;;) {} } }),
  }))`,
  'an answer that is an asynchronous list': `() => new Response({
    [Symbol.asyncIterator]: () => ({ next() { for (;;) {} } }),
  })`,
  'a request that is an asynchronous list': `() => new Request('http://host/', {
    method: 'POST',
    duplex: 'half',
    body: { [Symbol.asyncIterator]: () => ({ next() { for (;;) {} } }) },
  }).text()`,
  'a class of streams of its own': `() => {
    class Own extends ReadableStream {
      getReader() { return { read() { for (;;) {} }, cancel: async () => {} } }
    }
    return new Response(new Own())
  }`,
  'the sink of a stream':
    'async () => new WritableStream({ write() { for (;;) {} } }).getWriter().write(1)',
  'a transform of a stream': `() => new Response(
    new Blob(['a']).stream().pipeThrough(new TransformStream({ transform() { for (;;) {} } })),
  )`,
  'a stream of node:stream/web': `async () => {
    const { WritableStream } = globalThis[Symbol.for('needle.builtin')]('node:stream/web')
    await new WritableStream({ close() { for (;;) {} } }).close()
  }`,
  'an abort listener': `() => new Promise(() => {
    AbortSignal.timeout(5).addEventListener('abort', () => { for (;;) {} })
  })`,
  'an interval': '() => new Promise(() => { setInterval(() => { for (;;) {} }, 5) })',
  'a thenable': 'async () => ({ then() { for (;;) {} } })',
  'a getter of its answer': 'async () => ({ get n() { for (;;) {} } })',
  'the toJSON of its answer': 'async () => ({ toJSON() { for (;;) {} } })',
  'a trap of its answer': 'async () => new Proxy({}, { ownKeys() { for (;;) {} } })',
  'the stack of its error': `async () => {
    throw Object.defineProperty(new Error('no'), 'stack', { get() { for (;;) {} } })
  }`,
  'a timer callback': '() => new Promise(() => { setTimeout(() => { for (;;) {} }, 5) })',
  'a regular expression': 'async () => /^(a+)+$/.test("a".repeat(40) + "b")',
  'code made of text, after an await of its own':
    "() => new (async () => {}).constructor('await null; for (;;) {}')()",
  'code made of text, called by a timer':
    "() => new Promise(() => { setTimeout(new Function('for (;;) {}'), 5) })",
  // (module (func (export "f") (loop br 0)))
  WebAssembly: `async () => {
    const module = new WebAssembly.Module(new Uint8Array([
      0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 7, 5, 1, 1, 102, 0, 0,
      10, 9, 1, 7, 0, 3, 64, 12, 0, 11, 11,
    ]))
    return Promise.resolve().then(new WebAssembly.Instance(module).exports.f)
  }`,
  'a native as its handler': "RegExp.prototype.test.bind(/^(a+)+$/, 'a'.repeat(40) + 'b')",
  'a sort': `async () => {
    const list = Array.from({ length: 1000 }, (_, at) => at)
    for (;;) list.toSorted(() => 0.5 - Math.random())
  }`,
  'a pattern of its schema, checked without the library': `{
    output: {
      '~standard': { version: 1, vendor: 'zod', validate: (value) => ({ value }) },
      _zod: { def: { type: 'string', checks: [
        { _zod: { def: { check: 'string_format', format: 'regex', pattern: /^(a+)+$/ } } },
      ] } },
    },
    handler: async () => 'a'.repeat(40) + 'b',
  }`,
  JSON: 'async () => { for (;;) JSON.parse(JSON.stringify({ a: [1, 2, 3] })) }',
  promises: 'async () => { for (;;) await null }',
} as const
