import { userInfo } from 'node:os'

/** Who is behind a command: what was given, else GitHub's actor, else Git's configured user, else the account. */
export async function findActor(question: {
  readonly given?: string | undefined
  readonly env: Readonly<Record<string, string | undefined>>
  readonly configuredUser: () => Promise<string | null>
}): Promise<string> {
  return (
    question.given ??
    (question.env['GITHUB_ACTOR'] || null) ??
    (await question.configuredUser()) ??
    userInfo().username
  )
}
