import { resolve } from 'node:path'
import { environmentNameSchema } from '@needle-faas/runtime/manifest'
import { type ArtifactStore, openStore, systemClock } from '@needle-faas/runtime/store'
import type { Command } from 'commander'
import type { EnvironmentAccess } from '../environment-state/read-environment.ts'
import { PipelineError } from '../errors.ts'
import { openGitRepository } from '../git/git-repository.ts'
import { findActor } from '../github/find-actor.ts'
import { openSigner, rolesFor } from '../keys/open-signer.ts'
import { openTrust, type Trust } from '../keys/open-trust.ts'
import type { Publisher } from '../publish/publisher.ts'
import { type CommandIo, type SharedOptions, withSharedOptions } from './command.ts'
import { type EnvironmentLocation, locateEnvironment } from './locate-environment.ts'

export interface EnvironmentOptions extends SharedOptions {
  readonly environment: string
  /** Address; goes before `NEEDLE_STORE`. */
  readonly store?: string | undefined
  /** Path, relative to the working directory; goes before `NEEDLE_TRUST`. */
  readonly trust?: string | undefined
}

export interface SigningOptions extends EnvironmentOptions {
  readonly key?: string | undefined
  readonly actor?: string | undefined
  readonly singleWriter?: boolean | undefined
}

/** An environment that a command reads; closed when the command is done. */
export interface Session {
  readonly location: EnvironmentLocation
  readonly store: ArtifactStore
  readonly trust: Trust
  readonly access: EnvironmentAccess
}

/** Adds `--environment`, where it lies, and the shared options. */
export function withEnvironmentOptions(command: Command): Command {
  return withSharedOptions(command)
    .option('--environment <name>', 'environment to work on', 'production')
    .option('--store <address>', 'file:<path> or s3://… (default: NEEDLE_STORE, then the config)')
    .option('--trust <file>', 'pinned trust root (default: NEEDLE_TRUST, then the config)')
}

/** Adds what every command that writes a manifest takes. */
export function withSigningOptions(command: Command): Command {
  return withEnvironmentOptions(command)
    .option('--key <file>', 'private key to sign with (default: the NEEDLE_…_KEY whose role fits)')
    .option('--actor <name>', 'who does this (default: GITHUB_ACTOR, then the Git user)')
    .option('--single-writer', 'vouch that nobody else publishes, for a store that cannot tell')
}

/** Opens store and trust of the environment, runs, and closes the store whatever happens. */
export async function withSession<Value>(
  io: CommandIo,
  options: EnvironmentOptions,
  run: (session: Session) => Promise<Value>,
): Promise<Value> {
  assertEnvironmentName(options.environment)
  const located = await locateEnvironment(io, options)
  const store = await openStore(located.store)
  try {
    const trust = await openTrust(store, located.trust, io.signal)
    const { environment } = options
    return await run({
      location: located,
      store,
      trust,
      access: { store, environment, root: trust.newest, signal: io.signal },
    })
  } finally {
    await store.close()
  }
}

/** The session with a key: `code` when releases are to be signed, `manifest` when not. */
export async function toPublisher(
  io: CommandIo,
  session: Session,
  options: SigningOptions & { readonly what: 'code' | 'manifest' },
): Promise<Publisher> {
  const signer = await openSigner({
    file: options.key === undefined ? undefined : resolve(io.cwd, options.key),
    env: io.env,
    roles: rolesFor(options.environment, options.what),
    root: session.trust.newest,
  })
  return {
    access: session.access,
    signer,
    clock: systemClock,
    singleWriter: options.singleWriter ?? false,
  }
}

/** The name recorded with a change. Outside of a repository Git is not asked. */
export function actorOf(io: CommandIo, options: SigningOptions): Promise<string> {
  const directory = resolve(io.cwd, options.repository ?? '.')
  return findActor({
    given: options.actor,
    env: io.env,
    configuredUser: async () => {
      const git = await openGitRepository(directory).catch(() => null)
      return git === null ? null : git.configuredUser()
    },
  })
}

function assertEnvironmentName(name: string): void {
  const parsed = environmentNameSchema.safeParse(name)
  if (parsed.success) return
  throw new PipelineError(
    'USAGE_INVALID',
    `"${name}" is no environment: ${parsed.error.issues[0]?.message ?? 'see --help'}`,
  )
}
