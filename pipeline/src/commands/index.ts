import type { AddCommand } from './command.ts'
import { addAbortCommand } from './abort.ts'
import { addAlarmsCommand } from './alarms.ts'
import { addApproveCommand } from './approve.ts'
import { addBuildCommand } from './build.ts'
import { addCheckCommand } from './check.ts'
import { addClearCommand } from './clear.ts'
import { addDevCommand } from './dev.ts'
import { addDoctorCommand } from './doctor.ts'
import { addHistoryCommand } from './history.ts'
import { addHoldCommand } from './hold.ts'
import { addKeysCommand } from './keys.ts'
import { addNewCommand } from './new.ts'
import { addPlanCommand } from './plan.ts'
import { addProbeCommand } from './probe.ts'
import { addPromoteCommand } from './promote.ts'
import { addPruneCommand } from './prune.ts'
import { addPublishCommand } from './publish.ts'
import { addRefreshCommand } from './refresh.ts'
import { addResumeCommand } from './resume.ts'
import { addRollbackCommand } from './rollback.ts'
import { addRolloutCommand } from './rollout.ts'
import { addStatusCommand } from './status.ts'
import { addStopCommand } from './stop.ts'
import { addTraceCommand } from './trace.ts'

/** In the order in which `needle --help` lists them: a change's way from an idea to production. */
export const commands: readonly AddCommand[] = [
  addNewCommand,
  addDevCommand,
  addProbeCommand,
  addCheckCommand,
  addPlanCommand,
  addBuildCommand,
  addPublishCommand,
  addRolloutCommand,
  addApproveCommand,
  addPromoteCommand,
  addAbortCommand,
  addRollbackCommand,
  addStopCommand,
  addResumeCommand,
  addHoldCommand,
  addClearCommand,
  addStatusCommand,
  addHistoryCommand,
  addTraceCommand,
  addAlarmsCommand,
  addDoctorCommand,
  addRefreshCommand,
  addKeysCommand,
  addPruneCommand,
]
