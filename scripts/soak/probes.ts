import type { Files } from '../bench/workspace.ts'

/** One function under load: what it is, how it is asked, and what a whole answer looks like. */
export interface Probe {
  readonly source: (version: string) => string
  readonly request: (nonce: number) => {
    readonly method: 'GET' | 'POST'
    readonly path: string
    readonly body?: string
  }
  /** The only right answer of that version; compared byte for byte. */
  readonly answer: (version: string, nonce: number) => string
}

const streamLines = 20

export const probes = {
  card: {
    source: (version) => `import { defineFunction } from '@needle-faas/runtime/function'
import * as z from 'zod/mini'

const version = '${version}'

export default defineFunction({
  input: z.object({ id: z.string(), page: z.coerce.number() }),
  output: z.object({ version: z.string(), id: z.string(), page: z.number() }),
  http: { method: 'GET', path: '/soak/card/:id' },
  handler: async ({ id, page }) => ({ version, id, page }),
})
`,
    request: (nonce) => ({ method: 'GET', path: `/soak/card/p-${nonce}?page=${nonce}` }),
    answer: (version, nonce) => JSON.stringify({ version, id: `p-${nonce}`, page: nonce }),
  },
  order: {
    source: (version) => `import { defineFunction } from '@needle-faas/runtime/function'
import * as z from 'zod/mini'

const version = '${version}'

export default defineFunction({
  input: z.object({ nonce: z.int() }),
  output: z.object({ version: z.string(), nonce: z.int(), lines: z.array(z.string()) }),
  handler: async ({ nonce }) => ({
    version,
    nonce,
    lines: Array.from({ length: 50 }, () => version),
  }),
})
`,
    request: (nonce) => ({
      method: 'POST',
      path: '/soak/order',
      body: JSON.stringify({ nonce }),
    }),
    answer: (version, nonce) =>
      JSON.stringify({ version, nonce, lines: Array.from({ length: 50 }, () => version) }),
  },
  feed: {
    source: (version) => `import { defineFunction } from '@needle-faas/runtime/function'

const version = '${version}'

/** Takes about a tenth of a second, so that swaps happen in the middle of it. */
export default defineFunction({
  http: { method: 'GET', path: '/soak/feed' },
  async handler() {
    const encoder = new TextEncoder()
    let line = 0
    const body = new ReadableStream({
      async pull(controller) {
        if (line === ${streamLines}) return controller.close()
        await new Promise((resolve) => setTimeout(resolve, 5))
        controller.enqueue(encoder.encode(\`\${version} \${line++}\\n\`))
      },
    })
    return new Response(body, { headers: { 'content-type': 'text/plain' } })
  },
})
`,
    request: () => ({ method: 'GET', path: '/soak/feed' }),
    answer: (version: string) =>
      Array.from({ length: streamLines }, (_, line) => `${version} ${line}\n`).join(''),
  },
} as const satisfies Record<string, Probe>

export type ProbeName = keyof typeof probes

export const probeNames = ['card', 'order', 'feed'] as const satisfies ProbeName[]

export const firstVersion = 'v0'

/** The version a body is the whole and only answer of, or null when it is torn or somebody else's. */
export function readVersion(name: ProbeName, nonce: number, body: string): string | null {
  const version = /v\d+/.exec(body)?.[0]
  if (version === undefined) return null
  return probes[name].answer(version, nonce) === body ? version : null
}

/** The file whose change is a merge. */
export function probeFile(name: ProbeName, version: string): Files {
  return { [`functions/soak/${name}/index.ts`]: probes[name].source(version) }
}

/** Everything of all probes, as their first commit has it. */
export function probeFiles(): Files {
  const files: Record<string, string> = {}
  for (const name of probeNames) {
    Object.assign(files, probeFile(name, firstVersion))
    files[`functions/soak/${name}/README.md`] = `# soak/${name}\n\nServes the swap soak.\n`
    files[`functions/soak/${name}/index.test.ts`] = `import { expect, it } from 'vitest'
import definition from './index.ts'

it('has a handler', () => {
  expect(definition.handler).toBeTypeOf('function')
})
`
  }
  return files
}
