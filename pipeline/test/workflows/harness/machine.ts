import { mkdir, writeFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import type { WorkflowEvent } from './event.ts'
import type { Origin } from './origin.ts'

export interface CloudCredentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken: string
}

/** The fresh machine one job runs on: its own directories, its own environment, nothing of this process's. */
export interface Machine {
  readonly event: WorkflowEvent
  readonly origin: Origin
  readonly workspace: string
  readonly temp: string
  /** Directory of the run's artifacts, one directory each; all jobs of a run share it. */
  readonly artifacts: string
  /** What every step starts with: PATH, HOME, CI, GITHUB_*, RUNNER_*. */
  readonly env: Readonly<Record<string, string>>
  /** What steps and actions exported for the steps after them (`GITHUB_ENV`). */
  readonly exported: Record<string, string>
  /** Directories that steps put before the others on PATH (`GITHUB_PATH`), first one first. */
  readonly pathPrefix: string[]
  /** Whether the job was granted `id-token: write`. */
  readonly mayRequestIdToken: boolean
  /** Roles that an identity token can be exchanged for, by name. */
  readonly cloudRoles: Readonly<Record<string, CloudCredentials>>
}

export interface MachineOptions extends Pick<
  Machine,
  'event' | 'origin' | 'artifacts' | 'mayRequestIdToken' | 'cloudRoles'
> {
  /** An empty place for this job alone. */
  readonly directory: string
  /** The `github` context; scalars become `GITHUB_*` variables. */
  readonly github: Readonly<Record<string, unknown>>
  /** Programs that stand before those of the machine. */
  readonly commands: string | undefined
}

export async function prepareMachine(options: MachineOptions): Promise<Machine> {
  const at = (name: string): string => join(options.directory, name)
  const [workspace, temp, home] = [at('workspace'), at('temp'), at('home')]
  for (const directory of [workspace, temp, home, options.artifacts]) {
    await mkdir(directory, { recursive: true })
  }
  const eventPath = join(temp, 'event.json')
  await writeFile(eventPath, JSON.stringify(options.event.payload))
  const github = Object.entries(options.github).flatMap(([name, value]) =>
    typeof value === 'string' && name !== 'token' ? [[`GITHUB_${name.toUpperCase()}`, value]] : [],
  )
  return {
    event: options.event,
    origin: options.origin,
    workspace,
    temp,
    artifacts: options.artifacts,
    env: {
      ...Object.fromEntries(github),
      CI: 'true',
      GITHUB_ACTIONS: 'true',
      GITHUB_EVENT_PATH: eventPath,
      GITHUB_WORKSPACE: workspace,
      HOME: home,
      LANG: 'C.UTF-8',
      PATH: machinePath(options.commands),
      RUNNER_OS: 'Linux',
      RUNNER_TEMP: temp,
      ...(options.mayRequestIdToken && {
        ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'token-for-identity-tokens',
        ACTIONS_ID_TOKEN_REQUEST_URL: 'https://token.actions.invalid',
      }),
    },
    exported: {},
    pathPrefix: [],
    mayRequestIdToken: options.mayRequestIdToken,
    cloudRoles: options.cloudRoles,
  }
}

/** The machine's own programs; a checkout's `node_modules/.bin`, which npm puts there for tests, is none of them. */
function machinePath(commands: string | undefined): string {
  const own = (process.env['PATH'] ?? '')
    .split(delimiter)
    .filter((directory) => !directory.includes('node_modules'))
  return [...(commands === undefined ? [] : [commands]), ...own].join(delimiter)
}
