import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { beforeAll, expect, it } from 'vitest'

/** Of a process of its own: what else is loaded here is not the runtime's doing. */
let modules: unknown
let hasFetch: unknown

beforeAll(async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--conditions=needle-source',
    fileURLToPath(new URL('./support/lean-start.ts', import.meta.url)),
  ])
  ;[modules, hasFetch] = stdout.split('\n').map((line): unknown => JSON.parse(line))
})

it("loads Node's fetch for the first function that needs it, before it is called, and for nothing else", () => {
  expect(hasFetch).toEqual({
    imported: false,
    answered: false,
    'loaded a function that needs it': true,
  })
})

it('loads of large libraries what it uses', () => {
  const ofLibraries = String(modules)
    .split(',')
    .flatMap((url) => url.split('/node_modules/').slice(1))
  expect(ofLibraries).toContain('zod/mini/index.js')
  expect(ofLibraries).toContain('jose/dist/webapi/key/import.js')
  const unused =
    /^(?:zod\/v4\/classic|jose\/dist\/webapi\/(?:index|jw[et]|key\/(?:export|generate_key_pair))|@aws-sdk|@fastify|ajv)\b/
  expect(ofLibraries.filter((path) => unused.test(path))).toEqual([])
})
