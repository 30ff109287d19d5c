import { registerHooks } from 'node:module'

/** Prints what a start loads, as JSON: urls of modules, and whether the `fetch` of Node.js at which step. */
const modules: string[] = []
const hasFetch: Record<string, boolean> = {}

registerHooks({
  resolve(specifier, context, next) {
    const resolved = next(specifier, context)
    modules.push(resolved.url)
    return resolved
  },
})
await import('../../src/hosts/fastify.ts')
note('imported')
process.stdout.write(`${JSON.stringify(modules)}\n`)

const { artifactOf, loadFixture } = await import('../../src/function/testing/revision-fixture.ts')
const plain = await loadFixture(artifactOf("async () => ({ title: 'plain' })"))
await plain.answer()
note('answered')
await loadFixture(artifactOf("async () => new Response('a stream, perhaps')"))
note('loaded a function that needs it')
process.stdout.write(JSON.stringify(hasFetch))

function note(step: string): void {
  const builtins: unknown = Reflect.get(process, 'moduleLoadList')
  hasFetch[step] =
    Array.isArray(builtins) && builtins.some((builtin) => String(builtin).includes('undici'))
}
