import { exitCode, type ExitCode } from '../exit-code.ts'
import type { Ending } from '../rollout/ending.ts'
import type { CommandResult } from './command.ts'

export interface EndingOptions {
  readonly environment: string
  /** Somebody carries on with what only takes its time, so leaving it is no failure. */
  readonly leaveUnfinished: boolean
}

/** What watching came to, for people and machines; each verdict has an exit code of its own. */
export function describeEnding(ending: Ending, options: EndingOptions): CommandResult {
  const { verdict, functions } = ending
  const { environment, leaveUnfinished } = options
  return {
    text: sayEnding(ending),
    json: { environment, ended: verdict, functions },
    exitCode: verdict === 'running' && leaveUnfinished ? exitCode.ok : codes[verdict],
  }
}

const codes: Readonly<Record<Ending['verdict'], ExitCode>> = {
  successful: exitCode.ok,
  failed: exitCode.refused,
  error: exitCode.unavailable,
  running: exitCode.unsettled,
  inconclusive: exitCode.inconclusive,
}

function sayEnding({ verdict, functions }: Ending): string {
  const names = functions.join(', ')
  const carryOn = 'The next needle rollout carries on'
  switch (verdict) {
    case 'successful':
      return names === '' ? 'Done: nothing was on its way' : `Done: ${names} arrived`
    case 'failed':
      return `Failed: ${names}. needle status says why, and what to merge or to do`
    case 'error':
      return `Time is over, and this cannot be measured: ${names}. ${carryOn}`
    case 'inconclusive':
      return `Time is over, and there is too little to judge by: ${names}. ${carryOn}`
    case 'running':
      return `Time is over for ${names}, which went well so far. ${carryOn}`
    default:
      return verdict satisfies never
  }
}
