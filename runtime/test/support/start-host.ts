import Fastify, { type FastifyInstance } from 'fastify'
import { onTestFinished } from 'vitest'
import { needle, type NeedlePluginOptions } from '../../src/hosts/fastify.ts'
import { type QuietOptions, quietOptions } from './quiet-options.ts'
import type { TestEnvironment } from './test-environment.ts'

export type HostOptions = QuietOptions & Omit<NeedlePluginOptions, keyof QuietOptions>

/**
 * A Fastify application that serves the environment below `/bff`, ready, and closed when the test
 * ends.
 *
 * @param prepare - What else the host has, before the plugin.
 */
export async function startHost(
  bucket: TestEnvironment,
  options: HostOptions = {},
  prepare: (app: FastifyInstance) => void = () => {},
): Promise<FastifyInstance> {
  const app = Fastify({ forceCloseConnections: true })
  onTestFinished(() => app.close())
  prepare(app)
  app.register(needle, quietOptions(bucket, { prefix: '/bff', ...options }))
  await app.ready()
  return app
}
