/** A remark that GitHub shows at a file, on the run and in the pull request it is of. */
export interface Annotation {
  readonly level: 'error' | 'warning'
  /** Relative to the repository, with `/`. */
  readonly file: string
  readonly title: string
  readonly message: string
}

/**
 * The line that a step prints for it, without the newline. Escaped, so that no text ends the line
 * and begins another command.
 * https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
 */
export function toWorkflowCommand({ level, file, title, message }: Annotation): string {
  const properties = `file=${escapeProperty(file)},title=${escapeProperty(title)}`
  return `::${level} ${properties}::${escapeText(message)}`
}

function escapeText(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
}

function escapeProperty(text: string): string {
  return escapeText(text).replaceAll(':', '%3A').replaceAll(',', '%2C')
}
