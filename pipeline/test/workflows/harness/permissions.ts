import type { MappingToken } from '@actions/workflow-parser/templates/tokens/mapping-token'
import type { TemplateToken } from '@actions/workflow-parser/templates/tokens/template-token'
import { isMapping } from '../../../../scripts/workflows/github-parser.ts'
import { scalarText } from '../../../../scripts/workflows/scalar-text.ts'

/**
 * Whether a job may ask GitHub for an identity token. A job's own `permissions:` replace the
 * workflow's altogether; nothing grants `id-token` by default.
 */
export function mayRequestIdToken(workflow: MappingToken, job: MappingToken): boolean {
  const permissions: TemplateToken | undefined =
    job.find('permissions') ?? workflow.find('permissions')
  if (permissions === undefined) return false
  if (!isMapping(permissions)) return scalarText(permissions) === 'write-all'
  return scalarText(permissions.find('id-token')) === 'write'
}
