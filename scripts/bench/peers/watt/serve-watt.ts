import { join } from 'node:path'
import { create } from '@platformatic/runtime'
import { announce } from '../../servers/announce.ts'

/**
 * Serves the hand-written application from a worker thread of Platformatic Watt, started as
 * `wattpm start` starts it. One worker, because there is one core.
 *
 * @param settings added to Watt's
 */
export async function serveWatt(settings: object): Promise<void> {
  const root = import.meta.dirname
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
      ...settings,
    },
    { production: true, setupSignals: false },
  )
  const url = await runtime.start()
  announce({ port: Number(new URL(url).port), close: () => runtime.close() })
}
