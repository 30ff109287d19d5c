import { setTimeout as delay } from 'node:timers/promises'
import { type Manifest, manifestLifetimeMs } from '@needle-faas/runtime/manifest'
import type { EnvironmentState } from '../environment-state/environment-state.ts'
import { readEnvironment } from '../environment-state/read-environment.ts'
import { PipelineError } from '../errors.ts'
import type { Plan } from '../plan/plan.ts'
import { assertConditionalWrites } from './assert-conditional-writes.ts'
import { applyDraft } from './apply-draft.ts'
import { repairPointer } from './repair-pointer.ts'
import type { Publisher } from './publisher.ts'
import { uploadObjects, type Upload } from './upload.ts'

export interface PlannedChange {
  readonly plan: Plan
  /** Immutable objects the draft names, in stages: a stage begins when the one before is stored. */
  readonly uploads: readonly (readonly Upload[])[]
}

export interface ChangeOutcome {
  readonly plan: Plan
  /** The newest manifest: the one written, or the one that already said everything. Null when there is none. */
  readonly manifest: Manifest | null
  readonly isWritten: boolean
  /** How often another publisher was faster. */
  readonly lostRaces: number
}

const maxAttempts = 10

/**
 * Read → plan → apply, and again from the start when another publisher wrote first, so that both
 * changes live. Also finishes what a publisher that died left behind.
 *
 * @throws PipelineError `PUBLISH_LOST`, `STORE_IGNORES_CONDITIONS`, what `plan` throws
 * @throws RuntimeError as reading and the store do
 */
export async function changeEnvironment(
  publisher: Publisher,
  plan: (state: EnvironmentState) => Promise<PlannedChange>,
): Promise<ChangeOutcome> {
  const { access } = publisher
  const [first] = await Promise.all([
    readEnvironment(access),
    publisher.singleWriter ? undefined : assertConditionalWrites(access),
  ])
  let reading = first
  for (let lostRaces = 0; lostRaces < maxAttempts; lostRaces++) {
    await repairPointer(publisher, { newest: reading.state.newest, pointer: reading.pointer })
    const { plan: planned, uploads } = await plan(reading.state)
    if (planned.draft === null) {
      const manifest = reading.state.newest?.manifest ?? null
      return { plan: planned, manifest, isWritten: false, lostRaces }
    }
    for (const stage of uploads) await uploadObjects(publisher, stage)
    const applied = await applyDraft(publisher, {
      state: reading.state,
      pointer: reading.pointer,
      draft: planned.draft,
      lifetimeMs: publisher.lifetimeMs ?? manifestLifetimeMs,
    })
    if (applied !== null) {
      return { plan: planned, manifest: applied, isWritten: true, lostRaces }
    }
    // Not the clock's sleep: that one lets a process with nothing else to do end.
    await delay(Math.random() * 50 * (lostRaces + 1), undefined, { signal: access.signal })
    reading = await readEnvironment(access)
  }
  throw new PipelineError(
    'PUBLISH_LOST',
    `Other publishers wrote to ${access.environment} ${maxAttempts} times in a row while this one tried. Nothing was changed; run it again when they are done`,
  )
}
