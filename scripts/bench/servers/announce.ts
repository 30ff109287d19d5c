import { setTimeout as delay } from 'node:timers/promises'
import type { ServerUsage } from '../server-usage.ts'

export type Questions = Readonly<Record<string, () => object | Promise<object>>>

export interface Announcement {
  readonly port: number
  /** What the server has used; by default what this process has. */
  readonly usage?: () => ServerUsage
  readonly close: () => Promise<unknown>
  /** What else the parent may ask, with a message `{ question: <name> }`, and how it is answered. */
  readonly questions?: Questions
}

/** Tells the parent where the server listens, answers `usageOf`, ends with the parent. */
export function announce({ port, usage = ownUsage, close, questions = {} }: Announcement): void {
  const answers: Questions = { ...questions, usage: () => settledUsage(usage) }
  const answer = async (question: string): Promise<void> => {
    process.send?.((await answers[question]?.()) ?? { error: `Nobody knows ${question}` })
  }
  process.on('message', (message: { readonly question: string }) => void answer(message.question))
  process.on('disconnect', () => void close().then(() => process.exit(0)))
  process.send?.({ port })
}

async function settledUsage(usage: () => ServerUsage): Promise<ServerUsage> {
  // Contexts take several collections with turns of the loop between them.
  for (let round = 0; globalThis.gc !== undefined && round < 4; round++) {
    globalThis.gc()
    await delay(5)
  }
  return usage()
}

function ownUsage(): ServerUsage {
  const { user, system } = process.cpuUsage()
  const { rss, heapUsed } = process.memoryUsage()
  return { cpuMs: (user + system) / 1000, rssBytes: rss, heapBytes: heapUsed }
}
