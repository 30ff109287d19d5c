import { dirname } from 'node:path'
import type { PlayedAction } from './played-action.ts'

/**
 * actions/setup-node: puts Node on PATH. The one it has to offer is the one that runs this process,
 * so asking for another major version fails.
 */
export const setupNode: PlayedAction = {
  inputs: ['node-version'],
  async run(inputs, machine) {
    const wanted = inputs['node-version']
    const offered = process.versions.node
    if (wanted !== undefined && wanted !== offered && wanted !== offered.split('.')[0]) {
      throw new Error(`Unable to find Node version '${wanted}': here is ${offered}`)
    }
    machine.pathPrefix.unshift(dirname(process.execPath))
    return { 'node-version': `v${offered}` }
  },
}
