/**
 * workerd, the runtime of Cloudflare Workers: a program of its own that serves the bundled function
 * as a worker. This process only starts it and speaks for it; it inherits the core.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import workerd from 'workerd'
import * as z from 'zod'
import { announce } from '../../servers/announce.ts'
import { bundle } from '../bundle.ts'
import { foreignUsage } from '../foreign-usage.ts'

const root = join(import.meta.dirname, '..', 'workerd')
await mkdir(join(root, 'dist'), { recursive: true })
await writeFile(
  join(root, 'dist', 'price-worker.js'),
  bundle(join(root, 'price-worker.ts'), { format: 'esm' }),
)

const args = ['--socket-addr=http=127.0.0.1:0', '--control-fd=3']
const child = spawn(workerd.default, ['serve', join(root, 'config.capnp'), ...args], {
  stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
})
process.on('disconnect', () => child.kill())
child.on('exit', (code, signal) => {
  if (process.connected) console.error(`Error: workerd ended with ${signal ?? code}`)
  process.exit(process.connected ? 1 : 0)
})
const control = child.stdio[3]
if (!(control instanceof Readable)) throw new Error('workerd was started without a control pipe')
// One line per socket it listens on.
const [line]: unknown[] = await once(control.setEncoding('utf8'), 'data')
const { port } = z.object({ port: z.int() }).parse(JSON.parse(String(line)))

announce({
  port,
  usage: () => foreignUsage(child.pid),
  close: () => once(child, 'exit'),
})
