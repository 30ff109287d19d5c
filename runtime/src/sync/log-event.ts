import type { RuntimeErrorCode } from '../errors.ts'
import type { Logger } from '../function/authoring/function-context.ts'
import { servesAnything } from './readiness.ts'
import type { Serving } from './serving.ts'
import type { RuntimeEvent } from './status.ts'

/**
 * One line per event, at the level that says whether a person is needed.
 *
 * @param serving - What serves at the time of the event.
 */
export function logEvent(log: Logger, event: RuntimeEvent, serving: Serving): void {
  const { type, ...told } = event
  // Lines that functions write themselves have both, too: one query finds all of a function.
  const fields = 'revision' in told ? { ...told, function: told.revision.split('@')[0] } : told
  switch (type) {
    case 'activated':
      return log.info('Needle activated a manifest', fields)
    case 'unfrozen':
      return log.info('Needle accepts changes again', fields)
    case 'refused':
      return log.warn(refusalLine(event.code, serving), fields)
    case 'functionRefused':
      return log.error('Needle refused a release of a function', fields)
    case 'forked':
      return log.error('Needle met two manifests of one version', fields)
    case 'frozen':
      return log.error('Needle is frozen: its manifest has expired', fields)
    case 'groupMissing':
      return log.warn('Needle is to serve a group its manifest does not know', fields)
    case 'heldBack':
      return log.error('Needle holds back a manifest whose activation ended the process', fields)
    case 'uncleanEnd':
      return log.warn('The process before this one ended without closing Needle', fields)
    case 'cacheUnusable':
      return log.error('Needle cannot use its cache directory', fields)
    case 'drainTimedOut':
      return log.warn('A replaced revision was stopped with calls in flight', fields)
    case 'runaway':
      return log.error(
        event.stopped
          ? 'A function held the event loop and was stopped'
          : 'A function held the event loop and could not be stopped',
        fields,
      )
    case 'canaryTripped':
      return log.error('A canary did worse than stable and was stopped here', fields)
    case 'stableTripped':
      return log.error('A stable failed after its promotion; the one before it serves here', fields)
    case 'stableFailing':
      return log.error('A stable fails more often than was usual before it', fields)
    case 'shed':
      return log.error('The event loop cannot keep up: a function is turned away', fields)
    case 'restored':
      return log.info('The event loop keeps up again: a function is no longer turned away', fields)
    case 'strayFailure':
      return log.error('A function failed outside of any call', fields)
  }
}

function refusalLine(code: RuntimeErrorCode, serving: Serving): string {
  const serves = servesAnything(serving)
  const consequence = serves ? 'what serves goes on' : 'nothing serves'
  if (code === 'MANIFEST_MISSING') {
    return `Needle found no manifest; ${serves ? consequence : 'it waits for one'}`
  }
  if (code.startsWith('STORE_')) return `Needle cannot read its store; ${consequence}`
  return `Needle refused what its store holds; ${consequence}`
}
