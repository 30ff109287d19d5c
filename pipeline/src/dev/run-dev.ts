import { isDeepStrictEqual, styleText } from 'node:util'
import type { Services } from '@needle-faas/runtime/function'
import type { CommandIo } from '../commands/command.ts'
import { counted } from '../commands/counted.ts'
import { describeError } from '../describe-error.ts'
import { formatIssue } from '../errors.ts'
import { findRepository } from '../functions/find-repository.ts'
import { survey } from '../functions/survey.ts'
import { createDevBuilder, type DevBuild } from './dev-build.ts'
import { createDevEnvironment } from './dev-environment.ts'
import { createDevLog } from './dev-log.ts'
import { type DevServer, startDevServer } from './dev-server.ts'
import { loadDevServices } from './dev-services.ts'
import { exampleRequest } from './example-request.ts'
import { watchFunctions } from './watch-functions.ts'

export interface RunDevOptions {
  readonly repository?: string | undefined
  readonly port: number
}

/** What the work tree comes to at one moment. */
interface Edition {
  readonly build: DevBuild
  readonly groups: readonly string[]
  readonly services: Partial<Services>
}

/** `needle dev`: serves the functions as they lie in the work tree, until Ctrl-C. */
export async function runDev(io: CommandIo, options: RunDevOptions): Promise<void> {
  const directory = findRepository(io.cwd, options.repository)
  const print = (line: string): void => io.stdout(`${line}\n`)
  const build = createDevBuilder()
  const environment = await createDevEnvironment()

  const read = async (): Promise<Edition> => {
    const [surveyed, services] = await Promise.all([
      survey(directory, 'production'),
      loadDevServices(directory),
    ])
    return {
      build: await build(surveyed, { services: Object.keys(services), signal: io.signal }),
      groups: [...new Set(surveyed.functions.map(({ group }) => group))],
      services,
    }
  }
  const serve = async (edition: Edition, port: number): Promise<DevServer> => {
    await environment.publish(edition.build.functions)
    return startDevServer({ ...edition, environment, port, log: createDevLog(io) })
  }

  const changes = await watchFunctions(directory, io.signal)
  let edition = await read()
  let server = await serve(edition, options.port)
  const reload = async (): Promise<void> => {
    const startedAt = performance.now()
    const next = await read()
    const isSame = isDeepStrictEqual(namesOf(next), namesOf(edition))
    const sameServices = next.services === edition.services
    if (isSame && sameServices && next.build.rebuilt.length === 0) return
    if (sameServices && isDeepStrictEqual(next.groups, edition.groups)) {
      await environment.publish(next.build.functions)
      await server.refresh()
    } else {
      // A runtime keeps its groups and services for life.
      await server.close()
      server = await serve(next, server.port)
    }
    edition = next
    const what = next.build.rebuilt.join(', ') || counted(namesOf(next).length, 'function')
    const took = Math.round(performance.now() - startedAt)
    const isBroken = next.build.rebuilt.some((name) => isRefused(next.build, name))
    print(
      isBroken
        ? `${what} read in ${took} ms; what does not build answers 500 until it does:`
        : styleText('dim', `${what} reloaded in ${took} ms`),
    )
    printIssues(print, next.build)
  }

  try {
    if (server.port !== options.port)
      print(`Port ${options.port} is in use; this is ${server.port}.`)
    printRoutes(print, edition, server)
    printIssues(print, edition.build)
    for await (const _change of changes) {
      try {
        await reload()
      } catch (error) {
        if (!io.signal.aborted) print(describeError(error, false).text)
      }
    }
  } finally {
    await server.close()
  }
}

function isRefused({ issues }: DevBuild, name: string): boolean {
  return issues.some((issue) => issue.function === name && issue.code !== 'ROUTE_CONFLICT')
}

function namesOf({ build }: Edition): string[] {
  return build.functions.map(({ name }) => name)
}

function printRoutes(print: (line: string) => void, { build }: Edition, { port }: DevServer): void {
  print(
    `\nServing ${counted(build.functions.length, 'function')}; saving a file reloads what it changes:\n`,
  )
  for (const { name, settings, contract } of build.functions) {
    print(`  ${styleText('bold', name)}`)
    print(`    ${exampleRequest({ port, settings, input: contract.input })}`)
  }
  print('\nTypes and tests: npx needle check. Ctrl-C stops.')
}

function printIssues(print: (line: string) => void, { issues }: DevBuild): void {
  for (const issue of issues) print(`${styleText('red', '✗')} ${formatIssue(issue)}`)
}
