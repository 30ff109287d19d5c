import { checkout } from './checkout.ts'
import { configureAwsCredentials } from './configure-aws-credentials.ts'
import { downloadArtifact } from './download-artifact.ts'
import type { PlayedAction } from './played-action.ts'
import { setupNode } from './setup-node.ts'
import { uploadArtifact } from './upload-artifact.ts'

const actions: Readonly<Record<string, PlayedAction>> = {
  'actions/checkout': checkout,
  'actions/download-artifact': downloadArtifact,
  'actions/setup-node': setupNode,
  'actions/upload-artifact': uploadArtifact,
  'aws-actions/configure-aws-credentials': configureAwsCredentials,
}

/** The played action that `uses` names, whatever its version; throws for one that is not played. */
export function playedAction(uses: string): PlayedAction {
  const action = actions[uses.replace(/@.*$/, '')]
  if (action === undefined) throw new Error(`action "${uses}" is not played here`)
  return action
}
