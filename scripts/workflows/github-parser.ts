import { registerHooks } from 'node:module'

// The package imports its schema as JSON without the attribute Node asks for (it is made for
// bundlers), so the attribute is added on the way; https://github.com/actions/languageservices.
registerHooks({
  load(url, context, nextLoad) {
    const isSchema = url.includes('/@actions/workflow-parser/') && url.endsWith('.json')
    if (!isSchema) return nextLoad(url, context)
    return nextLoad(url, { ...context, importAttributes: { type: 'json' } })
  },
})

/** GitHub's own parser of workflow files. */
export const {
  NoOperationTraceWriter,
  convertWorkflowTemplate,
  isBasicExpression,
  isMapping,
  isScalar,
  isSequence,
  isString,
  parseWorkflow,
} = await import('@actions/workflow-parser')
