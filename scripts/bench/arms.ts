import { join } from 'node:path'
import type { Contender } from './measure-round.ts'

interface ArmSettings {
  readonly label: string
  /** Of a program that announces itself (see `servers/announce.ts`). */
  readonly server: string
  readonly nodeOptions?: readonly string[]
}

/**
 * What is compared. `baseline` is the same handler and the same validation as a hand-written
 * Fastify route; `baselineAgain` is the very same program, and so shows what the machine alone
 * makes differ; `ajv` is Fastify's own idiom, which validates the input only. The others are peers:
 * the same handler and the same validation again.
 */
export const arms = {
  baseline: { label: 'hand-written', server: 'servers/hand-written.ts' },
  baselineAgain: { label: 'hand-written again', server: 'servers/hand-written.ts' },
  ajv: { label: 'hand-written, ajv', server: 'servers/hand-written-ajv.ts' },
  needle: { label: 'needle', server: 'servers/needle.ts' },
  functionsFramework: {
    label: 'functions-framework',
    server: 'peers/servers/functions-framework.ts',
  },
  watt: { label: 'watt', server: 'peers/servers/watt.ts' },
  wattBare: { label: 'watt, metrics off', server: 'peers/servers/watt-metrics-off.ts' },
  workerd: { label: 'workerd', server: 'peers/servers/workerd.ts' },
  isolatedVm: {
    label: 'isolated-vm',
    server: 'peers/servers/isolated-vm.ts',
    // Its README: without it isolates crash on Node 20 and later.
    nodeOptions: ['--no-node-snapshot'],
  },
  piscina: { label: 'piscina', server: 'peers/servers/piscina.ts' },
} as const satisfies Record<string, ArmSettings>

export type Arm = keyof typeof arms

export const armNames = ['baseline', 'baselineAgain', 'ajv', 'needle'] as const satisfies Arm[]

export const peerNames = [
  'functionsFramework',
  'watt',
  'wattBare',
  'workerd',
  'isolatedVm',
  'piscina',
] as const satisfies Arm[]

export type Peer = (typeof peerNames)[number]

/** `env` is for the server that needs a store; the others ignore it. */
export function toContender(arm: Arm, env: Readonly<Record<string, string>>): Contender<Arm> {
  const { server, nodeOptions = [] }: ArmSettings = arms[arm]
  return {
    name: arm,
    server: join(import.meta.dirname, server),
    asked: { what: 'price' },
    env,
    nodeOptions,
  }
}
