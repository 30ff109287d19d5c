import type { LookChannel } from './look-channel.ts'

/** What the two threads share. */
export interface WatchdogMemory {
  readonly heartbeat: Int32Array<SharedArrayBuffer>
  readonly channel: LookChannel
}

/** What the watchdog's thread tells the main thread about a function that stalled it. */
export interface RunawayMessage {
  /**
   * - `stopped`: its execution was ended.
   * - `spared`: ending it would have ended the process.
   */
  readonly outcome: 'stopped' | 'spared'
  readonly revision: string
  readonly requestId: string | null
  /** How long nothing else ran, as far as the thread could see. */
  readonly stalledMs: number
}

/** The first message: from now on the thread watches. */
export const ready = 'ready'

/** Guards what comes through the port. */
export function isRunawayMessage(message: unknown): message is RunawayMessage {
  return typeof message === 'object' && message !== null && 'outcome' in message
}
