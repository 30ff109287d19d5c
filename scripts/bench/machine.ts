import { cpus } from 'node:os'
import { canPin } from './program.ts'

export interface Machine {
  readonly cpu: string
  readonly node: string
  readonly pinned: boolean
}

/** What this process runs on. */
export function thisMachine(): Machine {
  return {
    cpu: `${cpus().length} × ${cpus()[0]?.model.trim() ?? 'unknown'}`,
    node: process.version,
    pinned: canPin,
  }
}

export function machineLine({ cpu, node, pinned }: Machine): string {
  const pinning = pinned ? 'servers on one core, load on another' : 'processes not pinned'
  return `${cpu}, Node ${node}, ${pinning}`
}
