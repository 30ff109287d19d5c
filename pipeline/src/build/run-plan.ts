import { resolve } from 'node:path'
import { createVerifiedReader } from '@needle-faas/runtime/store'
import type { CommandIo, CommandResult } from '../commands/command.ts'
import { counted } from '../commands/counted.ts'
import { withSession } from '../commands/environment-session.ts'
import { runStep } from '../commands/progress.ts'
import { findRepository } from '../functions/find-repository.ts'
import { scopeOf } from '../functions/scope-of.ts'
import { survey } from '../functions/survey.ts'
import { findReleased } from './find-released.ts'
import { type PlanFile, writePlanFile } from './plan-file.ts'

export interface RunPlanOptions {
  readonly environment: string
  readonly out: string
  readonly repository?: string | undefined
}

/** `needle plan`: reads the store and the work tree, runs nothing of a function, needs no key. */
export async function runPlan(io: CommandIo, options: RunPlanOptions): Promise<CommandResult> {
  const { environment } = options
  const directory = findRepository(io.cwd, options.repository)
  const surveyed = await survey(directory, scopeOf(environment))
  const released = await withSession(io, options, ({ store, access }) =>
    runStep(io, {
      title: `Looking for ${counted(surveyed.functions.length, 'function')} in ${store.location}`,
      run: () =>
        findReleased(surveyed, {
          store,
          reader: createVerifiedReader(access),
          signal: io.signal,
        }),
    }),
  )
  const plan: PlanFile = { specVersion: 1, environment, scope: surveyed.scope, released }
  const out = resolve(io.cwd, options.out)
  await writePlanFile(out, plan)

  const known = new Set(released.map(({ name }) => name))
  const pending = surveyed.functions.map(({ name }) => name).filter((name) => !known.has(name))
  const list = pending.length === 0 ? '' : `: ${pending.join(', ')}`
  return {
    text: `${released.length} released already, ${pending.length} to check and build${list}`,
    json: { ...plan, pending },
  }
}
