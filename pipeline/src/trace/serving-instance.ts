import type { FleetInstance } from '../environment-state/fleet.ts'
import type { ReportReading } from '../environment-state/instance-reports.ts'

/** What an instance says it serves of a function. */
export interface ServingInstance extends Pick<FleetInstance, 'instance' | 'state' | 'version'> {
  readonly stable: string | null
  readonly canary: string | null
  readonly weightPercent: number
  readonly stopped: boolean
}

/** The instances of the fleet that say something of the function. */
export function servingInstances(
  functionName: string,
  fleet: readonly FleetInstance[],
  readings: readonly ReportReading[],
): readonly ServingInstance[] {
  return fleet.flatMap(({ instance, state, version }) => {
    const told = readings.find((each) => each.instance === instance)?.report.functions[functionName]
    if (told === undefined) return []
    const { stable, canary, weightPercent, stopped } = told
    return [{ instance, state, version, stable, canary, weightPercent, stopped }]
  })
}
