import { parentPort, workerData } from 'node:worker_threads'
import { askLook, type LookChannel } from '../look-channel.ts'

/** Asks once, takes `decideMs` to condemn, and tells what came of it. */
interface Asking {
  readonly channel: LookChannel
  readonly look: number
  readonly decideMs: number
}

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- from the test
const { channel, look, decideMs } = workerData as Asking
const never = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))
let ended = 0

const result = askLook(channel, look, {
  ask: () => {},
  decide: () => {
    Atomics.wait(never, 0, 0, decideMs)
    return true
  },
  end: () => {
    ended += 1
  },
})
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- not a window's
parentPort?.postMessage({ result, ended })
