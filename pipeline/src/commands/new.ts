import type { Command } from 'commander'
import { type CommandIo, finish, type SharedOptions, withSharedOptions } from './command.ts'

interface NewOptions extends SharedOptions {
  readonly method?: string
  readonly path?: string
}

/** `needle new <group>/<name>`: a function, its test and its page, ready to be changed. */
export function addNewCommand(program: Command, io: CommandIo): void {
  withSharedOptions(program.command('new <group/name>'))
    .summary('start a function: code, test and page')
    .option('--method <method>', 'HTTP method (default: POST, or GET for a path with parameters)')
    .option('--path <path>', 'route, such as /shop/card/:productId (default: /<group>/<name>)')
    .action(async (functionName: string, options: NewOptions) => {
      const { findRepository } = await import('../functions/find-repository.ts')
      const { scaffoldFunction } = await import('../scaffold/scaffold-function.ts')
      const made = await scaffoldFunction({
        ...options,
        function: functionName,
        repository: findRepository(io.cwd, options.repository),
      })
      const text = [
        `${made.function} answers ${made.method} ${made.path}:`,
        ...made.files.map((file) => `  ${file}`),
        '',
        'Next:',
        '  npx needle dev      serves it and reloads it at each change',
        '  npx needle check    what the pull request will check',
      ].join('\n')
      finish(io, options, { text, json: made })
    })
}
