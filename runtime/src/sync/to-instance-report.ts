import type { InstanceReport, ReportedFunction } from '../manifest/instance-report.ts'
import type { Digest } from '../manifest/digest.ts'
import { pause } from '../pause.ts'
import type { FunctionStatus, RuntimeStatus } from './status.ts'

/**
 * What an instance tells the store about itself: the part of its status that concerns a fleet. Lets
 * others have their turn in between.
 */
export async function toInstanceReport(
  status: RuntimeStatus,
  options: {
    readonly reportedAt: string
    /** Monotonic milliseconds since it started. */
    readonly uptimeMs: number
    /** By the ids of revisions that the status names. */
    readonly releases: ReadonlyMap<string, Digest>
  },
): Promise<InstanceReport> {
  const { manifest, source, refusal } = status
  const activatedAt = source.lastActivation
  const functions: Record<string, ReportedFunction> = {}
  for (const each of status.functions) {
    await pause()
    functions[each.function] = toReported(each, options.releases)
  }
  return {
    specVersion: 1,
    environment: status.environment,
    instance: status.instance,
    reportedAt: options.reportedAt,
    startedAt: status.startedAt,
    uptimeMs: Math.round(options.uptimeMs),
    state: status.state,
    frozen: status.frozen,
    manifest:
      manifest === null || activatedAt === null
        ? null
        : {
            epoch: manifest.epoch,
            version: manifest.version,
            digest: manifest.digest,
            commit: manifest.commit,
            activatedAt,
            lagMs: Date.parse(activatedAt) - Date.parse(manifest.issuedAt),
          },
    refusal,
    functions,
  }
}

function toReported(
  status: FunctionStatus,
  releases: ReadonlyMap<string, Digest>,
): ReportedFunction {
  return {
    stable: releases.get(status.stable ?? '') ?? null,
    canary: releases.get(status.canary ?? '') ?? null,
    weightPercent: status.weightPercent,
    stopped: status.stopped,
    manifestVersion: status.manifestVersion,
    ...(status.rollout !== null && { rollout: status.rollout }),
    ...(status.stableTrip !== null && { stableTrip: status.stableTrip }),
    ...(status.stableFailure !== null && { stableFailure: status.stableFailure }),
    refusals: status.refusals.map(({ code, message, since, release, salt }) => ({
      code,
      message,
      since,
      release,
      salt,
    })),
  }
}
