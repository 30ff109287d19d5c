/**
 * The JavaScript of the runtime as it is published: a file for each entry of its `exports`, and a few
 * more for what they share. With a file for each module, as `tsc` writes them, loading the runtime
 * takes a host 1 MB more for good, and 5 MB more that outlive a collection of its young generation.
 *
 * `node runtime/build.ts [directory]`, by default `runtime/dist`.
 */
import { copyFile, rm } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import runtime from './package.json' with { type: 'json' }

const root = import.meta.dirname
const dist = join(root, 'dist')
const outdir = resolve(process.argv[2] ?? dist)

const entryPoints = Object.values(runtime.exports)
  .filter((entry) => typeof entry === 'object')
  .map((entry) => ({
    in: join(root, entry['needle-source']),
    out: relative(dist, join(root, entry.default)).replace(/\.js$/, ''),
  }))
// A thread of its own, found beside the file that starts it.
const thread = { in: join(root, 'src', 'watchdog', 'watchdog-worker.ts'), out: 'watchdog-worker' }

// `zod/mini` loads fifty languages, 40 of the 105 ms that loading the runtime took: what is used of it comes
// along. It stays a dependency for the types.
const { zod: _bundled, ...external } = { ...runtime.dependencies, ...runtime.peerDependencies }
const zodLicense = fileURLToPath(new URL('LICENSE', import.meta.resolve('zod/package.json')))

await rm(outdir, { recursive: true, force: true })
await build({
  entryPoints: [...entryPoints, thread],
  outdir,
  bundle: true,
  splitting: true,
  external: Object.keys(external),
  format: 'esm',
  platform: 'node',
  target: 'node24',
  sourcemap: true,
})
await copyFile(zodLicense, join(outdir, 'zod.LICENSE'))
