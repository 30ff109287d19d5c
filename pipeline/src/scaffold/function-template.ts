import type { HttpMethod } from '@needle-faas/runtime/manifest'

export interface TemplateInput {
  readonly group: string
  /** Last part of the function's name. */
  readonly name: string
  readonly method: HttpMethod
  /** Route in find-my-way syntax, with its leading slash. */
  readonly path: string
}

/** File contents by name: a function that passes `needle check` as it is, its test and its page. */
export function functionTemplate(input: TemplateInput): Readonly<Record<string, string>> {
  return {
    'index.ts': entry(input),
    'index.test.ts': test(input),
    'README.md': page(input),
  }
}

function entry({ group, name, method, path }: TemplateInput): string {
  const isDefaultRoute = method === 'POST' && path === `/${group}/${name}`
  const route = isDefaultRoute ? '' : `  http: { method: '${method}', path: '${path}' },\n`
  const fields = parametersOf(path)
  const input = fields.length === 0 ? ['name'] : fields
  const example = input.map((field) => `${field}: 'Ada'`).join(', ')
  // Only what may be called twice may have any.
  const probes =
    method === 'GET'
      ? `  probes: [{ ${fields.length === 0 ? 'query' : 'params'}: { ${example} } }],\n`
      : ''
  return `import { defineFunction } from '@needle-faas/runtime/function'
import * as z from 'zod/mini'

export default defineFunction({
  input: z.object({ ${input.map((field) => `${field}: z.string()`).join(', ')} }),
  output: z.object({ text: z.string() }),
${route}${probes}
  async handler({ ${input.join(', ')} }) {
    return { text: \`Hello, ${input.map((field) => `\${${field}}`).join(' ')}!\` }
  },
})
`
}

function test({ group, name, path }: TemplateInput): string {
  const fields = parametersOf(path)
  const values = (fields.length === 0 ? ['name'] : fields).map((field) => `${field}: 'Ada'`)
  const greeted = values.map(() => 'Ada').join(' ')
  const given = `${fields.length === 0 ? 'body' : 'params'}: { ${values.join(', ')} }`
  return `import { callFunction } from '@needle-faas/runtime/testing'
import { describe, expect, test } from 'vitest'
import ${toIdentifier(name)} from './index.ts'

describe('${group}/${name}', () => {
  test('greets', async () => {
    const { status, body } = await callFunction(${toIdentifier(name)}, { ${given} })
    expect(status).toBe(200)
    expect(body).toEqual({ text: 'Hello, ${greeted}!' })
  })

  test('is 400 for an input that does not match', async () => {
    const { status } = await callFunction(${toIdentifier(name)}, {})
    expect(status).toBe(400)
  })
})
`
}

function page({ group, name, method, path }: TemplateInput): string {
  return `# ${group}/${name}

What it answers, for whom, and who looks after it.

\`${method} ${path}\`

| error | when |
| --- | --- |
| 400 \`INPUT_INVALID\` | the input does not match the schema |
`
}

function parametersOf(path: string): string[] {
  return [...path.matchAll(/:([A-Za-z_]\w*)/g)].flatMap(([, name]) => name ?? [])
}

/** `gift-card` → `giftCard`; a name that is a word of the language gets a suffix. */
function toIdentifier(name: string): string {
  const camel = name.replaceAll(/-(\w)/g, (_match, letter: string) => letter.toUpperCase())
  return reserved.has(camel) ? `${camel}Function` : camel
}

const reserved = new Set(
  `arguments await break case catch class const continue debugger default delete describe do else enum
  eval expect export extends false finally for function if implements import in instanceof interface
  let new null package private protected public return static super switch test this throw true try
  typeof var void while with yield`.split(/\s+/),
)
