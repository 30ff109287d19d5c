/**
 * What is used of the peers' packages, so that the type check does not need them installed. The ones
 * that are installed are not consulted.
 */
declare module '@google-cloud/functions-framework' {
  interface Request {
    readonly body: unknown
  }
  interface Response {
    status(code: number): this
    json(body: object): void
  }
  export function http(
    name: string,
    handler: (request: Request, response: Response) => Promise<void>,
  ): void
}

declare module '@google-cloud/functions-framework/testing' {
  import type { Server } from 'node:http'

  export function getTestServer(name: string): Server
}

declare module '@platformatic/runtime' {
  interface Runtime {
    /** Yields the URL of the entry point. */
    start(): Promise<string>
    close(): Promise<void>
  }
  export function create(
    root: string,
    configuration: object,
    context: { readonly production: boolean; readonly setupSignals: boolean },
  ): Promise<Runtime>
}

declare module 'isolated-vm' {
  class Isolate {
    createContextSync(): Context
  }
  interface Context {
    evalSync(code: string): void
    readonly global: {
      getSync(name: string, options: { readonly reference: true }): Reference
    }
  }
  interface Reference {
    applySync(
      receiver: undefined,
      args: readonly string[],
      options: { readonly result: { readonly promise: true } },
    ): Promise<string>
  }
  const isolatedVm: { Isolate: typeof Isolate }
  export default isolatedVm
}

declare module 'piscina' {
  export class Piscina<Task, Result> {
    constructor(options: {
      readonly filename: string
      readonly minThreads: number
      readonly maxThreads: number
    })
    run(task: Task): Promise<Result>
    destroy(): Promise<void>
  }
}

declare module 'workerd' {
  /** CommonJS: `default` is the path of the executable. */
  const main: { readonly default: string }
  export default main
}
