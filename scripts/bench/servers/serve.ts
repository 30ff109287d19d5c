import type { FastifyInstance } from 'fastify'
import { announce, type Questions } from './announce.ts'
import { portOf } from './port-of.ts'

/** Serves on a free port of loopback until the parent goes (see `announce`). */
export async function serve(app: FastifyInstance, questions: Questions = {}): Promise<void> {
  await app.listen({ port: 0, host: '127.0.0.1' })
  announce({ port: portOf(app.server), close: () => app.close(), questions })
}
