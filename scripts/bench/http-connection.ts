import { once } from 'node:events'
import { connect } from 'node:net'

/** One request as bytes on the wire and the bodies its answer may have, byte for byte. */
export interface Exchange {
  readonly request: Buffer
  readonly rightBodies: readonly Buffer[]
}

export interface Answer {
  /** By `performance.now()`, in ms. */
  readonly startedAt: number
  /** Null for a right one: status 200 and a right body. */
  readonly failure: string | null
}

/** A keep-alive HTTP/1.1 connection over a raw socket, with at most one request under way. */
export interface Connection {
  readonly isOpen: boolean
  ask(exchange: Exchange, startedAt: number): Promise<Answer>
  close(): void
}

interface Waiting {
  readonly exchange: Exchange
  readonly startedAt: number
  readonly resolve: (answer: Answer) => void
}

const headEnd = Buffer.from('\r\n\r\n')
const contentLength = /\r\ncontent-length: (\d+)/i

/** To a server on this machine. Understands answers with `content-length` only. */
export async function openConnection(port: number): Promise<Connection> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  await once(socket, 'connect')
  let waiting: Waiting | null = null
  let received: Buffer = Buffer.alloc(0)

  const finish = (failure: string | null): void => {
    const { startedAt, resolve } = waiting ?? throwNothingAsked()
    waiting = null
    received = Buffer.alloc(0)
    resolve({ startedAt, failure })
  }
  socket.on('data', (chunk) => {
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk])
    const bodyAt = received.indexOf(headEnd) + headEnd.length
    if (bodyAt < headEnd.length) return
    const head = received.toString('latin1', 0, bodyAt)
    const bytes = Number(contentLength.exec(head)?.[1] ?? 0)
    if (received.length < bodyAt + bytes) return
    const body = received.subarray(bodyAt)
    const isRight = head.startsWith('200', 9) && waiting !== null && isIn(waiting.exchange, body)
    finish(isRight ? null : `${head.slice(0, head.indexOf('\r\n'))} ${body.toString()}`)
  })
  socket.on('error', (error) => waiting !== null && finish(error.message))
  socket.on('close', () => waiting !== null && finish('connection closed by the server'))

  return {
    get isOpen() {
      return !socket.destroyed
    },
    ask: (exchange, startedAt) =>
      new Promise((resolve) => {
        waiting = { exchange, startedAt, resolve }
        if (socket.destroyed) finish('connection is closed')
        else socket.write(exchange.request)
      }),
    close: () => socket.destroy(),
  }
}

function isIn({ rightBodies }: Exchange, body: Buffer): boolean {
  for (const right of rightBodies) if (body.equals(right)) return true
  return false
}

function throwNothingAsked(): never {
  throw new Error('The server answered without having been asked')
}
