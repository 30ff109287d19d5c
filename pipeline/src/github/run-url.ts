/** Address of the workflow run this is part of; null outside of one. */
export function findRunUrl(env: Readonly<Record<string, string | undefined>>): string | null {
  const server = env['GITHUB_SERVER_URL']
  const repository = env['GITHUB_REPOSITORY']
  const run = env['GITHUB_RUN_ID']
  return server && repository && run ? `${server}/${repository}/actions/runs/${run}` : null
}
