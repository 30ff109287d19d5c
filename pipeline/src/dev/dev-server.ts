import { needle } from '@needle-faas/runtime/fastify'
import Fastify, { type FastifyInstance } from 'fastify'
import type { Logger, Services } from '@needle-faas/runtime/function'
import { PipelineError } from '../errors.ts'
import { type DevEnvironment, devEnvironmentName } from './dev-environment.ts'

export interface DevServerOptions {
  readonly environment: DevEnvironment
  readonly groups: readonly string[]
  readonly services: Partial<Services>
  readonly port: number
  readonly log: Logger
}

export interface DevServer {
  readonly port: number
  /** Serves what was published last. */
  refresh(): Promise<void>
  close(): Promise<void>
}

const portsTried = 100

/**
 * A BFF on loopback with nothing in it but functions, served by the same runtime as in production.
 *
 * @throws PipelineError `USAGE_INVALID` when no port from the given one on is free
 */
export async function startDevServer(options: DevServerOptions): Promise<DevServer> {
  const { environment, groups, services, log } = options
  const app = Fastify({ forceCloseConnections: true })
  await app.register(needle, {
    source: {
      store: environment.store,
      environment: devEnvironmentName,
      // Changes are announced by refresh(); polling would only be noise.
      pollIntervalMs: 60_000,
    },
    groups,
    trust: environment.trust,
    services,
    log,
    report: false,
    drainTimeoutMs: 1000,
  })
  const port = await listen(app, options.port)
  return {
    port,
    refresh: () => app.needle.refresh(),
    close: () => app.close(),
  }
}

async function listen(app: FastifyInstance, wanted: number): Promise<number> {
  for (let port = wanted; port < wanted + portsTried; port++) {
    try {
      const address = new URL(await app.listen({ port, host: '127.0.0.1' }))
      return Number(address.port)
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EADDRINUSE')) throw error
    }
  }
  throw new PipelineError(
    'USAGE_INVALID',
    `No port from ${wanted} to ${wanted + portsTried - 1} is free. Give another with --port.`,
  )
}
