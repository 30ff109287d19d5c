/** Handlers that never let go of the event loop, by what they do meanwhile. */
export const runawayLoops = {
  'synchronous code': '() => { for (;;) {} }',
  'code after an await':
    'async () => { await null; try { for (;;) {} } catch { return "caught" } finally { globalThis.x = 1 } }',
  'a queued microtask': '() => new Promise(() => { queueMicrotask(() => { for (;;) {} }) })',
  'the first pull of a stream':
    '() => new Response(new ReadableStream({ pull() { for (;;) {} } }))',
  'a timer callback': '() => new Promise(() => { setTimeout(() => { for (;;) {} }, 5) })',
  'a regular expression': 'async () => /^(a+)+$/.test("a".repeat(40) + "b")',
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
