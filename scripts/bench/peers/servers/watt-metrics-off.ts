/** Watt at its fastest: hardly more than a Fastify application in a worker thread. */
import { serveWatt } from '../watt/serve-watt.ts'

await serveWatt({ metrics: false })
