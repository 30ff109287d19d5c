import type { InstanceReport, ReportedFunction } from '../manifest/instance-report.ts'
import type { Digest } from '../manifest/digest.ts'
import type { FunctionStatus, RuntimeStatus } from './status.ts'

/** What an instance tells the store about itself: the part of its status that concerns a fleet. */
export function toInstanceReport(
  status: RuntimeStatus,
  options: {
    readonly reportedAt: string
    /** Monotonic milliseconds since it started. */
    readonly uptimeMs: number
    /** Release of a revision id that the status names. */
    readonly releaseOf: (revisionId: string) => Digest | null
  },
): InstanceReport {
  const { manifest, source, refusal } = status
  const activatedAt = source.lastActivation
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
    functions: Object.fromEntries(
      status.functions.map((each) => [each.function, toReported(each, options.releaseOf)]),
    ),
  }
}

function toReported(
  status: FunctionStatus,
  releaseOf: (revisionId: string) => Digest | null,
): ReportedFunction {
  return {
    stable: status.stable === null ? null : releaseOf(status.stable),
    canary: status.canary === null ? null : releaseOf(status.canary),
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
