/**
 * Platformatic Watt: the hand-written application in a worker thread, as `wattpm start` starts it.
 * One worker, because there is one core; metrics stay off, as they are by default.
 */
import { join } from 'node:path'
import { create } from '@platformatic/runtime'
import { announce } from '../../servers/announce.ts'

const root = join(import.meta.dirname, '..', 'watt')
const runtime = await create(
  root,
  {
    module: '@platformatic/runtime',
    entrypoint: 'price',
    applications: [{ id: 'price', path: join(root, 'price') }],
    workers: 1,
    server: { hostname: '127.0.0.1', port: 0 },
    logger: { level: 'error' },
    watch: false,
  },
  { production: true, setupSignals: false },
)
const url = await runtime.start()
announce({ port: Number(new URL(url).port), close: () => runtime.close() })
