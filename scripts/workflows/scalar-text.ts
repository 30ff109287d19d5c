import type { TemplateToken } from '@actions/workflow-parser/templates/tokens/template-token'
import { isScalar } from './github-parser.ts'

/** A value as written, quotes aside; undefined for a mapping, a sequence or nothing. */
export function scalarText(token: TemplateToken | undefined): string | undefined {
  return token !== undefined && isScalar(token) ? token.toString() : undefined
}
