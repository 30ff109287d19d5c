import '../../src/hosts/fastify.ts'
import { artifactOf, loadFixture } from '../../src/function/testing/revision-fixture.ts'

/** Prints, as JSON, whether the `fetch` of Node.js is loaded at each step on the way to an answer of its own. */
const steps: Record<string, boolean> = {}

function note(step: string): void {
  const loaded: unknown = Reflect.get(process, 'moduleLoadList')
  steps[step] = Array.isArray(loaded) && loaded.some((module) => String(module).includes('undici'))
}

note('imported')
const plain = await loadFixture(artifactOf("async () => ({ title: 'plain' })"))
await plain.answer()
note('answered')
await loadFixture(artifactOf("async () => new Response('a stream, perhaps')"))
note('loaded a function that needs it')
process.stdout.write(JSON.stringify(steps))
