import { setTimeout as delay } from 'node:timers/promises'
import type { Manifest } from '@needle-faas/runtime/manifest'
import { isRuntimeError } from '@needle-faas/runtime/store'
import { toFleet } from '../environment-state/fleet.ts'
import { type KnownReports, readReportReadings } from '../environment-state/instance-reports.ts'
import type { EnvironmentAccess } from '../environment-state/read-environment.ts'
import { storeTime } from '../environment-state/store-time.ts'
import { exitCode } from '../exit-code.ts'
import { awaitFleet } from './await-fleet.ts'
import type { CommandIo, CommandResult } from './command.ts'
import { countFollowers, describeFleet } from './describe-fleet.ts'
import { runStep } from './progress.ts'

/**
 * Watches the instances follow a manifest that was written, live on stderr, and says who has not.
 * Reports that cannot be read are told of, and no failure of what was written.
 */
export async function followFleet(
  io: CommandIo,
  access: EnvironmentAccess,
  order: { readonly manifest: Manifest; readonly function: string; readonly waitMs: number },
): Promise<CommandResult> {
  const timeNow = (): number => storeTime(access.store, Date.now())
  try {
    const wait = await runStep(io, {
      title: `Following to version ${order.manifest.version}`,
      run: (say) => {
        let last = ''
        const known: KnownReports = new Map()
        return awaitFleet({
          ...order,
          read: async () =>
            toFleet(order.manifest, await readReportReadings(access, known), timeNow()),
          onProgress: (instances) => {
            const line = countFollowers(instances, order)
            say(line)
            if (line !== last && !io.isTerminal) io.stderr(`  ${line}\n`)
            last = line
          },
          now: () => performance.now(),
          pause: (delayMs) => delay(delayMs, undefined, { signal: io.signal }),
        })
      },
    })
    const { converged, instances } = wait
    return {
      text: describeFleet(wait, timeNow()).join('\n'),
      json: { converged, waitedMs: Math.round(wait.waitedMs), instances, fault: null },
      exitCode: converged ? exitCode.ok : exitCode.unsettled,
    }
  } catch (error) {
    if (io.signal.aborted) {
      const { version, reason } = order.manifest
      io.stderr(
        `${access.environment} is at version ${version} all the same: ${reason}. Instances go on following; needle status shows who has\n`,
      )
    }
    if (io.signal.aborted || !isRuntimeError(error)) throw error
    return {
      text: `It is written, but who follows cannot be read (${error.code}: ${error.message}). needle status shows it once the store works`,
      json: {
        converged: false,
        waitedMs: null,
        instances: [],
        fault: { code: error.code, message: error.message },
      },
      exitCode: exitCode.unsettled,
    }
  }
}
